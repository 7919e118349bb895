"""The windows of a pooling layer along each axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from multiconv._api import kinds
from multiconv._geometry import (
    check_size,
    per_axis,
    per_axis_pairs,
    pooled_length,
    same_padding,
    window,
)
from multiconv._problem import DATA_FORMATS
from multiconv._typing import Array


@dataclass(frozen=True)
class Axis:
    """One pooled axis: where it is in the array, and its windows."""

    number: int
    size: int
    taps: int
    stride: int
    dilation: int
    low: int
    high: int
    length: int

    @property
    def met(self) -> range:
        """The taps that meet the input."""
        furthest = (self.length - 1) * self.stride - self.low
        first = max(-(furthest // self.dilation), 0)
        last = min((self.size - 1 + self.low) // self.dilation, self.taps - 1)
        return range(min(first, last), last + 1)

    @property
    def cut(self) -> Axis:
        """Windows of no more than the taps that meet the input."""
        low = self.low - self.met.start * self.dilation
        return replace(self, taps=len(self.met), low=low)

    def reads(self) -> Iterator[tuple[slice, slice]]:
        """For each tap that meets the input: which outputs read it, and which inputs they read."""
        for tap in self.met:
            shift = tap * self.dilation - self.low
            start = max(-(shift // self.stride), 0)
            stop = min((self.size - 1 - shift) // self.stride + 1, self.length)
            if start < stop:
                begin = start * self.stride + shift
                end = (stop - 1) * self.stride + shift + 1
                yield slice(start, stop), slice(begin, end, self.stride)

    @property
    def padding(self) -> tuple[int, int]:
        """What a convolution has to add below and above for as many outputs; crops are negative."""
        end = (self.length - 1) * self.stride + (self.taps - 1) * self.dilation + 1
        high = end - self.low - self.size
        return self.low, high if high <= -self.stride else max(high, 0)

    def counts(self, padded: bool) -> Array:
        """How many taps of each window are on the input, or on the padded input."""
        low, high = (-self.low, self.size + self.high) if padded else (0, self.size)
        starts = np.arange(self.length, dtype=np.int64) * self.stride - self.low
        return self._taps_before(high - starts) - self._taps_before(low - starts)

    def _taps_before(self, distance: Array) -> Array:
        taps: Array = np.clip(-(-distance // self.dilation), 0, self.taps)
        return taps


def windows(
    shape: tuple[int, ...], size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    data_format: str,
) -> tuple[Axis, ...]:  # fmt: skip
    """Check the arguments, and lay out the windows on each spatial axis."""
    arguments = (shape, size, stride, padding, dilation, bool(ceil_mode), data_format)
    try:
        return _known_windows(kinds(arguments), *arguments)
    except TypeError:  # lists have no hash, and some values are not allowed at all
        return _windows(*arguments)


def pooled_shape(shape: tuple[int, ...], axes: tuple[Axis, ...]) -> tuple[int, ...]:
    """The shape of what is left of data of a shape."""
    first, last = axes[0].number, axes[-1].number
    return (*shape[:first], *(axis.length for axis in axes), *shape[last + 1 :])


def _windows(
    shape: tuple[int, ...], size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    data_format: str,
) -> tuple[Axis, ...]:  # fmt: skip
    if data_format not in DATA_FORMATS:
        raise ValueError(
            f"data_format: {data_format!r} is not allowed, choose 'channels_first' or "
            "'channels_last'"
        )
    rank = _rank(shape, size)
    first = len(shape) - rank if data_format == "channels_first" else len(shape) - rank - 1
    sizes = shape[first : first + rank]
    if 0 in sizes:
        raise ValueError(f"x: shape {shape} has a spatial axis without elements, give at least 1")
    size = sizes if size is None else size
    taps = per_axis(size, rank, "size", 1)
    strides = taps if stride is None else per_axis(stride, rank, "stride", 1)
    dilations = per_axis(dilation, rank, "dilation", 1)
    wins = tuple(check_size(window(k, d), "size") for k, d in zip(taps, dilations, strict=True))
    pads = _padding(padding, sizes, taps, wins, strides)
    axes = []
    for i, ((low, high), win) in enumerate(zip(pads, wins, strict=True)):
        length = pooled_length(sizes[i], win, strides[i], low, high, ceil_mode)
        if length < 1:
            raise ValueError(
                f"size: the window covers {win} elements on spatial axis {i}, but the input has "
                f"only {sizes[i] + low + high} there (padding included); use a smaller window or "
                "more padding"
            )
        axes.append(Axis(first + i, sizes[i], taps[i], strides[i], dilations[i], low, high, length))
    return tuple(axes)


@lru_cache(maxsize=1024)
def _known_windows(kinds: tuple[Any, ...], *arguments: Any) -> tuple[Axis, ...]:
    return _windows(*arguments)


def _rank(shape: tuple[int, ...], size: Any) -> int:
    """The number of spatial axes: as many as sizes, or all but two of the array's."""
    if isinstance(size, (Sequence, np.ndarray)) and not isinstance(size, str) and np.ndim(size):
        rank = len(size)
        fits = len(shape) - rank in (1, 2)
    else:
        rank = len(shape) - 2
        fits = True
    if rank < 1 or not fits:
        raise ValueError(
            f"x: shape {shape} has {len(shape)} axes, needed are batch, channels and at least one "
            f"spatial axis, as many as sizes are given in size={size!r}"
        )
    return rank


def _padding(
    padding: Any, sizes: Sequence[int], taps: Sequence[int], wins: Sequence[int],
    strides: Sequence[int],
) -> tuple[tuple[int, int], ...]:  # fmt: skip
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(
                f"padding: {padding!r} is not allowed, choose numbers, 'valid' or 'same'"
            )
        if padding == "valid":
            return ((0, 0),) * len(sizes)
        return tuple(map(same_padding, sizes, wins, strides))
    pairs = per_axis_pairs(padding, len(sizes), "padding")
    for pair, count in zip(pairs, taps, strict=True):
        for pad in pair:
            if not 0 <= pad <= count // 2:
                raise ValueError(
                    f"padding: {pad} is not allowed for a window of size {count}, allowed is 0 to "
                    f"{count // 2} (half the size)"
                )
    return pairs
