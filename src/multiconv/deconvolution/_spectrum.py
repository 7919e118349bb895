"""Kernels as transfer functions of periodic convolution."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array


def transfer(kernel: Array, size: tuple[int, ...]) -> Array:
    """The spectrum of a kernel whose centre, as mode ``"same"`` has it, lies at the origin.

    Taps beyond ``size`` come round again.
    """
    place = [(np.arange(k) - (k - 1) // 2) % n for k, n in zip(kernel.shape, size, strict=True)]
    periodic = np.zeros(size, kernel.dtype)
    np.add.at(periodic, np.ix_(*place), kernel)
    return np.fft.fftn(periodic)


def power(spectrum: Array) -> Array:
    """Squared magnitudes."""
    squares: Array = spectrum.real**2 + spectrum.imag**2
    return squares


def filtered(x: Array, response: Array) -> Array:
    """``x`` with its spectrum over the trailing axes multiplied by ``response``."""
    axes = tuple(range(-response.ndim, 0))
    result = np.fft.ifftn(np.fft.fftn(x, axes=axes) * response, axes=axes)
    return (result if x.dtype.kind == "c" else result.real).astype(x.dtype, copy=False)
