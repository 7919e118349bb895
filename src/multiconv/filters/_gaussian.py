"""Gaussian smoothing and its derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from multiconv import kernels
from multiconv._typing import Array
from multiconv.kernels._arguments import integer, number

from ._arguments import per_axis
from ._arrays import for_all_arrays
from ._job import Job

HIGHEST_ORDER = 16
check_sigma = partial(number, "sigma", low=0)
check_order = partial(integer, "order", low=0, high=HIGHEST_ORDER)


@for_all_arrays
def gaussian(
    x: Any, sigma: float | Sequence[float] = 1.0, order: int | Sequence[int] = 0, *,
    truncate: float = 4.0, axes: Any = None, channel_axis: int | None = None,
    boundary: Any = "symmetric", cval: Any = 0, dtype: Any = None, out: Any = None,
    precision: str = "default",
) -> Any:  # fmt: skip
    """Smooth with a Gaussian, or take the smoothed image's derivatives.

    Parameters
    ----------
    x : array_like
        The image: any number of axes, any numeric dtype, an array of any library.
    sigma : float or sequence of float, default 1.0
        Standard deviation in samples, for all filtered axes or for each; 0 leaves an axis alone.
    order : int or sequence of int, default 0
        Order of the derivative along every filtered axis, or along each; 0 smooths.
    truncate : float, default 4.0
        The kernel's radius is ``int(truncate * sigma + 0.5)`` samples.
    axes : int or sequence of int, optional
        The axes to filter; all but the channels' unless given.
    channel_axis : int, optional
        The axis of colours or other channels, which is not filtered across.
    boundary : {"symmetric", "constant", "edge", "reflect", "wrap"} or sequence of these, optional
        How the image goes on outside, in `numpy.pad`'s words: one for all axes or one for each.
    cval : number, default 0
        The value outside for ``"constant"``.
    dtype : dtype, optional
        Of the result. Unless given, it is x's; but float64 for booleans and for derivatives of
        integers, which would wrap or clip where they are negative.
    out : ndarray, optional
        Where to put the result, which then has its dtype. It may be ``x``.
    precision : {"default", "highest", "fast"}, optional
        As for `multiconv.convolve`. ``"fast"`` takes time that grows little with sigma, at an
        error 80 dB below the image's largest value.

    Returns
    -------
    array
        Of x's shape and library.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Notes
    -----
    One pass along each axis with the Gaussian at the integers, scaled to sum to one. Derivatives
    use those of the continuous Gaussian there, so a constant image leaves a little for even
    orders (`gaussian_derivative` does not). Results are `scipy.ndimage.gaussian_filter`'s. As
    there, ``cval`` surrounds the result of each pass, not the image alone.

    Integers are computed in floats (exactly, where the kernel is whole), rounded half to even and
    clipped at the end; SciPy truncates towards zero after each pass. A float32 image and integers
    of up to 16 bits with ``dtype="float32"`` are computed in float32; float16 and bfloat16 are,
    and are rounded once.

    SciPy calls the boundary ``"symmetric"`` ``reflect``, and ``"reflect"`` ``mirror``.

    Compared with OpenCV: ``GaussianBlur`` has the default border ``"reflect"`` and, for a sigma,
    ``round(6 sigma + 1) | 1`` taps for 8-bit images and ``round(8 sigma + 1) | 1`` for others:
    about those of ``truncate=3`` and ``truncate=4`` here. For 8-bit images its weights keep 8 bits,
    which costs some levels.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> mc.filters.gaussian([0.0, 0, 1, 0, 0], 0.5).round(3)
    array([0.   , 0.106, 0.787, 0.106, 0.   ])
    >>> step = np.array([0, 0, 100, 100], np.uint8)
    >>> mc.filters.gaussian(step, 1)
    array([ 6, 30, 70, 94], dtype=uint8)
    >>> mc.filters.gaussian(step, 1, order=1).round(1)
    array([10.8, 36.3, 36.3, 10.8])
    """
    orders = order if isinstance(order, (Sequence, np.ndarray)) else [order]
    signed = any(n != 0 for n in orders)
    job = Job.of(
        x, axes, channel_axis, boundary, cval, dtype, out, signed=signed, precision=precision
    )
    factors = gaussian_factors(job, sigma, order, truncate)
    return job.finish(job.passes(factors, into_out=True))


@for_all_arrays
def gaussian_derivative(
    x: Any, sigma: float | Sequence[float] = 1.0, order: int | Sequence[int] = 1,
    axis: int | None = None, *, truncate: float = 4.0, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None, precision: str = "default",
) -> Any:  # fmt: skip
    """Derivative of the smoothed image, exactly 0 wherever the image is constant.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`.
    sigma : float or sequence of float, default 1.0
        Standard deviation in samples, for all filtered axes or for each; above 0.
    order : int or sequence of int, default 1
        Order of the derivative along ``axis``, or one order for each filtered axis.
    axis : int, optional
        The axis of the derivative; the last filtered one unless given.
    truncate, axes, channel_axis, boundary, cval, dtype, out, precision
        As for `gaussian`. The dtype is x's unless given, float64 for integers and booleans.

    Returns
    -------
    array
        Of x's shape and library. Positive where the image rises with the index, for order 1.

    See Also
    --------
    gaussian : with ``order=``, SciPy's derivatives: those of even order do not quite remove
        constants.

    Notes
    -----
    The taps are those of `multiconv.kernels.gaussian_derivative`.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.gaussian_derivative([0.0, 1, 4, 9, 16, 25], 0.8).round(2)
    array([0.57, 2.07, 4.  , 5.98, 7.18, 3.7 ])
    """
    job = Job.of(
        x, axes, channel_axis, boundary, cval, dtype, out, signed=True, precision=precision
    )
    sigmas = per_axis("sigma", sigma, job.axes, check_sigma)
    if isinstance(order, (Sequence, np.ndarray)):
        if axis is not None:
            raise ValueError(f"axis: {axis!r} is not allowed beside one order for each axis")
        orders = per_axis("order", order, job.axes, check_order)
    else:
        orders = [0] * len(job.axes)
        orders[job.place(axis)] = check_order(order)
    factors = [kernels.gaussian_derivative(s, order=n, truncate=truncate, ndim=1)
               for s, n in zip(sigmas, orders, strict=True)]  # fmt: skip
    return job.finish(job.passes(factors, into_out=True))


def gaussian_factors(job: Job, sigma: Any, order: Any, truncate: float) -> list[Array | None]:
    """SciPy's taps for each axis of a job, None for axes to leave alone."""
    sigmas = per_axis("sigma", sigma, job.axes, check_sigma)
    orders = per_axis("order", order, job.axes, check_order)
    radius = number("truncate", truncate)
    return [_taps(s, n, radius) for s, n in zip(sigmas, orders, strict=True)]


@lru_cache(maxsize=256)
def _taps(sigma: float, order: int, truncate: float) -> Array | None:
    if sigma == 0:
        if order:
            raise ValueError(f"sigma: 0 has no derivative of order {order}, give a number above 0")
        return None
    bell = kernels.gaussian(sigma, truncate=truncate, ndim=1)
    radius = bell.size // 2
    at = np.arange(-radius, radius + 1) / sigma
    # d^n/dx^n exp(-x^2/2s^2) = (-1/s)^n He_n(x/s) exp(-x^2/2s^2), He_n Hermite's polynomial.
    hermite = np.polynomial.hermite_e.hermeval(at, [0] * order + [1])
    taps = np.asarray((-1 / sigma) ** order * hermite * bell)
    taps.flags.writeable = False
    return taps
