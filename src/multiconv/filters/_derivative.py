"""Three-tap slopes, smoothed across."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from multiconv import kernels
from multiconv._typing import Array
from multiconv.kernels._registry import KernelFunction

from ._arrays import for_all_arrays
from ._job import Job


@for_all_arrays
def sobel(
    x: Any, axis: int | None = None, *, normalize: bool = False, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Slope along one axis, smoothed by 1, 2, 1 along the other filtered axes.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`.
    axis : int, optional
        The axis of the slope; the last filtered one unless given. For the slope's magnitude over
        all axes there is `gradient_magnitude`.
    normalize : bool, default False
        Whether to scale so that a ramp that rises by one a sample gives one, not 8 (in 2-D).
    axes, channel_axis, boundary, cval, out
        As for `gaussian`.
    dtype : dtype, optional
        Of the result. Unless given, it is x's, but float64 for integers and booleans: slopes are
        negative as often as not, so that unsigned integers would wrap or lose half of them, and
        they pass the range of small signed ones. An integer dtype clips: ``dtype="int16"`` holds
        all slopes of an 8-bit image. Integers of up to 32 bits are summed exactly, longer ones
        in float64.

    Returns
    -------
    array
        Of x's shape and library. Positive where the image rises with the index.

    Notes
    -----
    Results are `scipy.ndimage.sobel`'s for floats; for integers SciPy returns x's own dtype,
    wrapped. `skimage.filters.sobel_h` and ``sobel_v`` are twice the normalised ones, with the
    outermost pixels set to 0.

    Compared with OpenCV: ``Sobel`` has the same taps and signs, not normalised, clips to the depth
    that it is asked for as ``dtype`` does, and has the default border ``"reflect"``.

    References
    ----------
    I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing",
    Stanford Artificial Intelligence Project (1968).

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> ramp = np.array([[1, 3, 6], [1, 3, 6], [1, 3, 6]], np.uint8)
    >>> mc.filters.sobel(ramp)
    array([[ 8., 20., 12.],
           [ 8., 20., 12.],
           [ 8., 20., 12.]])
    >>> mc.filters.sobel(ramp[:, ::-1], dtype="int16")[0]
    array([-12, -20,  -8], dtype=int16)
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=True)
    return job.finish(slope(job, kernels.sobel, job.place(axis), normalize, into_out=True))


@for_all_arrays
def prewitt(
    x: Any, axis: int | None = None, *, normalize: bool = False, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Slope along one axis, smoothed by 1, 1, 1 along the other filtered axes.

    Parameters
    ----------
    x, axis, axes, channel_axis, boundary, cval, dtype, out
        As for `sobel`.
    normalize : bool, default False
        Whether to scale so that a ramp that rises by one a sample gives one, not 6 (in 2-D).

    Returns
    -------
    array
        Of x's shape and library. Positive where the image rises with the index.

    Notes
    -----
    Results are `scipy.ndimage.prewitt`'s for floats.

    References
    ----------
    J. M. S. Prewitt, "Object enhancement and extraction", in Picture Processing and
    Psychopictorics (1970).

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.prewitt([[1, 3, 6], [1, 3, 6]], axis=-1)
    array([[ 6., 15.,  9.],
           [ 6., 15.,  9.]])
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=True)
    return job.finish(slope(job, kernels.prewitt, job.place(axis), normalize, into_out=True))


@for_all_arrays
def scharr(
    x: Any, axis: int | None = None, *, normalize: bool = False, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Slope along one axis, smoothed by 3, 10, 3 along the others: the most even in direction.

    Parameters
    ----------
    x, axis, axes, channel_axis, boundary, cval, dtype, out
        As for `sobel`.
    normalize : bool, default False
        Whether to scale so that a ramp that rises by one a sample gives one, not 32 (in 2-D).

    Returns
    -------
    array
        Of x's shape and library. Positive where the image rises with the index.

    Notes
    -----
    `skimage.filters.scharr_h` and ``scharr_v`` are twice the normalised ones.

    Compared with OpenCV: ``Scharr`` has the same taps and signs, not normalised, and the default
    border ``"reflect"``.

    References
    ----------
    H. Scharr, "Optimal operators in digital image processing", thesis, Heidelberg (2000).

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.scharr([[1, 3, 6], [1, 3, 6]], normalize=True)
    array([[1. , 2.5, 1.5],
           [1. , 2.5, 1.5]])
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=True)
    return job.finish(slope(job, kernels.scharr, job.place(axis), normalize, into_out=True))


def slope(
    job: Job, kernel: KernelFunction, place: int, normalize: bool = False, *,
    into_out: bool = False,
) -> Array:  # fmt: skip
    """The slope along one filtered axis, not yet finished."""
    count = len(job.axes)
    if job.zero_outside:  # where one pass is the same as many
        return job.stencil(slope_kernel(kernel, place, count, normalize), into_out=into_out)
    factors = slope_factors(kernel, place, count, normalize)
    order = [place, *(p for p in range(count) if p != place)]
    return job.passes(factors, order=order, into_out=into_out)


def slope_factors(
    kernel: KernelFunction, place: int, count: int, normalize: bool = False
) -> list[Array]:
    """The taps along each of so many axes, for the slope along one of them."""
    along = kernel(0, normalize=normalize, ndim=1)
    across = kernel(0, normalize=normalize, ndim=2)[0] / along[0]
    return [along if p == place else across for p in range(count)]


@functools.lru_cache(maxsize=256)
def slope_kernel(kernel: KernelFunction, place: int, count: int, normalize: bool = False) -> Array:
    """The outer product of these taps, which is kept."""
    product = outer(slope_factors(kernel, place, count, normalize))
    product.flags.writeable = False
    return product


def outer(factors: Sequence[Array]) -> Array:
    """Their outer product."""
    return np.asarray(functools.reduce(np.multiply.outer, factors))
