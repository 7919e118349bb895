"""What every filter does around its kernels: axes, boundary, dtypes, the caller's library."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from multiconv._api import algorithm_for, convolve
from multiconv._arrays import Restore, restorer, to_numpy
from multiconv._conventions import ShapeDtype
from multiconv._conventions._checks import fill_value
from multiconv._errors import RefusedError
from multiconv._geometry import per_axis_word
from multiconv._problem import BOUNDARIES, PRECISIONS, accumulator
from multiconv._rounding import stored
from multiconv._typing import Array

from ._arguments import filtered_axes, place_of, whole, word
from ._result import result_dtype

LARGEST_PRODUCT = 100_000
"""Taps of the largest kernel that is made from factors; more take longer to look at than to use."""

LARGEST_GAIN = 2.0**15
"""Sum of taps up to which single floats hold sums of 8-bit samples, whole ones exactly."""

_whole: ContextVar[tuple[int, ...] | None] = ContextVar("_whole", default=None)


@contextlib.contextmanager
def part_of(shape: tuple[int, ...]) -> Iterator[None]:
    """Filter images as parts of one of this shape: by the algorithms that it would be by."""
    token = _whole.set(shape)
    try:
        yield
    finally:
        _whole.reset(token)


@dataclass(frozen=True)
class Job:
    """An image, the axes to filter, what lies outside, and how the result is to be stored."""

    x: Array
    """The image; channels that came last are first here, where a pass need not skip them."""
    axes: tuple[int, ...]
    """As the caller counts them."""
    boundary: tuple[str, ...]
    cval: Any
    dtype: np.dtype[Any]
    """Of the result."""
    work: np.dtype[Any]
    """Of the sums, where they are not whole numbers."""
    moved: bool
    """Whether the channels are not where the caller has them."""
    out: Array | None
    restore: Restore | None
    precision: str = "default"

    @classmethod
    def of(
        cls, x: Any, axes: Any, channel_axis: Any, boundary: Any, cval: Any, dtype: Any, out: Any,
        *, signed: bool, rank: int | None = None, precision: str = "default",
    ) -> Job:  # fmt: skip
        """Check the arguments that all filters have in common.

        ``signed``: whether results are slopes rather than samples, so that integers give floats.
        """
        restore, x = restorer(x), to_numpy(x, "x")
        found = filtered_axes(x.ndim, axes, channel_axis, rank)
        words = per_axis_word(boundary, len(found), "boundary", BOUNDARIES)
        result = result_dtype(x, dtype, out, signed)
        work = _work(x.dtype, result)
        fill_value(cval, work)
        moved = channel_axis is not None and channel_axis % x.ndim == x.ndim - 1
        return cls(
            np.moveaxis(x, -1, 0) if moved else x, found, words, cval, result,
            work, moved, out, restore, word("precision", precision, PRECISIONS),
        )  # fmt: skip

    @property
    def rounds_at_once(self) -> bool:
        """Whether the engine reads samples and writes results as they are, by way of floats."""
        short = self.x.dtype.itemsize <= 2 and self.dtype.itemsize <= 2
        return short and self.x.dtype.kind == self.dtype.kind == "u"

    def place(self, axis: Any) -> int:
        """Which of the filtered axes ``axis`` is; the last for None."""
        return place_of("axis", axis, self.axes, self.x.ndim)

    @property
    def zero_outside(self) -> bool:
        """Whether no value other than the image's own and 0 continues it."""
        return "constant" not in self.boundary or self.cval == 0

    def passes(
        self, factors: Sequence[Array | None], *, order: Sequence[int] | None = None,
        fills: Sequence[Any] | None = None, shifts: Sequence[int] | None = None,
        into_out: bool = False,
    ) -> Array:  # fmt: skip
        """One pass along each axis that has taps, in the axes' order unless told.

        ``fills``: the values outside, ``shifts``: how far to shift the result to the right,
        both for each axis.
        """
        kernel = None if fills or shifts else self._product(factors)
        if kernel is not None:
            return self.stencil(kernel, into_out=into_out)
        sums = self._sums([f for f in factors if f is not None])
        places = [p for p in order or range(len(factors)) if factors[p] is not None]
        result = self.x
        for place in places:
            taps = np.asarray(factors[place]).astype(sums)
            fill = self.cval if fills is None else fills[place]
            shift = 0 if shifts is None else shifts[place]
            last = into_out and place == places[-1]
            result = self._pass(result, taps, (place,), fill, shift, last)
        return result

    def stencil(self, kernel: Array, *, into_out: bool = False) -> Array:
        """One pass with a kernel over all axes, given in the axes' order."""
        places = tuple(sorted(range(len(self.axes)), key=lambda p: self.axes[p]))
        sums, result = self._sums([kernel]), None
        if self.rounds_at_once and sums != self.dtype:
            sums, result = self._float_sums(kernel), self.dtype
        taps = kernel.astype(sums).transpose(places)
        return self._pass(self.x, taps, places, self.cval, 0, into_out, result)

    def finish(self, result: Array) -> Any:
        """The result as the caller wants it: rounded where need be, in ``out``, of x's library."""
        if result is self.out:
            return result
        fresh = result is not self.x
        result = stored(result, self.dtype)
        if self.moved:
            result = np.moveaxis(result, 0, -1)
        if self.out is not None:
            self.out[...] = result
            return self.out
        result = np.ascontiguousarray(result) if fresh else result.copy()
        return result if self.restore is None else self.restore(result)

    def _pass(
        self, x: Array, taps: Array, places: tuple[int, ...], fill: Any, shift: int, last: bool,
        dtype: np.dtype[Any] | None = None,
    ) -> Array:  # fmt: skip
        """Convolve with taps along the axes at ``places``, which rise."""
        axes = [self.axes[p] + self.moved for p in places]
        # Axes that follow take part with one tap each: columns are then filtered side by side.
        shape, words = [1] * (x.ndim - axes[0]), ["constant"] * (x.ndim - axes[0])
        for axis, place, size in zip(axes, places, taps.shape, strict=True):
            shape[axis - axes[0]], words[axis - axes[0]] = size, self.boundary[place]
        options = {
            "boundary": tuple(words), "cval": fill, "dtype": dtype, "precision": self.precision,
        }  # fmt: skip
        if not shift:
            out = self._target(dtype or np.result_type(x, taps)) if last else None
            return self._convolved(x, taps.reshape(shape), "same", out, options)
        modes = ("full", *("same",) * (len(shape) - 1))
        full = self._convolved(x, taps.reshape(shape), modes, None, options)
        start = (taps.size - 1) // 2 - shift
        return full[(slice(None),) * axes[0] + (slice(start, start + x.shape[axes[0]]),)]

    def _convolved(
        self, x: Array, taps: Array, modes: Any, out: Array | None, options: dict[str, Any]
    ) -> Array:  # fmt: skip
        whole = _whole.get()
        if whole is None:
            return np.asarray(convolve(x, taps, modes, out=out, **options))
        shape = (whole[-1], *whole[:-1]) if self.moved else whole
        method = algorithm_for(convolve, ShapeDtype(shape, x.dtype), taps, mode=modes, **options)
        try:
            return np.asarray(convolve(x, taps, modes, method=method, out=out, **options))
        except RefusedError:
            return np.asarray(convolve(x, taps, modes, out=out, **options))

    def _sums(self, kernels: Sequence[Array]) -> np.dtype[Any]:
        """The taps' dtype: integers that no sum can overflow where all are whole, else floats."""
        if self.x.dtype.kind in "biu" and whole(self.cval) and all(map(_integral, kernels)):
            gain = math.prod(int(np.abs(k).sum()) for k in kernels)
            largest = max(gain, 1) * max(_largest(self.x.dtype), abs(int(self.cval)))
            for integers in (np.int16, np.int32, np.int64):
                if largest <= np.iinfo(integers).max:
                    return np.dtype(integers)
        return np.zeros(0, self.work).real.dtype

    def _product(self, factors: Sequence[Array | None]) -> Array | None:
        """The kernel of all passes, where one pass with it is the same and worth it."""
        sizes = [1 if f is None else f.size for f in factors]
        if not self.zero_outside or sum(n > 1 for n in sizes) < 2:
            return None
        if math.prod(sizes) > LARGEST_PRODUCT:
            return None
        ones = [np.ones(1) if f is None else f for f in factors]
        return np.asarray(functools.reduce(np.multiply.outer, ones))

    def _float_sums(self, kernel: Array) -> np.dtype[Any]:
        """Floats whose sums of 8-bit samples are off by far less than a half; else float64."""
        small = self.x.dtype.itemsize == 1 and float(np.abs(kernel).sum()) <= LARGEST_GAIN
        return np.dtype(np.float32 if small else np.float64)

    def _target(self, result: np.dtype[Any]) -> Array | None:
        """The caller's array, if a pass can write there without rounding."""
        if self.out is None or self.moved or self.out.dtype != result:
            return None
        return self.out


def _work(x: np.dtype[Any], result: np.dtype[Any]) -> np.dtype[Any]:
    if result.kind in "iu":
        result = np.dtype(np.float64) if x.kind in "biu" else x
    return accumulator(np.result_type(x, result))


def _integral(kernel: Array) -> bool:
    return float(kernel.flat[0]).is_integer() and bool(np.all(kernel == np.rint(kernel)))


def _largest(dtype: np.dtype[Any]) -> int:
    return 1 if dtype.kind == "b" else max(int(np.iinfo(dtype).max), -int(np.iinfo(dtype).min))
