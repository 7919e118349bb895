"""The only place with shape, mode, padding and origin arithmetic."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from multiconv._errors import MemoryLimitError
from multiconv._problem import Problem
from multiconv._typing import Array

MODES = ("full", "same", "valid")
LARGEST = 2**62
"""Sizes and positions above this are refused, so that no kernel's 64-bit arithmetic overflows."""

HOLE = -2
"""Index-table entry for the zeros that input dilation puts between samples."""
OUTSIDE = -1
"""Index-table entry for the constant boundary value."""


def window(kernel: int, dilation: int) -> int:
    """Extent of a dilated kernel."""
    return (kernel - 1) * dilation + 1 if kernel else 0


def dilated(size: int, in_dilation: int) -> int:
    """Extent of an axis with ``in_dilation - 1`` zeros between its samples."""
    return (size - 1) * in_dilation + 1 if size else 0


def output_length(size: int, win: int, stride: int, low: int, high: int) -> int:
    """Positions of a window of ``win`` on ``size`` samples padded by ``low`` and ``high``.

    Negative where the window does not fit; callers decide what that means.
    """
    return (size + low + high - win) // stride + 1


@lru_cache(maxsize=4096)
def out_size(problem: Problem) -> tuple[int, ...]:
    """The spatial output sizes of a problem.

    Raises
    ------
    ValueError
        If the kernel does not fit into the padded input, or a size passes 2**62.
    """
    sizes = []
    for axis, (size, kernel) in enumerate(zip(problem.in_size, problem.kernel, strict=True)):
        low, high = problem.padding[axis]
        win = window(kernel, problem.dilation[axis])
        extent = dilated(size, problem.in_dilation[axis])
        length = output_length(extent, win, problem.stride[axis], low, high)
        for value in (win, extent, extent + abs(low) + abs(high), length):
            check_size(value, f"spatial axis {axis} with padding and dilation")
        if extent + low + high < win - (size == 0):  # nothing, padded as for 'same', gives nothing
            raise ValueError(
                f"kernel: its window covers {win} samples on spatial axis {axis}, but the input "
                f"has only {extent + low + high} there (padding included); use a smaller kernel, "
                "more padding, or a mode other than 'valid'"
            )
        sizes.append(length)
    return tuple(sizes)


def inputs(problem: Problem) -> int:
    """How many numbers the whole input has."""
    return problem.batch * problem.in_channels * math.prod(problem.in_size)


def outputs(problem: Problem) -> int:
    """How many numbers the whole output has."""
    return problem.batch * problem.out_channels * math.prod(out_size(problem))


def result_bytes(problem: Problem) -> int:
    """Memory of a problem's result."""
    return outputs(problem) * problem.out_dtype.itemsize


def reached(problem: Problem) -> int:
    """Samples of one input channel that windows reach, at most."""
    sizes = zip(problem.in_size, out_size(problem), problem.kernel, strict=True)
    return math.prod(min(n, o * k) for n, o, k in sizes)


def beyond(problem: Problem) -> int:
    """Places beyond the edges of one input channel that windows reach."""
    sizes = (n + sum(pad) for n, pad in zip(problem.in_size, problem.padding, strict=True))
    return math.prod(sizes) - math.prod(problem.in_size)


def check_size(value: int, what: str) -> int:
    """``value`` if it fits into the engine's 64-bit arithmetic."""
    if abs(value) > LARGEST:
        raise ValueError(f"{what}: {value} is out of range, allowed are sizes up to 2**62")
    return value


def check_memory(shape: Sequence[int], itemsize: int, limit: int, what: str) -> None:
    """Refuse an array that would not fit into the memory limit, before it is made."""
    count = itemsize
    for n in shape:
        count *= n
    if count > limit:
        raise MemoryLimitError(
            f"{what}: shape {tuple(shape)} needs {count} bytes, the memory limit is {limit} bytes "
            "(set MULTICONV_MEMORY_LIMIT to change it)"
        )


def mode_padding(mode: str, win: int) -> tuple[int, int]:
    """(low, high) padding that gives the output positions of a mode, for a window of ``win``.

    ``same`` is centred as SciPy centres it: position 0 is entry ``(win - 1) // 2`` of ``full``.
    """
    if mode == "valid":
        return 0, 0
    if mode == "full":
        return win - 1, win - 1
    return win // 2, (win - 1) // 2


def same_padding(size: int, win: int, stride: int) -> tuple[int, int]:
    """Keras' ``same``: ``ceil(size / stride)`` outputs, the odd sample padded at the end."""
    total = max((-(-size // stride) - 1) * stride + win - size, 0)
    return total // 2, total - total // 2


def pooled_length(
    size: int, win: int, stride: int, low: int, high: int, ceil_mode: bool = False
) -> int:
    """Windows of ``win`` on ``size`` samples padded by ``low`` and ``high``; none if not positive.

    With `ceil_mode` windows may reach beyond the padding, if they start before the input ends.
    """
    room = size + low + high - win
    if not ceil_mode:
        return room // stride + 1
    length = -(-room // stride) + 1
    return length - 1 if (length - 1) * stride >= size + low else length


def adjoint_padding(size: int, grad_size: int, win: int, stride: int, low: int) -> tuple[int, int]:
    """Padding that makes the transposed problem give back exactly ``size`` samples."""
    new_low = win - 1 - low
    return new_low, size - dilated(grad_size, stride) - new_low + win - 1


def per_axis(value: object, rank: int, name: str, least: int) -> tuple[int, ...]:
    """An integer, or one integer per spatial axis, checked."""
    values: Sequence[Any] = tuple(value) if _is_sequence(value) else (value,) * rank
    try:
        result = tuple(operator.index(v) for v in values)
    except TypeError:
        raise TypeError(
            f"{name}: {value!r} is not allowed, give an integer or one integer per axis"
        ) from None
    if len(result) == 1:
        result *= rank
    if len(result) != rank:
        raise ValueError(
            f"{name}: {value!r} has {len(result)} values, allowed are 1 or {rank} (one per axis)"
        )
    for v in result:
        if v < least:
            raise ValueError(f"{name}: {v} is too small, the least allowed is {least}")
        check_size(v, name)
    return result


def per_axis_word(value: object, rank: int, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """A word, or one word per axis, checked against those allowed."""
    values: tuple[Any, ...] = tuple(value) if _is_sequence(value) else (value,) * rank
    if len(values) != rank:
        raise ValueError(f"{name}: {value!r} has {len(values)} words, allowed are 1 or {rank}")
    for word in values:
        if word not in allowed:
            words = ", ".join(repr(a) for a in allowed)
            raise ValueError(f"{name}: {word!r} is not allowed, choose one of {words}")
    return values


def per_axis_pairs(value: object, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """Padding as an integer, one integer per axis, or one (low, high) pair per axis."""
    message = (
        f"{name}: {value!r} is not allowed, give an integer, one integer per axis, "
        "one (low, high) pair per axis, 'valid' or 'same'"
    )
    values = value if _is_sequence(value) else (value,) * rank
    if len(values) == 1:
        values = tuple(values) * rank
    if len(values) != rank:
        raise ValueError(f"{message}; there are {rank} spatial axes")
    pairs = []
    for entry in values:
        pair = tuple(entry) if _is_sequence(entry) else (entry, entry)
        try:
            low, high = (operator.index(v) for v in pair)
        except (TypeError, ValueError):
            raise ValueError(message) from None
        check_size(low, name)
        check_size(high, name)
        pairs.append((low, high))
    return tuple(pairs)


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def index_table(problem: Problem, axis: int) -> NDArray[np.int64]:
    """For each position a window reaches on an axis: the input element it reads.

    Entries are element numbers, `OUTSIDE` for the constant boundary value, or `HOLE` for the
    zeros of input dilation. Position 0 is the first tap of output 0.
    """
    size, step = problem.in_size[axis], problem.in_dilation[axis]
    win = window(problem.kernel[axis], problem.dilation[axis])
    length = max((out_size(problem)[axis] - 1) * problem.stride[axis] + win, 0)
    position = np.arange(length, dtype=np.int64) - problem.padding[axis][0]
    extent = dilated(size, step)
    inside = (position >= 0) & (position < extent)
    if problem.boundary[axis] != "constant" and step == 1 and size:
        return wrap_index(position, size, problem.boundary[axis])
    element = np.where(position % step == 0, position // step, HOLE)
    return np.where(inside, element, OUTSIDE)


def wrap_index(position: NDArray[np.int64], size: int, boundary: str) -> NDArray[np.int64]:
    """The element of an axis of ``size`` that each position reads under a boundary mode."""
    if boundary == "edge":
        return np.clip(position, 0, size - 1)
    if boundary == "wrap":
        return position % size
    if boundary == "symmetric":
        folded = position % (2 * size)
        return np.where(folded < size, folded, 2 * size - 1 - folded)
    if size == 1:
        return np.zeros_like(position)
    folded = position % (2 * size - 2)
    return np.where(folded < size, folded, 2 * size - 2 - folded)


def fold_padding(
    padded: Array, in_size: Sequence[int], padding: Sequence[tuple[int, int]],
    boundary: Sequence[str],
) -> Array:  # fmt: skip
    """The adjoint of padding: adds what lies in the border to the elements it was read from.

    The spatial axes are the trailing ones; sizes go from ``low + size + high`` to ``size``.
    """
    rank = len(in_size)
    for axis, (size, (low, _), mode) in enumerate(zip(in_size, padding, boundary, strict=True)):
        moved = np.moveaxis(padded, padded.ndim - rank + axis, 0)
        position = np.arange(moved.shape[0], dtype=np.int64) - low
        inside = (position >= 0) & (position < size)
        element = position if mode == "constant" else wrap_index(position, size, mode)
        keep = inside if mode == "constant" else np.ones_like(inside)
        folded = np.zeros((size, *moved.shape[1:]), dtype=padded.dtype)
        np.add.at(folded, element[keep], moved[keep])
        padded = np.moveaxis(folded, 0, padded.ndim - rank + axis)
    return padded


@dataclass(frozen=True)
class Reach:
    """What one axis of a result reads of the same axis of the input.

    Output ``i`` reads ``window`` samples from position ``i * stride - low`` on; ``boundary`` goes
    on outside the ``size`` samples there are.
    """

    size: int
    out: int
    window: int = 1
    low: int = 0
    stride: int = 1
    boundary: str = "constant"

    def positions(self, start: int, stop: int) -> tuple[int, int]:
        """The first position that the outputs from ``start`` to ``stop`` read, and the end."""
        first = start * self.stride - self.low
        last = (stop - 1) * self.stride - self.low + self.window
        turns = first // self.size if self.boundary == "wrap" else 0
        return first - turns * self.size, last - turns * self.size

    def pieces(self, start: int, stop: int) -> tuple[slice, ...]:
        """The samples that these outputs need, as slices to be joined in this order.

        Joined and padded by `padding`, with the same boundary, they give these outputs alone.
        """
        first, last = self.positions(start, stop)
        if self.boundary == "wrap" and last - first < self.size:
            ends = (slice(first, min(last, self.size)), slice(0, last - self.size))
            return ends if last > self.size else ends[:1]
        return (slice(*self._ends(first, last)),)

    def padding(self, start: int, stop: int) -> tuple[int, int]:
        """How far the windows reach beyond the joined pieces; negative where they stay inside."""
        first, last = self.positions(start, stop)
        if self.boundary == "wrap" and last - first < self.size:
            return 0, 0
        low, high = self._ends(first, last)
        return low - first, last - high

    def centre(self, output: int) -> int:
        """The position of the input that an output is about, outside the input perhaps."""
        same = self.stride == 1 and self.size == self.out
        return output if same else output * self.stride - self.low + self.window // 2

    def parted(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """The outputs that are about each part of an input of such sizes; parts without any go."""
        if not self.stride:
            return (self.out,)
        ends, end = [0], 0
        for size in sizes:
            end += size
            ends.append(min(max(-(-(end - self.centre(0)) // self.stride), ends[-1]), self.out))
        ends[-1] = self.out
        return tuple(b - a for a, b in itertools.pairwise(ends) if b > a) or (0,)

    def _ends(self, first: int, last: int) -> tuple[int, int]:
        """The samples from one position to another, with those that the boundary repeats outside.

        An end that is passed is the input's own: there the boundary is to go on, not elsewhere.
        """
        if self.boundary == "wrap":
            return 0, self.size
        low, high = max(min(first, self.size - 1), 0), min(max(last, 1), self.size)
        if first < 0:
            high = max(high, min(_folded(-first, self.boundary), self.size))
        if last > self.size:
            low = min(low, max(self.size - _folded(last - self.size, self.boundary), 0))
        return low, high


def _folded(beyond: int, boundary: str) -> int:
    """How many samples at an end of an axis the first ones beyond it repeat."""
    return {"constant": 0, "edge": 1, "symmetric": beyond, "reflect": beyond + 1}[boundary]
