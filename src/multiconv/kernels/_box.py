"""Kernels of constant height."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ._arguments import check_taps, dimensions, integer, number, per_axis
from ._registry import Kernel, kernel


@kernel
def identity(ndim: int = 2) -> Kernel:
    """One tap of height one: leaves the signal as it is.

    Parameters
    ----------
    ndim : int, default 2
        Number of dimensions.

    Returns
    -------
    ndarray of float64, shape (1,) * ndim
        The unit impulse.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.identity()
    array([[1.]])
    """
    return np.ones((1,) * dimensions(ndim))


@kernel
def box(size: int | Sequence[int] = 3, *, ndim: int | None = None) -> Kernel:
    """Mean of a rectangular neighbourhood.

    Parameters
    ----------
    size : int or sequence of int, default 3
        Taps on every axis, or on each.
    ndim : int, optional
        Number of dimensions; as many as ``size`` has values, else 2.

    Returns
    -------
    ndarray of float64, shape ``size``
        Equal taps that sum to one.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.box((1, 4))
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    shape = tuple(integer("size", n, low=1) for n in per_axis("size", size, ndim))
    check_taps("box", shape)
    return np.full(shape, 1.0 / math.prod(shape))


@kernel
def disk(radius: float = 3.0, *, ndim: int = 2) -> Kernel:
    """Mean of a round neighbourhood with a soft rim: the blur of a lens out of focus.

    Parameters
    ----------
    radius : float, default 3.0
        Radius in samples.
    ndim : int, default 2
        Number of dimensions; 3 gives a ball.

    Returns
    -------
    ndarray of float64
        Taps that sum to one; each is proportional to ``clip(radius + 1/2 - distance, 0, 1)``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.disk(1).shape
    (3, 3)
    """
    radius, ndim = number("radius", radius, low=0), dimensions(ndim)
    half = math.ceil(radius + 0.5) - 1
    check_taps("disk", (2 * half + 1,) * ndim)
    squares = np.square(np.arange(-half, half + 1.0))
    distance = np.sqrt(sum(np.meshgrid(*[squares] * ndim, indexing="ij", sparse=True)))
    taps = np.clip(radius + 0.5 - distance, 0, 1)
    return np.asarray(taps / taps.sum())
