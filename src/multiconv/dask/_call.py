"""One call on a Dask array."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import dask.array as da
from dask.base import tokenize

from multiconv import _arrays, filters
from multiconv._blocks import Blocks, falls_into_blocks

from ._canny import canny
from ._graph import lazy


def call(function: Callable[..., Any], x: Any, /, *args: Any, **options: Any) -> Any:
    """What a function returns for a Dask array: Dask arrays of which nothing is computed yet.

    Parameters
    ----------
    function : callable
        `multiconv.convolve`, `correlate`, `conv` or a function of `multiconv.filters`.
    x : dask.array.Array
        The data. Any chunks do: what a result needs beyond its own chunk is read from as many
        neighbours as it lies in, and nothing is rechunked.
    *args, **options
        The function's other arguments, in NumPy's arrays; ``out`` is not allowed.

    Returns
    -------
    dask.array.Array, or a tuple of two from `filters.gradient`
        Chunks are those of ``x``: each result is in the chunk of the sample that it is about.
        Channels that a layer makes are in one.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is. Nothing is raised
        when the result is computed that could be found now.

    Examples
    --------
    >>> import dask.array as da
    >>> import multiconv as mc
    >>> mc.dask.call(mc.filters.gaussian, da.ones((4, 6), chunks=3), 2).chunks
    ((3, 1), (3, 3))
    """
    _check(function, x)
    if function is filters.canny:
        return canny(x, *args, **options)
    blocks = Blocks(function, x.shape, x.dtype, *args, **options)
    name = getattr(function, "__name__", "call")
    return lazy(x, blocks, f"{name}-{tokenize(x.name, function, args, options)}")


def _check(function: Callable[..., Any], x: Any) -> None:
    if not isinstance(x, da.Array):
        raise TypeError(
            f"x: a Dask {type(x).__name__} is not allowed, give a dask.array.Array or call "
            "compute() on it first"
        )
    if not falls_into_blocks(function) and function is not filters.canny:
        raise TypeError(
            f"x: {function.__name__} takes no lazy Dask array, call compute() on it first"
        )
    if any(math.isnan(n) for n in x.shape):
        raise ValueError(
            f"x: shape {x.shape} is not known, call compute_chunk_sizes() on the array first"
        )
    _arrays.to_numpy(x._meta, "x")
