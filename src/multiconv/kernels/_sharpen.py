"""Kernels that lift detail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._arguments import number
from ._gaussian import gaussian
from ._laplace import laplace
from ._registry import Kernel, kernel


@kernel
def sharpen(amount: float = 1.0, *, diagonals: bool = False, ndim: int = 2) -> Kernel:
    """Picture less its Laplacian: crisp edges from nine taps.

    Parameters
    ----------
    amount : float, default 1.0
        How much of the Laplacian to take away.
    diagonals : bool, default False
        Whether diagonal neighbours count too.
    ndim : int, default 2
        Number of dimensions.

    Returns
    -------
    ndarray of float64, shape (3,) * ndim
        Sums to one.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.sharpen()
    array([[ 0., -1.,  0.],
           [-1.,  5., -1.],
           [ 0., -1.,  0.]])
    """
    taps = 0.0 - number("amount", amount) * laplace(diagonals=diagonals, ndim=ndim)
    taps[(1,) * taps.ndim] += 1
    return taps


@kernel
def unsharp(
    sigma: float | Sequence[float] = 1.0,
    *,
    amount: float = 1.0,
    truncate: float = 4.0,
    ndim: int | None = None,
) -> Kernel:
    """Unsharp mask: adds what a Gaussian blur would take away.

    Parameters
    ----------
    sigma : float or sequence of float, default 1.0
        Standard deviation of the blur in samples, on every axis or on each.
    amount : float, default 1.0
        How much of the lost detail to add.
    truncate : float, default 4.0
        Radius of the blur, in standard deviations.
    ndim : int, optional
        Number of dimensions; as many as ``sigma`` has values, else 2.

    Returns
    -------
    ndarray of float64
        ``(1 + amount) * identity - amount * gaussian``, sums to one.

    Examples
    --------
    >>> import multiconv as mc
    >>> float(mc.kernels.unsharp(2, amount=1.5).sum().round(12))
    1.0
    """
    amount = number("amount", amount)
    taps = -amount * gaussian(sigma, truncate=truncate, ndim=ndim)
    taps[tuple(n // 2 for n in taps.shape)] += 1 + amount
    return np.asarray(taps)
