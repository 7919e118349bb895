"""The same convolutions by other libraries: what the demonstration compares with.

Each returns its result and the name of the library: SciPy or torch where installed, else NumPy.
"""

from __future__ import annotations

import itertools
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Reference = tuple[Array, str]


def filtered(x: Array, h: Array) -> Reference:
    """Convolve trailing axes with a kernel of odd sizes; the border mirrored with its edge."""
    x, h = x.astype(np.float64), h.astype(np.float64)
    if find_spec("scipy"):
        from scipy import ndimage

        weights = h.reshape((1,) * (x.ndim - h.ndim) + h.shape)
        return ndimage.convolve(x, weights, mode="reflect"), "SciPy"
    margins = [(0, 0)] * (x.ndim - h.ndim) + [(n // 2, (n - 1) // 2) for n in h.shape]
    padded = np.pad(x, margins, mode="symmetric")
    result = np.zeros_like(x)
    for tap in itertools.product(*map(range, h.shape)):
        starts = [n - 1 - t for t, n in zip(tap, h.shape, strict=True)]
        ends = (slice(s, s + n) for s, n in zip(starts, x.shape[-h.ndim :], strict=True))
        window: tuple[Any, ...] = (..., *ends)
        result += h[tap] * padded[window]
    return result, "NumPy"


def blurred(x: Array, sigma: float) -> Reference:
    """Gaussian blur of all axes, the border mirrored with its edge."""
    x = x.astype(np.float64)
    if find_spec("scipy"):
        from scipy import ndimage

        return ndimage.gaussian_filter(x, sigma, mode="reflect"), "SciPy"
    radius = int(4 * sigma + 0.5)
    bell = np.exp(-0.5 * np.square(np.arange(-radius, radius + 1) / sigma))
    bell /= bell.sum()
    for axis in range(x.ndim):
        margins = [(radius, radius) if a == axis else (0, 0) for a in range(x.ndim)]
        padded = np.pad(x, margins, mode="symmetric")
        x = np.apply_along_axis(np.convolve, axis, padded, bell, "valid")
    return x, "NumPy"


def reverberated(x: Array, h: Array) -> Reference:
    """Full convolution of one channel with each of several."""
    size = len(x) + len(h) - 1
    if find_spec("scipy"):
        from scipy import signal

        return signal.oaconvolve(x, h, axes=0), "SciPy"
    spectrum = np.fft.rfft(x, size, axis=0) * np.fft.rfft(h, size, axis=0)
    return np.fft.irfft(spectrum, size, axis=0), "NumPy"


def layer(x: Array, w: Array, bias: Array, padding: int) -> Reference:
    """Multi-channel layer of any rank, channels first."""
    if find_spec("torch"):
        import torch

        run: Any = (torch.conv1d, torch.conv2d, torch.conv3d)[w.ndim - 3]
        tensors = [torch.from_numpy(np.ascontiguousarray(a)) for a in (x, w, bias)]
        return run(*tensors, padding=padding).numpy(), "torch"
    axes = tuple(range(2, x.ndim))
    padded = np.pad(x.astype(np.float64), [(0, 0)] * 2 + [(padding, padding)] * len(axes))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=axes)
    # (N, C, *out, *k) with (O, C, *k), summed over C and k.
    kernel_axes = range(windows.ndim - len(axes), windows.ndim)
    summed = np.tensordot(windows, w, ([1, *kernel_axes], range(1, w.ndim)))
    return np.moveaxis(summed + bias, -1, 1), "NumPy"
