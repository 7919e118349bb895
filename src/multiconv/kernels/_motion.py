"""Motion blur."""

from __future__ import annotations

import math

import numpy as np

from ._arguments import check_taps, number
from ._registry import Kernel, kernel


@kernel
def motion(length: float = 9.0, angle: float = 0.0) -> Kernel:
    """Blur of a camera that moved in a straight line.

    Parameters
    ----------
    length : float, default 9.0
        Length of the movement in pixels; at least 1.
    angle : float, default 0.0
        Direction of the movement, in degrees counter-clockwise from the right.

    Returns
    -------
    ndarray of float64
        Taps that sum to one: points at most one pixel apart on the line, each shared among its
        four nearest pixels.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.motion(5)
    array([[0.2, 0.2, 0.2, 0.2, 0.2]])
    """
    length = number("length", length, low=1)
    theta = math.radians(number("angle", angle))
    right, down = round(math.cos(theta), 12), round(-math.sin(theta), 12)
    half_x, half_y = (math.ceil(abs(step) * (length - 1) / 2) for step in (right, down))
    check_taps("motion", (2 * half_y + 1, 2 * half_x + 1))

    along = np.linspace(-(length - 1) / 2, (length - 1) / 2, math.ceil(length))
    x, y = along * right + half_x, along * down + half_y
    taps = np.zeros((2 * half_y + 2, 2 * half_x + 2))  # one spare row and column for neighbours
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for dy, weight_y in ((0, 1 - (y - top)), (1, y - top)):
        for dx, weight_x in ((0, 1 - (x - left)), (1, x - left)):
            np.add.at(taps, (top + dy, left + dx), weight_y * weight_x)
    return np.asarray(taps[:-1, :-1] / taps.sum())
