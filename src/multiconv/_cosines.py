"""How few cosines make up a symmetric kernel."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array

COUNTS = (2, 4, 6, 8, 12, 16)
"""Numbers of cosines that are tried."""

LEAST_TAPS = 17
"""Shorter kernels are not worth it."""

MOST_TAPS = 2**16

MEAN_ERROR = 1e-4
"""Sum of the differences to the kernel, as a share of ``sum |w|``: 80 dB below full scale."""

ERROR = 1e-3
"""What the differences may add to an output, relative to the largest ``sum |x||w|``.

Every sample is under the kernel's larger taps at other places, so the sum there limits what a
difference at the kernel's rim can add here.
"""


def cosines(taps: Array) -> int:
    """The least count of cosines of period ``taps.size`` that give the taps; 0 where none does.

    The cosines are those of the discrete cosine transform of the window, lowest ones first.
    """
    n = taps.size
    if not LEAST_TAPS <= n <= MOST_TAPS or n % 2 == 0 or not np.array_equal(taps, taps[::-1]):
        return 0
    weights = taps.astype(np.float64)
    top = np.abs(weights).max()
    if not 1e-150 < top < 1e150:
        return 0
    weights = weights / top
    spectrum = np.fft.rfft(np.fft.ifftshift(weights))
    for count in COUNTS:
        kept = np.where(np.arange(spectrum.size) < count, spectrum, 0)
        if _close(np.fft.fftshift(np.fft.irfft(kept, n)) - weights, np.abs(weights)):
            return count
    return 0


def _close(difference: Array, weights: Array) -> bool:
    difference = np.abs(difference)
    total = weights.sum()
    if difference.sum() > MEAN_ERROR * total:
        return False
    # What the kernel's places that hold a sample weigh it with in all, from the middle outwards.
    cover = np.cumsum(weights[::-1])[::-1][: weights.size // 2 + 1]
    rim = difference[weights.size // 2 :]
    return bool((weights.size * rim <= ERROR * cover).all())
