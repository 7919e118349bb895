"""Length and direction of the gradient in the plane, natively and in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from multiconv._geometry import check_memory
from multiconv._machine import memory_limit
from multiconv._memory import empty
from multiconv._problem import Problem, dtype_from_name
from multiconv._typing import Array
from multiconv.algorithms import _native

LONGEST = 64
"""Taps along an axis that are quicker summed one by one than by any other way."""


def can_run(sums: np.dtype, slopes: Sequence[Array]) -> bool:
    """Whether there is native code for sums in that dtype, and the kernels are worth it."""
    return sums.name in ("float32", "float64") and max(slopes[0].shape) <= LONGEST


def planar_gradient(
    x: Array, slopes: Sequence[Array], boundary: Sequence[str], sums: np.dtype, parts: int,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """The gradient's length, and its direction where ``parts`` is 2, along a new first axis.

    Parameters
    ----------
    x : array, shape (..., rows, columns)
    slopes : two arrays of one shape
        The kernels of the slopes down and to the right, to convolve with: outer products, odd
        sizes.
    boundary : two words
        Beyond ``"constant"`` ones there are zeros.
    sums : dtype
        Of the sums and the result, float32 or float64.
    parts : {1, 2}
    out : array, optional
        Where to put it.
    """
    if not _can_store(x.dtype, sums):
        x = x.astype(sums)
    x = x.astype(x.dtype.newbyteorder("="), copy=False)
    if not x.flags.aligned or x.strides[-1] != x.itemsize or any(s % x.itemsize for s in x.strides):
        x = np.ascontiguousarray(x) if x.flags.aligned else x.copy()
    if out is None:
        check_memory((parts, *x.shape), sums.itemsize, memory_limit(), "result")
        out = empty((parts, *x.shape), sums)
    if x.size == 0:
        return out
    batch, size = math.prod(x.shape[:-2]), x.shape[-2:]
    run = _executable(
        batch, size, slopes[0].shape, tuple(boundary), x.dtype.name, sums.name, parts,
        _native.forced_target,
    )  # fmt: skip
    weights = np.broadcast_to(np.stack(slopes).astype(sums), (1, parts, 2, *slopes[0].shape))
    images = np.broadcast_to(x.reshape(batch, 1, 1, *size), (batch, 1, 2, *size))
    results = out.reshape(parts, batch, 1, *size).swapaxes(0, 1).swapaxes(1, 2)
    run.run(run.pack(weights), images, None, None, None, results)
    return out


def _can_store(dtype: np.dtype, sums: np.dtype) -> bool:
    return dtype == sums or (dtype.kind in "iu" and dtype.itemsize <= 2)


@lru_cache(maxsize=1024)
def _executable(
    batch: int, size: tuple[int, ...], kernel: tuple[int, ...], boundary: tuple[str, ...], x: str,
    sums: str, parts: int, target: str,
) -> _native.Executable:  # fmt: skip
    number = dtype_from_name(sums)
    problem = Problem(
        in_size=size, kernel=kernel, batch=batch, in_channels=2, out_channels=parts,
        padding=tuple((k // 2, k // 2) for k in kernel), boundary=boundary, flip=True,
        x_dtype=dtype_from_name(x), w_dtype=number, acc_dtype=number, out_dtype=number,
    )  # fmt: skip
    return _native.executable("gradient", problem, (0, 0), target)
