"""Filters of the plane, by kernels with a direction."""

from __future__ import annotations

from typing import Any

from multiconv import kernels

from ._arrays import for_all_arrays
from ._job import Job


@for_all_arrays
def emboss(
    x: Any, angle: float = 135.0, *, depth: float = 1.0, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Picture as a relief, lit from one side.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`; axes that are not filtered are pages.
    angle : float, default 135.0
        Where the light comes from, in degrees counter-clockwise from the right; 135 is the
        upper left.
    depth : float, default 1.0
        How much of the slope to add.
    axes : sequence of int, optional
        The axes of the rows and of the columns; the last two but the channels' unless given.
    channel_axis, boundary, cval, dtype, out
        As for `gaussian`. The dtype is x's unless given, float64 for booleans; integers are
        rounded half to even and clipped.

    Returns
    -------
    array
        Of x's shape and library.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> step = np.array([[10, 10, 20, 20]] * 2, np.uint8)
    >>> mc.filters.emboss(step, 180)
    array([[10, 40, 50, 20],
           [10, 40, 50, 20]], dtype=uint8)
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=False, rank=2)
    return job.finish(job.stencil(kernels.emboss(angle, depth=depth), into_out=True))


@for_all_arrays
def gabor(
    x: Any, wavelength: float = 8.0, angle: float = 0.0, *, phase: float = 0.0,
    sigma: float | None = None, aspect: float = 1.0, truncate: float = 3.0, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Answer of Gabor's wave packet: strong where one texture is, of one width and direction.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`; axes that are not filtered are pages.
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
    axes : sequence of int, optional
        The axes of the rows and of the columns; the last two but the channels' unless given.
    channel_axis, boundary, cval, dtype, out
        As for `gaussian`. The dtype is x's unless given, float64 for integers and booleans.

    Returns
    -------
    array
        Of x's shape and library.

    References
    ----------
    J. G. Daugman, "Uncertainty relation for resolution in space, spatial frequency, and
    orientation optimized by two-dimensional visual cortical filters", J. Opt. Soc. Am. A 2 (1985).

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> stripes = np.tile(np.cos(np.arange(32) * np.pi / 4), (20, 1))
    >>> along, across = (mc.filters.gabor(stripes, 8, a, boundary="wrap") for a in (0, 90))
    >>> bool(abs(along).max() > 50 * abs(across).max())
    True
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=True, rank=2)
    kernel = kernels.gabor(
        wavelength, angle, phase=phase, sigma=sigma, aspect=aspect, truncate=truncate
    )
    return job.finish(job.stencil(kernel, into_out=True))


@for_all_arrays
def motion(
    x: Any, length: float = 9.0, angle: float = 0.0, *, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Blur of a camera that moved in a straight line.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`; axes that are not filtered are pages.
    length : float, default 9.0
        Length of the movement in pixels; at least 1.
    angle : float, default 0.0
        Direction of the movement, in degrees counter-clockwise from the right.
    axes : sequence of int, optional
        The axes of the rows and of the columns; the last two but the channels' unless given.
    channel_axis, boundary, cval, dtype, out
        As for `gaussian`. The dtype is x's unless given, float64 for booleans; integers are
        rounded half to even and clipped.

    Returns
    -------
    array
        Of x's shape and library.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.motion([[0, 0, 0, 10, 0, 0, 0]], 5)
    array([[0, 2, 2, 2, 2, 2, 0]])
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=False, rank=2)
    return job.finish(job.stencil(kernels.motion(length, angle), into_out=True))
