"""The moving mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.kernels._arguments import integer

from ._arguments import per_axis, whole
from ._arrays import for_all_arrays
from ._job import Job


@for_all_arrays
def box(
    x: Any, size: int | Sequence[int] = 3, *, origin: int | Sequence[int] = 0, axes: Any = None,
    channel_axis: int | None = None, boundary: Any = "symmetric", cval: Any = 0,
    dtype: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Mean of the samples under a moving box.

    Parameters
    ----------
    x : array_like
        The image, as for `gaussian`.
    size : int or sequence of int, default 3
        Samples of the box along all filtered axes, or along each.
    origin : int or sequence of int, default 0
        How far to move the box to lower indices. A box of even size that is not moved reaches one
        sample further to the low side than to the high side.
    axes, channel_axis, boundary, cval, dtype, out
        As for `gaussian`. The dtype is x's unless given, float64 for booleans.

    Returns
    -------
    array
        Of x's shape and library.

    Notes
    -----
    Results are `scipy.ndimage.uniform_filter`'s, but for integers: they are summed exactly and
    their mean is rounded once, half to even; SciPy truncates it after each pass.

    Compared with OpenCV: ``blur`` and ``boxFilter`` have the default border ``"reflect"``; for
    8-bit images odd boxes are the same, while even ones are rounded upwards there.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.filters.box([1.0, 2, 6, 3, 8])
    array([1.33333333, 3.        , 3.66666667, 5.66666667, 6.33333333])
    >>> mc.filters.box([1, 2, 6, 3, 8], 2)
    array([1, 2, 4, 4, 6])
    """
    job = Job.of(x, axes, channel_axis, boundary, cval, dtype, out, signed=False)
    sizes = per_axis("size", size, job.axes, partial(integer, "size", low=1))
    origins = per_axis("origin", origin, job.axes, partial(integer, "origin", low=-(2**62)))
    for n, shift in zip(sizes, origins, strict=True):
        if not 0 <= n // 2 + shift < n:
            raise ValueError(
                f"origin: {shift} moves a box of size {n} off its sample, allowed are "
                f"{-(n // 2)} to {(n - 1) // 2}"
            )
    total = math.prod(sizes)
    centred = not any(origins)
    if job.rounds_at_once and centred and job.zero_outside and _rounds_well(total):
        return job.finish(job.stencil(np.full(sizes, 1 / total), into_out=True))
    exact = job.x.dtype.kind in "biu" and whole(job.cval)
    height = 1.0 if exact else 1 / total
    if 1 < total <= LARGEST_KERNEL and centred and not job.rounds_at_once:
        sums = job.stencil(np.full(sizes, height), into_out=not exact)
    elif exact:
        factors = [_taps(n, 1) for n in sizes]
        gains = [math.prod(sizes[:place]) for place in range(len(sizes))]
        fills = [int(job.cval) * gain for gain in gains]
        sums = job.passes(factors, fills=fills, shifts=origins)
    else:
        factors = [_taps(n, 1 / n) for n in sizes]
        sums = job.passes(factors, shifts=origins, into_out=True)
    return job.finish(sums / total if exact and total > 1 else sums)


LARGEST_KERNEL = 2**14
"""Taps up to which one pass over all axes is worth making the kernel for."""


def _rounds_well(total: int) -> bool:
    """Whether no mean lies so near a half that single floats could round it the wrong way."""
    return total < 1000 and (total % 2 == 1 or total & (total - 1) == 0)


def _taps(size: int, height: float) -> Array | None:
    return np.full(size, float(height)) if size > 1 else None
