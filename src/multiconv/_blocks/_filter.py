"""A filter of which only a block is computed: the filter itself on a larger block, cut."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multiconv._geometry import Reach
from multiconv._typing import Array
from multiconv.filters._arguments import filtered_axes
from multiconv.filters._job import part_of

Spans = Sequence[tuple[int, int]]


class Filter:
    """One call of a function of `filters`, or of one that reads so many neighbours each way."""

    def __init__(
        self, function: Callable[..., Any], shape: tuple[int, ...], dtype: np.dtype[Any],
        args: tuple[Any, ...], options: dict[str, Any], neighbours: int | None = None,
    ) -> None:  # fmt: skip
        given = dict(inspect.signature(function).bind(None, *args, **options).arguments)
        given.pop("x")
        if given.pop("out", None) is not None:
            raise TypeError("out: is not allowed where the result is made in blocks")
        self.function, self.shape, self.options = function, shape, given
        pixel = function(np.zeros((1,) * len(shape), dtype), **given)
        self.parts = len(pixel) if isinstance(pixel, tuple) else 1
        self.dtype = (pixel[0] if isinstance(pixel, tuple) else pixel).dtype
        words = self._boundaries(len(shape))
        reads = [self._measured(len(shape), axis) if neighbours is None else (neighbours,) * 2
                 for axis in range(len(shape))]  # fmt: skip
        self.reaches = tuple(
            Reach(size, size, low + 1 + high, low, boundary=word)
            for size, (low, high), word in zip(shape, reads, words, strict=True)
        )

    def run(self, block: Array, spans: Spans) -> Any:
        """The outputs at ``spans``, from the samples they need, joined."""
        cut = []
        for reach, (start, stop), size in zip(self.reaches, spans, block.shape, strict=True):
            first = (reach.low - reach.padding(start, stop)[0]) % size
            cut.append(slice(first, first + stop - start))
        with part_of(self.shape):
            result = self.function(block, **self.options)
        if self.parts > 1:
            return tuple(part[tuple(cut)] for part in result)
        return result[tuple(cut)]

    def _boundaries(self, ndim: int) -> list[str]:
        """The boundary mode of each axis; any word for axes that are not filtered."""
        words = self.options.get("boundary", "symmetric")
        if isinstance(words, str):
            return [words] * ndim
        channel = self.options.get("channel_axis")
        axes = filtered_axes(ndim, self.options.get("axes"), channel)[-len(words) :]
        found = ["symmetric"] * ndim
        for axis, word in zip(axes, words, strict=True):
            found[axis] = word
        return found

    def _measured(self, ndim: int, axis: int) -> tuple[int, int]:
        """How many samples before and after its own a result reads along an axis.

        A NaN reaches just the outputs whose windows hold it, so one among zeros tells.
        """
        options = {**self.options, "boundary": "constant", "cval": 0}
        options.pop("dtype", None)
        middle = 32
        while True:
            probe = np.zeros([2 * middle + 1 if a == axis else 1 for a in range(ndim)])
            probe.flat[middle] = np.nan
            result = self.function(probe, **options)
            first = result[0] if self.parts > 1 else result
            reached = np.flatnonzero(np.isnan(first))
            if reached[0] > 0 and reached[-1] < 2 * middle:
                return int(reached[-1]) - middle, middle - int(reached[0])
            middle *= 4
