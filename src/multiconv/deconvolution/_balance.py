"""How strongly to regularise, from the data's spectrum."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from multiconv._typing import Array
from multiconv.deconvolution._blur import Blur
from multiconv.deconvolution._spectrum import power, transfer

DECADES = (-14, 4)
"""Balances that are looked at, as powers of 10 times ``max|H|^2 / max|D|^2``."""


class Choice:
    """The residual of a Wiener filter as a function of its balance.

    Data that do not go round are mirrored first, so that no seam looks like noise.
    """

    def __init__(self, blur: Blur, penalty: Blur, y: Array) -> None:
        axes = tuple(range(-blur.h.ndim, 0))
        if not blur.circular:
            y = np.pad(y, [(0, 0)] * (y.ndim + axes[0]) + [(0, n) for n in y.shape[axes[0] :]],
                       "symmetric")  # fmt: skip
        size = y.shape[axes[0] :]
        spectra = power(np.fft.fftn(y, axes=axes, norm="ortho"))
        self.data = spectra.reshape(-1, *size).mean(0)
        self.kernel = power(transfer(blur.h, size))
        self.penalty = power(transfer(penalty.h, size))
        self.unit = float(self.kernel.max() / self.penalty.max())

    def for_noise(self, noise: float) -> float:
        """The balance at which the residual is the noise (Morozov's discrepancy principle)."""

        def excess(decade: float) -> float:
            return float((self._refused(decade) ** 2 * self.data).mean()) - noise**2

        low, high = map(float, DECADES)
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if excess(middle) < 0 else (low, middle)
        return float(10**low) * self.unit

    def by_cross_validation(self) -> float:
        """The balance that predicts left-out samples best (Golub, Heath & Wahba 1979)."""

        def error(decade: float) -> float:
            refused = self._refused(decade)
            freedom = float(refused.mean()) ** 2
            return float((refused**2 * self.data).mean()) / freedom if freedom else math.inf

        decades = np.arange(DECADES[0], DECADES[1] + 1.0)
        best = float(decades[int(np.argmin([error(d) for d in decades]))])
        return float(10 ** _lowest(error, best - 1, best + 1)) * self.unit

    def _refused(self, decade: float) -> Array:
        """The share of each frequency that the filtered data leave in the residual."""
        smoothing = 10**decade * self.unit * self.penalty
        total = self.kernel + smoothing
        return np.divide(smoothing, total, out=np.ones_like(total), where=total > 0)


def _lowest(function: Callable[[float], float], low: float, high: float) -> float:
    """The minimum of a function with one valley, to a hundredth, by golden section."""
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > 0.01:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if function(left) < function(right) else (left, high)
    return (low + high) / 2
