"""Pooling: the largest or the mean element under a moving window, in any rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from multiconv._arrays import restorer, to_numpy
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
from multiconv._window_max import can_run, window_max


@dataclass(frozen=True)
class _Axis:
    """One pooled axis: where it is in the array, and its windows."""

    number: int
    size: int
    taps: int
    stride: int
    dilation: int
    low: int
    high: int
    length: int

    def reads(self) -> Iterator[tuple[slice, slice]]:
        """For each tap that meets the input: which outputs read it, and which inputs they read."""
        furthest = (self.length - 1) * self.stride - self.low
        first = max(-(furthest // self.dilation), 0)
        last = min((self.size - 1 + self.low) // self.dilation, self.taps - 1)
        for tap in range(first, last + 1):
            shift = tap * self.dilation - self.low
            start = max(-(shift // self.stride), 0)
            stop = min((self.size - 1 - shift) // self.stride + 1, self.length)
            if start < stop:
                begin = start * self.stride + shift
                end = (stop - 1) * self.stride + shift + 1
                yield slice(start, stop), slice(begin, end, self.stride)

    def counts(self, padded: bool) -> Array:
        """How many taps of each window are on the input, or on the padded input."""
        low, high = (-self.low, self.size + self.high) if padded else (0, self.size)
        starts = np.arange(self.length, dtype=np.int64) * self.stride - self.low
        return self._taps_before(high - starts) - self._taps_before(low - starts)

    def _taps_before(self, distance: Array) -> Array:
        taps: Array = np.clip(-(-distance // self.dilation), 0, self.taps)
        return taps


def max_pool(
    x: Any, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, data_format: str = "channels_first",
) -> Any:  # fmt: skip
    """Take the largest element under each position of a window.

    Parameters
    ----------
    x : array, shape (N, C, *spatial) or (N, *spatial, C)
        The data: booleans, integers or real numbers. Without the N axis, `size` must be a sequence.
    size : int or sequence of int
        Size of the window, one number for each spatial axis if it is a sequence.
    stride : int or sequence of int, optional
        Distance between windows; the window's size unless given.
    padding : int, sequence of int, sequence of (low, high) pairs, "valid" or "same", optional
        What is added on both sides of each spatial axis, at most half of `size`: elements smaller
        than all others. "same" pads as Keras does, to ``ceil(size / stride)`` outputs.
    dilation : int or sequence of int, optional
        Distance between the elements of a window.
    ceil_mode : bool, optional
        Whether windows that reach beyond the padded input are kept, if they start on the input or
        on the padding before it.
    data_format : {"channels_first", "channels_last"}, optional
        Where the channels are.

    Returns
    -------
    array
        Of x's dtype and library. A window with no element at all, which takes dilation, gives the
        dtype's smallest value. NaN reaches every window that holds one.

    Raises
    ------
    ValueError
        If an argument is out of range, or a window is larger than the padded input.
    TypeError
        If x is complex or not numeric.

    Notes
    -----
    The maximum is taken along one axis after the other (a window is the sum of its sides: J. Serra,
    *Image Analysis and Mathematical Morphology*, 1982), in time that depends little on the size:
    down the rows with three comparisons (M. van Herk, Pattern Recognition Letters 13, 1992), along
    them by doubling. Results are those of ``torch.nn.functional.max_pool1d``, ``2d`` and ``3d``.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> x = np.array([[[3, 1, 4, 1, 5, 9]]])
    >>> mc.max_pool(x, 2)
    array([[[3, 4, 9]]])
    >>> mc.max_pool(x, 3, stride=2, padding=1)
    array([[[3, 4, 9]]])
    """
    restore, x = restorer(x), to_numpy(x, "x")
    if x.dtype.kind == "c":
        raise TypeError(f"x: dtype {x.dtype} has no order, allowed are real numbers")
    axes = _axes(x, size, stride, padding, dilation, ceil_mode, data_format)
    x = window_max(x, axes) if can_run(x.dtype, axes) else _largest(x, axes)
    return x if restore is None else restore(x)


def avg_pool(
    x: Any, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, count_include_pad: bool = True, data_format: str = "channels_first",
) -> Any:  # fmt: skip
    """Take the mean of the elements under each position of a window.

    Parameters
    ----------
    x : array, shape (N, C, *spatial) or (N, *spatial, C)
        The data, of any numeric dtype. Without the N axis, `size` must be a sequence.
    size, stride, padding, dilation, ceil_mode, data_format
        As in `max_pool`, but padding adds zeros.
    count_include_pad : bool, optional
        Whether the zeros of the padding count as elements of the mean, as in torch; what lies
        beyond the padding never does. The padding of "same" is not counted either, as in Keras.

    Returns
    -------
    array
        Of x's library and dtype, float64 for integers and booleans. float16 and bfloat16 are summed
        in float32. A window with no element at all, which takes dilation, gives zero.

    Raises
    ------
    ValueError
        If an argument is out of range, or a window is larger than the padded input.
    TypeError
        If x is not numeric.

    Notes
    -----
    Sums are taken along one axis after the other, one pass for each tap. Results are those of
    ``torch.nn.functional.avg_pool1d``, ``2d`` and ``3d``.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> x = np.array([[[3, 1, 4, 1, 5, 9]]])
    >>> mc.avg_pool(x, 2)
    array([[[2. , 2.5, 7. ]]])
    >>> mc.avg_pool(x, 2, stride=3, padding=1, count_include_pad=False)
    array([[[3. , 2.5, 9. ]]])
    """
    restore, x = restorer(x), to_numpy(x, "x")
    axes = _axes(x, size, stride, padding, dilation, ceil_mode, data_format)
    total = x
    for axis in _fastest_first(axes):
        start = np.zeros(_shape(total, axis), _sum_dtype(x.dtype))
        total = _running(np.add, total, axis, start)
    total /= _counts(axes, total, count_include_pad and not isinstance(padding, str))
    result = total.astype(x.dtype, copy=False) if x.dtype.kind not in "biu" else total
    return result if restore is None else restore(result)


def _axes(
    x: Array, size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    data_format: str,
) -> list[_Axis]:  # fmt: skip
    """Check the arguments, and lay out the windows on each spatial axis."""
    if data_format not in DATA_FORMATS:
        raise ValueError(
            f"data_format: {data_format!r} is not allowed, choose 'channels_first' or "
            "'channels_last'"
        )
    rank = _rank(x, size)
    taps = per_axis(size, rank, "size", 1)
    strides = taps if stride is None else per_axis(stride, rank, "stride", 1)
    dilations = per_axis(dilation, rank, "dilation", 1)
    wins = tuple(check_size(window(k, d), "size") for k, d in zip(taps, dilations, strict=True))
    first = x.ndim - rank if data_format == "channels_first" else x.ndim - rank - 1
    sizes = x.shape[first : first + rank]
    if 0 in sizes:
        raise ValueError(f"x: shape {x.shape} has a spatial axis without elements, give at least 1")
    pads = _padding(padding, sizes, taps, wins, strides)
    axes = []
    for i, ((low, high), win) in enumerate(zip(pads, wins, strict=True)):
        length = pooled_length(sizes[i], win, strides[i], low, high, bool(ceil_mode))
        if length < 1:
            raise ValueError(
                f"size: the window covers {win} elements on spatial axis {i}, but the input has "
                f"only {sizes[i] + low + high} there (padding included); use a smaller window or "
                "more padding"
            )
        axes.append(
            _Axis(first + i, sizes[i], taps[i], strides[i], dilations[i], low, high, length)
        )
    return axes


def _rank(x: Array, size: Any) -> int:
    """The number of spatial axes: as many as sizes, or all but two of the array's."""
    if isinstance(size, (Sequence, np.ndarray)) and not isinstance(size, str) and np.ndim(size):
        rank = len(size)
        fits = x.ndim - rank in (1, 2)
    else:
        rank = x.ndim - 2
        fits = True
    if rank < 1 or not fits:
        raise ValueError(
            f"x: shape {x.shape} has {x.ndim} axes, needed are batch, channels and at least one "
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


def _fastest_first(axes: list[_Axis]) -> list[_Axis]:
    """The axes that shrink the array most, before the others."""
    return sorted(axes, key=lambda axis: axis.length / axis.size)


def _shape(x: Array, axis: _Axis) -> tuple[int, ...]:
    return (*x.shape[: axis.number], axis.length, *x.shape[axis.number + 1 :])


def _largest(x: Array, axes: list[_Axis]) -> Array:
    """What `window_max` gives, a pass for each tap that meets the input."""
    least = _least(x.dtype)
    for axis in _fastest_first(axes):
        x = _running(np.maximum, x, axis, np.full(_shape(x, axis), least, x.dtype))
    return x


def _running(combine: Callable[..., Any], x: Array, axis: _Axis, out: Array) -> Array:
    """Combine all taps of one axis into ``out``, in place."""
    before = (slice(None),) * axis.number
    for written, read in axis.reads():
        part = out[(*before, written)]
        combine(part, x[(*before, read)], out=part)
    return out


def _least(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b":
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    return np.result_type(dtype, np.float32)


def _counts(axes: list[_Axis], total: Array, padded: bool) -> Array:
    """The number of elements under each window, shaped to divide the sums; 1 where it is 0."""
    counts = reduce(np.multiply.outer, [axis.counts(padded) for axis in axes])
    behind = total.ndim - axes[-1].number - 1
    divisor = np.maximum(counts, 1).astype(total.real.dtype)
    return divisor.reshape(divisor.shape + (1,) * behind)
