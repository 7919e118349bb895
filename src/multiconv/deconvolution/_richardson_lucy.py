"""Richardson-Lucy: the likeliest non-negative image behind counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.deconvolution._blur import Blur
from multiconv.deconvolution._progress import rms


def richardson_lucy(blur: Blur, y: Array, background: Any) -> Iterator[tuple[Array, float]]:
    """Estimates of growing Poisson likelihood, from a flat one on.

    Each multiplies the one before by the adjoint of ``y / (x * h + background)``, divided by the
    adjoint of ones: what makes the sum of ``x * h`` that of ``y`` at every boundary.
    """
    sensitivity = blur.adjoint(np.ones_like(y))
    seen = blur.forward(np.ones(blur.shape, y.dtype))
    if not seen.any():
        raise ValueError(f"h: no tap of shape {blur.h.shape} but 0 reaches the data")
    x = np.full(blur.shape, y.sum() / seen.sum(), y.dtype)
    seen = x.flat[0] * seen + background
    while True:
        gain = _quotient(blur.adjoint(_quotient(y, seen, 0)), sensitivity, 1)
        x = np.maximum(x * gain, 0)
        seen = blur.forward(x) + background
        yield x, rms(y - seen)


def _quotient(a: Array, b: Array, otherwise: float) -> Array:
    """``a / b``, and ``otherwise`` where ``b`` is nothing but rounding."""
    floor = np.finfo(b.dtype).eps * b.max()
    return np.divide(a, b, out=np.full_like(a, otherwise), where=b > floor)
