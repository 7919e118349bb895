"""Relief."""

from __future__ import annotations

import math

import numpy as np

from ._arguments import number
from ._derivative import prewitt
from ._registry import Kernel, kernel


@kernel
def emboss(angle: float = 135.0, *, depth: float = 1.0) -> Kernel:
    """Picture as a relief, lit from one side.

    Parameters
    ----------
    angle : float, default 135.0
        Where the light comes from, in degrees counter-clockwise from the right; 135 is the
        upper left.
    depth : float, default 1.0
        How much of the slope to add.

    Returns
    -------
    ndarray of float64, shape (3, 3)
        The identity less ``depth`` times Prewitt's slope towards the light; sums to one.

    Notes
    -----
    The slope's larger component has weight one, so that 45 degrees and its multiples give
    integers for ``depth=1``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.emboss()
    array([[ 2.,  1.,  0.],
           [ 1.,  1., -1.],
           [ 0., -1., -2.]])
    """
    radians = math.radians(number("angle", angle))
    right, up = math.cos(radians), math.sin(radians)
    larger = max(abs(right), abs(up))
    right, up = round(right / larger, 12), round(up / larger, 12)
    slope = right * prewitt(axis=1) - up * prewitt(axis=0)
    taps = 0.0 - number("depth", depth) * slope
    taps[1, 1] += 1
    return np.asarray(taps)
