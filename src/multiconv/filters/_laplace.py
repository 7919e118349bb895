"""Curvature: the Laplacian, plain and of a Gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from multiconv import kernels
from multiconv._typing import Array

from ._arrays import for_all_arrays
from ._gaussian import gaussian_factors
from ._job import Job


@for_all_arrays
def laplace(
    x: Any, *, diagonals: bool = False, axes: Any = None, channel_axis: int | None = None,
    boundary: Any = "symmetric", cval: Any = 0, dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Sum of the second differences along all filtered axes.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`.
    diagonals : bool, default False
        Whether diagonal neighbours count too.
    axes, channel_axis, boundary, cval, dtype, out
        As for `sobel`: float64 for integers and booleans unless told, for results are signed.

    Returns
    -------
    array
        Of x's shape and library. Negative where a sample is above its neighbours.

    Notes
    -----
    Results are `scipy.ndimage.laplace`'s for floats; `skimage.filters.laplace` has the other sign.

    Compared with OpenCV: ``Laplacian`` is the same with ``ksize=1``, and has the default border
    ``"reflect"``; larger sizes are sums of second derivatives of Sobel's kind.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.laplace([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    array([[ 0.,  1.,  0.],
           [ 1., -4.,  1.],
           [ 0.,  1.,  0.]])
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=True)
    return job.finish(job.stencil(_kernel(bool(diagonals), len(job.axes)), into_out=True))


@lru_cache(maxsize=16)
def _kernel(diagonals: bool, ndim: int) -> Array:
    kernel = kernels.laplace(diagonals=diagonals, ndim=ndim)
    kernel.flags.writeable = False
    return kernel


@for_all_arrays
def gaussian_laplace(
    x: Any, sigma: float | Sequence[float] = 1.0, *, truncate: float = 4.0, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None, precision: str = "default",
) -> Any:  # fmt: skip
    """Laplacian of the smoothed image (LoG): finds blobs and, where it changes sign, edges.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`.
    sigma : float or sequence of float, default 1.0
        Standard deviation in samples, for all filtered axes or for each; above 0.
    truncate, axes, channel_axis, boundary, cval, dtype, out, precision
        As for `gaussian`. The dtype is x's unless given, float64 for integers and booleans.

    Returns
    -------
    array
        Of x's shape and library.

    Notes
    -----
    The sum of `gaussian` with order 2 along one axis after the other. Results are
    `scipy.ndimage.gaussian_laplace`'s for floats: as there, a constant image leaves a little.

    References
    ----------
    D. Marr and E. Hildreth, "Theory of edge detection", Proc. R. Soc. Lond. B 207 (1980).

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.gaussian_laplace([0.0, 0, 0, 1, 0, 0, 0], 0.8).round(3)
    array([ 0.009,  0.18 ,  0.201, -0.779,  0.201,  0.18 ,  0.009])
    """
    job = Job.of(
        x, axes, channel_axis, boundary, cval, dtype, out, signed=True, precision=precision
    )
    count = len(job.axes)
    orders = [[2 if p == place else 0 for p in range(count)] for place in range(count)]
    parts = [gaussian_factors(job, sigma, order, truncate) for order in orders]
    result = job.passes(parts[0])
    for factors in parts[1:]:
        with np.errstate(invalid="ignore"):  # inf less inf
            result += job.passes(factors)
    return job.finish(result)
