"""How one call on a large array falls into blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multiconv import filters
from multiconv._geometry import Reach
from multiconv._typing import Array

from ._convolution import FUNCTIONS, Convolution
from ._filter import Filter

Region = Sequence[slice]
Pieces = tuple[tuple[slice, ...], ...]


class Blocks:
    """One call on an array that is never there as a whole.

    Blocks hold no data but the kernel, can be pickled and may be shared between threads.

    Parameters
    ----------
    function : callable
        `convolve`, `correlate`, `conv`, or a filter of `filters` other than `canny`.
    shape : tuple of int
        Shape of the function's first argument.
    dtype : dtype
        And its dtype.
    *args, **options
        The function's other arguments.

    Attributes
    ----------
    shape : tuple of int
        Shape of the result.
    dtype : dtype
        And its dtype.
    parts : int
        How many arrays the function returns; where there are several, `run` returns a tuple.
    reaches : tuple of Reach
        For each axis, what a result reads of the input.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> from multiconv._blocks import Blocks
    >>> x = np.arange(10)
    >>> blocks = Blocks(mc.convolve, x.shape, x.dtype, np.array([1, 1, 1]), "same", boundary="wrap")
    >>> blocks.needed([slice(0, 4)])
    ((slice(9, 10, None), slice(0, 5, None)),)
    >>> blocks.run(blocks.read(x, [slice(0, 4)]), [slice(0, 4)])
    array([10,  3,  6,  9])
    """

    def __init__(
        self, function: Callable[..., Any], shape: Sequence[int], dtype: Any, /, *args: Any,
        **options: Any,
    ) -> None:  # fmt: skip
        self._take(_kind(function)(function, tuple(shape), np.dtype(dtype), args, options))

    @classmethod
    def local(
        cls, function: Callable[..., Any], shape: Sequence[int], dtype: Any, /, neighbours: int,
        **options: Any,
    ) -> Blocks:  # fmt: skip
        """Those of any function whose results read so many samples each way along each axis."""
        blocks = cls.__new__(cls)
        blocks._take(Filter(function, tuple(shape), np.dtype(dtype), (), options, neighbours))
        return blocks

    def _take(self, job: Convolution | Filter) -> None:
        self._job = job
        self.reaches: tuple[Reach, ...] = job.reaches
        self.shape = tuple(reach.out for reach in job.reaches)
        self.dtype: np.dtype[Any] = job.dtype
        self.parts: int = job.parts

    def needed(self, region: Region) -> Pieces:
        """For each axis, the pieces of the input to read and to join: mostly one.

        There are two where ``"wrap"`` goes round the end of an axis.
        """
        spans = self._spans(region)
        if any(start == stop for start, stop in spans):
            return tuple((slice(0, 0),) for _ in self.reaches)
        return tuple(r.pieces(*span) for r, span in zip(self.reaches, spans, strict=True))

    def read(self, source: Any, region: Region) -> Array:
        """What a region needs, from anything that takes a tuple of slices."""
        return _joined(source, self.needed(region), ())

    def run(self, block: Array, region: Region) -> Any:
        """That region of the result, from what it needs."""
        spans = self._spans(region)
        needed = self.needed(region)
        expected = tuple(sum(p.stop - p.start for p in pieces) for pieces in needed)
        if block.shape != expected:
            raise ValueError(f"block: shape {block.shape} does not fit, needed is {expected}")
        size = tuple(stop - start for start, stop in spans)
        if math.prod(size) == 0:
            nothing = np.zeros(size, self.dtype)
            return nothing if self.parts == 1 else (nothing,) * self.parts
        return self._job.run(block, spans)

    def _spans(self, region: Region) -> list[tuple[int, int]]:
        if len(region) != len(self.shape):
            raise ValueError(
                f"region: {len(region)} slices do not fit, the result has {len(self.shape)} axes"
            )
        found = [part.indices(n) for part, n in zip(region, self.shape, strict=True)]
        if any(step != 1 for _, _, step in found):
            raise ValueError(f"region: {tuple(region)!r} has gaps, give slices of step 1")
        return [(start, max(start, stop)) for start, stop, _ in found]


def falls_into_blocks(function: Callable[..., Any]) -> bool:
    """Whether a function's calls can be `Blocks`."""
    return function in FUNCTIONS or function in _FILTERS


def _kind(function: Callable[..., Any]) -> Any:
    if not falls_into_blocks(function):
        name = getattr(function, "__name__", repr(function))
        known = ", ".join(f.__name__ for f in (*FUNCTIONS, *_FILTERS))
        raise TypeError(f"function: {name} does not fall into blocks, allowed are {known}")
    return Convolution if function in FUNCTIONS else Filter


_FILTERS = [getattr(filters, name) for name in filters.__all__ if name != "canny"]


def _joined(source: Any, pieces: Pieces, chosen: tuple[slice, ...]) -> Array:
    """All combinations of one piece of each axis, joined along the axes that have several."""
    axis = len(chosen)
    if axis == len(pieces):
        return np.asarray(source[chosen])
    parts = [_joined(source, pieces, (*chosen, piece)) for piece in pieces[axis]]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis)
