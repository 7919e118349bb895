"""Block transforms that keep single precision, real and complex."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array


def bins(points: int, dtype: np.dtype[Any]) -> int:
    """How many values the spectrum of ``points`` samples has."""
    return points if dtype.kind == "c" else points // 2 + 1


def spectral(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the spectra of samples of ``dtype``."""
    return np.result_type(dtype, np.complex64)


def forward(samples: Array, points: int) -> Array:
    """Spectra along the last axis, which zeros fill up to ``points``."""
    transform = np.fft.fft if samples.dtype.kind == "c" else np.fft.rfft
    # NumPy 1 computes in double precision whatever comes.
    return transform(samples, points).astype(spectral(samples.dtype), copy=False)


def inverse(spectra: Array, points: int, dtype: np.dtype[Any]) -> Array:
    """Samples of ``dtype`` from spectra along the last axis."""
    transform = np.fft.ifft if dtype.kind == "c" else np.fft.irfft
    return transform(spectra, points).astype(dtype, copy=False)
