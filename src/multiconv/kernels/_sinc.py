"""Filters for sound: one dimension, cut at a frequency."""

from __future__ import annotations

import numpy as np

from ._arguments import check_taps, integer, number
from ._registry import Kernel, kernel


@kernel
def lowpass(cutoff: float = 0.1, *, size: int = 51) -> Kernel:
    """Windowed sinc: keeps what lies below a frequency (1-D).

    Parameters
    ----------
    cutoff : float, default 0.1
        Frequency at half height, in cycles per sample: hertz over the sample rate; below 0.5.
    size : int, default 51
        Taps; odd. The transition is about ``3.3 / size`` cycles per sample wide.

    Returns
    -------
    ndarray of float64, shape (size,)
        A sinc under a Hamming window, sums to one.

    References
    ----------
    A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, "Design of FIR filters by
    windowing".

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.lowpass(0.25, size=3).round(4)
    array([0.0462, 0.9076, 0.0462])
    """
    cutoff, size = _arguments("lowpass", cutoff, size)
    n = np.arange(size) - size // 2
    taps = 2 * cutoff * np.sinc(2 * cutoff * n) * np.hamming(size)
    return np.asarray(taps / taps.sum())


@kernel
def highpass(cutoff: float = 0.1, *, size: int = 51) -> Kernel:
    """Impulse less a low-pass: keeps what lies above a frequency (1-D).

    Parameters
    ----------
    cutoff : float, default 0.1
        Frequency at half height, in cycles per sample: hertz over the sample rate; below 0.5.
    size : int, default 51
        Taps; odd.

    Returns
    -------
    ndarray of float64, shape (size,)
        ``identity - lowpass``, sums to zero.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.highpass(0.25, size=3).round(4)
    array([-0.0462,  0.0924, -0.0462])
    """
    cutoff, size = _arguments("highpass", cutoff, size)
    taps = 0.0 - lowpass(cutoff, size=size)
    taps[size // 2] += 1
    return taps


def _arguments(name: str, cutoff: float, size: int) -> tuple[float, int]:
    size = integer("size", size, low=1)
    check_taps(name, (size,))
    if size % 2 == 0:
        raise ValueError(f"size: {size} is not allowed, give an odd number")
    if not 0 < number("cutoff", cutoff) < 0.5:
        raise ValueError(f"cutoff: {cutoff!r} is not allowed, give a number between 0 and 0.5")
    return float(cutoff), size
