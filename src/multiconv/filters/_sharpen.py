"""Filters that lift detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multiconv import kernels
from multiconv.kernels._arguments import number

from ._arrays import for_all_arrays
from ._gaussian import gaussian_factors
from ._job import Job


@for_all_arrays
def sharpen(
    x: Any, amount: float = 1.0, *, diagonals: bool = False, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Image less its Laplacian: crisp edges from the nearest neighbours alone.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`.
    amount : float, default 1.0
        How much of the Laplacian to take away.
    diagonals : bool, default False
        Whether diagonal neighbours count too.
    axes, channel_axis, boundary, cval, dtype, out
        As for `gaussian`. The dtype is x's unless given, float64 for booleans; integers are
        rounded half to even and clipped.

    Returns
    -------
    array
        Of x's shape and library.

    See Also
    --------
    unsharp : lifts detail of any width.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> mc.filters.sharpen(np.array([10, 10, 20, 20], np.uint8))
    array([10,  0, 30, 20], dtype=uint8)
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=False)
    kernel = kernels.sharpen(amount, diagonals=bool(diagonals), ndim=len(job.axes))
    return job.finish(job.stencil(kernel, into_out=True))


@for_all_arrays
def unsharp(
    x: Any, sigma: float | Sequence[float] = 1.0, amount: float = 1.0, *, truncate: float = 4.0,
    axes: Any = None, channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None, precision: str = "default",
) -> Any:  # fmt: skip
    """Unsharp mask: adds what a Gaussian blur would take away.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`.
    sigma : float or sequence of float, default 1.0
        Standard deviation of the blur in samples, for all filtered axes or for each.
    amount : float, default 1.0
        How much of the lost detail to add.
    truncate, axes, channel_axis, boundary, cval, dtype, out, precision
        As for `gaussian`. The dtype is x's unless given, float64 for booleans; integers are
        rounded half to even and clipped.

    Returns
    -------
    array
        ``x + amount * (x - gaussian(x))``, of x's shape and library.

    Notes
    -----
    Results are those of `skimage.filters.unsharp_mask` with ``preserve_range=True``, its radius
    being ``sigma``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.unsharp([2.0, 2, 3, 3], 0.5).round(3)
    array([2.   , 1.893, 3.107, 3.   ])
    """
    amount = number("amount", amount)
    job = Job.of(
        x, axes, channel_axis, boundary, cval, dtype, out, signed=False, precision=precision
    )
    blurred = job.passes(gaussian_factors(job, sigma, 0, truncate))
    image = job.x.astype(job.work, copy=False)
    with np.errstate(invalid="ignore"):  # inf less inf
        return job.finish(image + amount * (image - blurred))
