"""Gabor's wave packet."""

from __future__ import annotations

import math

import numpy as np

from ._arguments import check_taps, number
from ._registry import Kernel, kernel


@kernel
def gabor(
    wavelength: float = 8.0,
    angle: float = 0.0,
    *,
    phase: float = 0.0,
    sigma: float | None = None,
    aspect: float = 1.0,
    truncate: float = 3.0,
) -> Kernel:
    r"""Wave under a Gaussian: answers to one texture, of one width and direction.

    Parameters
    ----------
    wavelength : float, default 8.0
        Length of the wave in pixels; at least 2.
    angle : float, default 0.0
        Direction in which the wave runs, in degrees counter-clockwise from the right; 0 answers
        to vertical stripes.
    phase : float, default 0.0
        Phase of the wave in degrees; 0 and 90 make a quadrature pair.
    sigma : float, optional
        Standard deviation along the wave in pixels; 0.56 wavelengths, an octave, by default.
    aspect : float, default 1.0
        ``sigma`` over the standard deviation across the wave.
    truncate : float, default 3.0
        Radius in standard deviations.

    Returns
    -------
    ndarray of float64
        :math:`\exp(-(u^2 + \gamma^2 v^2) / 2 \sigma^2) \cos(2 \pi u / \lambda + \varphi)` with
        u along the wave, v across it, and the Gaussian scaled to sum to one.

    References
    ----------
    J. G. Daugman, "Uncertainty relation for resolution in space, spatial frequency, and
    orientation optimized by two-dimensional visual cortical filters", J. Opt. Soc. Am. A 2 (1985).

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.gabor(6, 90).shape
    (21, 21)
    """
    wavelength = number("wavelength", wavelength, low=2)
    along = 0.56 * wavelength if sigma is None else number("sigma", sigma, low=0, open_low=True)
    across = along / number("aspect", aspect, low=0, open_low=True)
    truncate = number("truncate", truncate, low=0, open_low=True)
    theta = math.radians(number("angle", angle))
    cos, sin = math.cos(theta), math.sin(theta)

    half_x = int(number("sigma", truncate * math.hypot(along * cos, across * sin)) + 0.5)
    half_y = int(number("sigma", truncate * math.hypot(along * sin, across * cos)) + 0.5)
    check_taps("gabor", (2 * half_y + 1, 2 * half_x + 1))
    up, right = -np.arange(-half_y, half_y + 1.0)[:, None], np.arange(-half_x, half_x + 1.0)
    u, v = right * cos + up * sin, up * cos - right * sin
    bell = np.exp(-0.5 * (np.square(u / along) + np.square(v / across)))
    wave = np.cos(2 * math.pi * u / wavelength + math.radians(number("phase", phase)))
    return np.asarray(bell / bell.sum() * wave)
