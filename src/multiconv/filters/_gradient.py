"""The gradient: how steep an image is, and which way is up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from multiconv import kernels
from multiconv._gradient import can_run, planar_gradient
from multiconv._typing import Array

from ._arguments import word
from ._arrays import for_all_arrays
from ._derivative import outer, slope, slope_kernel
from ._gaussian import gaussian_factors
from ._job import Job

_KERNELS = {"prewitt": kernels.prewitt, "scharr": kernels.scharr, "sobel": kernels.sobel}
KINDS = ("gaussian", *_KERNELS)


@for_all_arrays
def gradient_magnitude(
    x: Any, sigma: float | Sequence[float] | None = None, *, kind: str = "gaussian",
    truncate: float = 4.0, axes: Any = None, channel_axis: int | None = None,
    boundary: Any = "symmetric", cval: Any = 0, dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Length of the gradient over all filtered axes.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`, but not complex.
    sigma : float or sequence of float, optional
        Standard deviation in samples for the kind ``"gaussian"``, for all filtered axes or for
        each; 1 unless given.
    kind : {"gaussian", "sobel", "prewitt", "scharr"}, default "gaussian"
        Which slopes: those of `gaussian` of order 1, or of the function of that name, not
        normalised.
    truncate, axes, channel_axis, boundary, cval, dtype, out
        As for `gaussian`. The dtype is x's unless given, float64 for integers and booleans.

    Returns
    -------
    array
        Of x's shape and library.

    Notes
    -----
    The root of the sum of the slopes' squares: slopes above the root of the largest float
    overflow. Results are `scipy.ndimage.gaussian_gradient_magnitude`'s and
    `scipy.ndimage.generic_gradient_magnitude`'s for floats. In the plane, one pass over the image
    takes both slopes.

    Compared with OpenCV: ``magnitude`` of two Sobel slopes, which have the default border
    ``"reflect"``.

    Examples
    --------
    >>> import multiconv as mc
    >>> ramp = [[0, 3, 6], [4, 7, 10], [8, 11, 14]]
    >>> mc.filters.gradient_magnitude(ramp, kind="sobel")[1, 1] / 8
    np.float64(5.0)
    >>> mc.filters.gradient_magnitude(ramp, 0.5)[1, 1].round(2)
    np.float64(4.28)
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=True)
    _check(job, kind, sigma)
    planar = _planar(job, kind, sigma, truncate, 1)
    return job.finish(planar[0] if planar else _length(_slopes(job, kind, sigma, truncate)))


@for_all_arrays
def gradient(
    x: Any, sigma: float | Sequence[float] | None = None, *, kind: str = "sobel",
    truncate: float = 4.0, axes: Any = None, channel_axis: int | None = None,
    boundary: Any = "symmetric", cval: Any = 0, dtype: Any = None,
) -> tuple[Any, Any]:  # fmt: skip
    """Length and direction of the gradient in the plane.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`, but not complex. Only two axes are filtered.
    sigma : float or sequence of float, optional
        For the kind ``"gaussian"``, as for `gradient_magnitude`.
    kind : {"sobel", "prewitt", "scharr", "gaussian"}, default "sobel"
        Which slopes, as for `gradient_magnitude`.
    axes : sequence of int, optional
        The axes of the rows and of the columns; the last two but the channels' unless given.
    truncate, channel_axis, boundary, cval, dtype
        As for `gaussian`. The dtype is x's unless given, float64 for integers and booleans.

    Returns
    -------
    magnitude : array
        Of x's shape and library, as from `gradient_magnitude`.
    angle : array
        Where the image gets brighter, in degrees from -180 to 180: counter-clockwise from the
        right as one sees the picture, whose rows run downwards. 0 where there is no slope.

    Notes
    -----
    The angle is within three units in the last place of 180 degrees; NaN where a slope is not
    finite. `numpy.arctan2` of the two slopes counts the other way round, from the columns' axis to
    the rows'.

    Compared with OpenCV: ``cartToPolar`` of two Sobel slopes has this length, to single precision,
    and counts the angle clockwise, from 0 to 360, within 0.02 degrees.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> brighter_upwards = np.array([[2, 2, 2], [1, 1, 1], [0, 0, 0]])
    >>> magnitude, angle = mc.filters.gradient(brighter_upwards)
    >>> float(magnitude[1, 1]), float(angle[1, 1])
    (8.0, 90.0)
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, None, signed=True, rank=2)
    _check(job, kind, sigma)
    planar = _planar(job, kind, sigma, truncate, 2)
    if planar:
        return job.finish(planar[0]), job.finish(planar[1])
    down, right = _slopes(job, kind, sigma, truncate)
    angle = np.degrees(np.arctan2(0 - down, right))
    return job.finish(_length(iter((down, right)))), job.finish(angle)


def _check(job: Job, kind: str, sigma: Any) -> None:
    if job.work.kind == "c":
        raise TypeError("x, dtype: complex numbers have no direction, give real numbers")
    word("kind", kind, KINDS)
    if kind != "gaussian" and sigma is not None:
        raise ValueError(f"sigma: {sigma!r} is not allowed with kind={kind!r}, which has none")


def _planar(job: Job, kind: str, sigma: Any, truncate: float, parts: int) -> list[Array]:
    """The length, and the direction as the second of two parts, in one pass where there is one."""
    if len(job.axes) != 2 or not job.zero_outside:
        return []
    slopes = [_kernel(job, kind, sigma, truncate, p) for p in (0, 1)]
    if not can_run(job.work, slopes):
        return []
    axes = [a + job.moved for a in job.axes]
    x, out = np.moveaxis(job.x, axes, (-2, -1)), None
    if job.out is not None and job.out.ndim == 2 and job.out.dtype == job.work and parts == 1:
        out = np.moveaxis(job.out, axes, (-2, -1))[None]
    found = planar_gradient(x, slopes, job.boundary, job.work, parts, out)
    if out is not None:
        return [np.asarray(job.out)]
    return [np.moveaxis(part, (-2, -1), axes) for part in found]


def _slopes(job: Job, kind: str, sigma: Any, truncate: float) -> Iterator[Array]:
    """A fresh array for each axis, floats that can be squared."""
    places = range(len(job.axes))
    if kind == "gaussian":
        return (job.passes(_factors(job, sigma, truncate, p)) for p in places)
    return (slope(job, _KERNELS[kind], p).astype(job.work, copy=False) for p in places)


def _kernel(job: Job, kind: str, sigma: Any, truncate: float, place: int) -> Array:
    """The kernel over all axes, for the slope along one of them."""
    if kind != "gaussian":
        return slope_kernel(_KERNELS[kind], place, len(job.axes))
    return outer([np.ones(1) if f is None else f for f in _factors(job, sigma, truncate, place)])


def _factors(job: Job, sigma: Any, truncate: float, place: int) -> list[Array | None]:
    """The Gaussian's taps along each axis, for the slope along one of them."""
    orders = [int(p == place) for p in range(len(job.axes))]
    return gaussian_factors(job, 1.0 if sigma is None else sigma, orders, truncate)


def _length(slopes: Iterator[Array]) -> Array:
    total = next(slopes)
    with np.errstate(over="ignore"):
        np.square(total, out=total)
        for one in slopes:
            total += np.square(one, out=one)
    return np.sqrt(total, out=total)
