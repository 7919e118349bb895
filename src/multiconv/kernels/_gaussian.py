"""The Gaussian, its relatives and derivatives."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from ._arguments import check_taps, integer, number, one_axis, per_axis
from ._registry import Kernel, kernel


@kernel
def gaussian(
    sigma: float | Sequence[float] = 1.0, *, truncate: float = 4.0, ndim: int | None = None
) -> Kernel:
    r"""Gaussian blur, the smoothest of all.

    Parameters
    ----------
    sigma : float or sequence of float, default 1.0
        Standard deviation in samples, on every axis or on each; 0 leaves an axis as it is.
    truncate : float, default 4.0
        The radius is ``int(truncate * sigma + 0.5)`` samples.
    ndim : int, optional
        Number of dimensions; as many as ``sigma`` has values, else 2.

    Returns
    -------
    ndarray of float64
        :math:`\exp(-x^2 / 2 \sigma^2)` at the integers, scaled to sum to one.

    Notes
    -----
    The sampled Gaussian, as in `scipy.ndimage.gaussian_filter`.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.gaussian(0.5, truncate=2, ndim=1).round(3)
    array([0.107, 0.787, 0.107])
    """
    sigmas = [number("sigma", s, low=0) for s in per_axis("sigma", sigma, ndim)]
    radii = _radii("gaussian", sigmas, truncate)
    return _outer([_samples(s, r) for s, r in zip(sigmas, radii, strict=True)])


@kernel
def gaussian_derivative(
    sigma: float | Sequence[float] = 1.0,
    *,
    order: int | Sequence[int] = 1,
    axis: int = -1,
    truncate: float = 4.0,
    ndim: int | None = None,
) -> Kernel:
    r"""Derivative of a Gaussian: a smoothed slope, curvature or higher derivative.

    Parameters
    ----------
    sigma : float or sequence of float, default 1.0
        Standard deviation in samples, on every axis or on each.
    order : int or sequence of int, default 1
        Order of the derivative along ``axis``, or one order for each axis.
    axis : int, default -1
        The axis of the derivative when ``order`` is one number.
    truncate : float, default 4.0
        The radius is ``int(truncate * sigma + 0.5)`` samples.
    ndim : int, optional
        Number of dimensions; as many as ``sigma`` or ``order`` has values, else 2.

    Returns
    -------
    ndarray of float64
        :math:`\partial^n g`; convolving a ramp that rises by one a sample gives about one for
        order 1.

    Notes
    -----
    The derivative of the continuous Gaussian at the integers, divided by the sum of the Gaussian
    there, as in `scipy.ndimage.gaussian_filter`. The little that truncation leaves of the sum of
    an even order is taken away, so that a constant signal gives zero.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.gaussian_derivative(0.5, truncate=2, ndim=1).round(3)
    array([ 0.426,  0.   , -0.426])
    """
    if ndim is None and isinstance(order, Sequence):
        ndim = len(order)
    sigmas = [number("sigma", s, low=0, open_low=True) for s in per_axis("sigma", sigma, ndim)]
    if isinstance(order, Sequence):
        asked: tuple[int, ...] = per_axis("order", order, len(sigmas))
    else:
        along = one_axis(axis, len(sigmas))
        asked = tuple(order if i == along else 0 for i in range(len(sigmas)))
    orders = [integer("order", n, low=0, high=16) for n in asked]
    radii = _radii("gaussian_derivative", sigmas, truncate)
    return _outer([_samples(*axis) for axis in zip(sigmas, radii, orders, strict=True)])


@kernel
def gaussian_laplace(
    sigma: float | Sequence[float] = 1.0, *, truncate: float = 4.0, ndim: int | None = None
) -> Kernel:
    r"""Laplacian of a Gaussian (LoG): finds blobs and, at its zeros, edges.

    Parameters
    ----------
    sigma : float or sequence of float, default 1.0
        Standard deviation in samples, on every axis or on each.
    truncate : float, default 4.0
        The radius is ``int(truncate * sigma + 0.5)`` samples.
    ndim : int, optional
        Number of dimensions; as many as ``sigma`` has values, else 2.

    Returns
    -------
    ndarray of float64
        :math:`\sum_i \partial_i^2 g`: negative at the middle, sums to zero.

    References
    ----------
    D. Marr and E. Hildreth, "Theory of edge detection", Proc. R. Soc. Lond. B 207 (1980).

    Examples
    --------
    >>> import multiconv as mc
    >>> abs(float(mc.kernels.gaussian_laplace(2).sum())) < 1e-15
    True
    """
    sigmas = per_axis("sigma", sigma, ndim)
    units = np.eye(len(sigmas), dtype=int).tolist()
    parts = [gaussian_derivative(sigmas, order=[2 * n for n in unit], truncate=truncate)
             for unit in units]  # fmt: skip
    return np.asarray(sum(parts))


@kernel
def difference_of_gaussians(
    sigma: float = 1.0, *, ratio: float = 1.6, truncate: float = 4.0, ndim: int = 2
) -> Kernel:
    """Narrow Gaussian less a wide one: keeps one band of detail.

    Parameters
    ----------
    sigma : float, default 1.0
        Standard deviation of the narrow one, in samples.
    ratio : float, default 1.6
        How many times wider the other is; above 1.
    truncate : float, default 4.0
        Radius of each, in standard deviations.
    ndim : int, default 2
        Number of dimensions.

    Returns
    -------
    ndarray of float64
        Positive at the middle, sums to zero.

    References
    ----------
    D. Marr and E. Hildreth, "Theory of edge detection", Proc. R. Soc. Lond. B 207 (1980),
    appendix B: with a ratio of 1.6 it comes close to minus the Laplacian of a Gaussian.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.difference_of_gaussians(1.0, ndim=1).shape
    (13,)
    """
    ratio = number("ratio", ratio, low=1, open_low=True)
    sigma = number("sigma", sigma, low=0, open_low=True)
    wide = gaussian(sigma * ratio, truncate=truncate, ndim=ndim)
    narrow = gaussian(sigma, truncate=truncate, ndim=ndim)
    return np.pad(narrow, (wide.shape[0] - narrow.shape[0]) // 2) - wide


@kernel
def binomial(size: int | Sequence[int] = 5, *, ndim: int | None = None) -> Kernel:
    """Row of Pascal's triangle: a Gaussian blur whose taps are exact in binary.

    Parameters
    ----------
    size : int or sequence of int, default 5
        Taps on every axis, or on each; the standard deviation is ``sqrt(size - 1) / 2``.
    ndim : int, optional
        Number of dimensions; as many as ``size`` has values, else 2.

    Returns
    -------
    ndarray of float64, shape ``size``
        Binomial coefficients over their sum.

    References
    ----------
    P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code",
    IEEE Trans. Commun. 31 (1983), whose weights for a = 3/8 are those of ``size=5``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.binomial(5, ndim=1) * 16
    array([1., 4., 6., 4., 1.])
    """
    sizes = [integer("size", n, low=1, high=1000) for n in per_axis("size", size, ndim)]
    check_taps("binomial", sizes)
    return _outer([np.array([math.comb(n - 1, k) / 2 ** (n - 1) for k in range(n)])
                   for n in sizes])  # fmt: skip


def _radii(name: str, sigmas: Sequence[float], truncate: float) -> list[int]:
    truncate = number("truncate", truncate, low=0, open_low=True)
    radii = [int(number("truncate * sigma", truncate * s) + 0.5) for s in sigmas]
    check_taps(name, [2 * r + 1 for r in radii])
    return radii


def _samples(sigma: float, radius: int, order: int = 0) -> Kernel:
    """The ``order``-th derivative of a Gaussian on one axis."""
    if sigma == 0:
        return np.ones(1)
    x = np.arange(-radius, radius + 1.0)
    bell = np.exp(-0.5 * np.square(x / sigma))
    bell /= bell.sum()
    if order == 0:
        return bell
    # d^n/dx^n exp(-x^2/2s^2) = (-1/s)^n He_n(x/s) exp(-x^2/2s^2), He_n Hermite's polynomial.
    hermite = np.polynomial.hermite_e.hermeval(x / sigma, [0] * order + [1])
    taps = np.asarray((-1 / sigma) ** order * hermite * bell)
    return np.asarray(taps - taps.sum() * bell + 0.0)  # never -0.0


def _outer(factors: Sequence[Kernel]) -> Kernel:
    return np.asarray(functools.reduce(np.multiply.outer, factors))
