"""Least squares by conjugate gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from multiconv._typing import Array
from multiconv.deconvolution._blur import Blur
from multiconv.deconvolution._progress import rms

Precondition = Callable[[Array], Array]


def conjugate_gradients(
    blur: Blur, y: Array, balance: float, penalty: Blur | None,
    precondition: Precondition | None = None,
) -> Iterator[tuple[Array, float]]:  # fmt: skip
    """Estimates that approach the minimum of ``|y - x * h|^2 + balance |x * penalty|^2``.

    The residual is kept, not the normal equations' right-hand side, as in CGLS (Bjorck,
    "Numerical Methods for Least Squares Problems", 1996, section 7.4).
    """
    x = np.zeros(blur.shape, y.dtype)
    residual, penalized, step = y, x, x
    before, lowest, first = math.inf, math.inf, 0.0
    rounding = np.finfo(y.dtype).eps
    while True:
        slope = blur.adjoint(residual)
        if balance:
            slope = slope - balance * (penalty.adjoint(penalized) if penalty else penalized)
        direction = precondition(slope) if precondition else slope
        now = _inner(slope, direction)
        first = first or now
        step = direction + (now / before) * step
        change = blur.forward(step)
        bend = penalty.forward(step) if penalty else step
        curvature = _inner(change, change) + balance * _inner(bend, bend)
        settled = now <= (4 * rounding) ** 2 * first or curvature <= 0
        length = 0.0 if settled else now / curvature
        x = x + length * step
        residual = residual - length * change
        penalized = penalized + length * bend
        total = _inner(residual, residual) + balance * _inner(penalized, penalized)
        if total > lowest * (1 + 16 * rounding):
            return  # what is left is rounding, which further steps would blow up
        yield x, rms(residual)
        if settled:
            return
        before, lowest = now, total


def _inner(a: Array, b: Array) -> float:
    # Not by BLAS: the bits of its sums depend on the number of threads.
    return float((np.conj(a) * b).real.sum())
