"""The largest element under a moving window, natively."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from multiconv._geometry import check_memory
from multiconv._machine import memory_limit
from multiconv._memory import empty
from multiconv._problem import Problem, dtype_from_name
from multiconv._typing import Array
from multiconv.algorithms import _native

INNER = 16
"""Elements behind an axis that are enough to work on side by side."""

FUSED = 2**20
"""Bytes of rows under a window, beyond which rows and columns take a pass each."""


class Window(Protocol):
    """The windows along one axis of an array."""

    @property
    def number(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def taps(self) -> int: ...
    @property
    def stride(self) -> int: ...
    @property
    def dilation(self) -> int: ...
    @property
    def low(self) -> int: ...
    @property
    def length(self) -> int: ...


def can_run(dtype: np.dtype, windows: Sequence[Window]) -> bool:
    """Whether there is native code for the dtype, and windows are no longer than is worth it."""
    known = dtype.name in _native.COMPUTE or dtype.name in ("bool", "float16", "bfloat16")
    return known and all(w.taps * w.dilation <= 4 * w.size + 64 for w in windows)


def window_max(x: Array, windows: Sequence[Window]) -> Array:
    """``x`` with neighbouring axes reduced to the largest element under each of their windows."""
    if x.dtype.kind == "b":
        return window_max(x.view(np.uint8), windows).view(np.bool_)
    if x.dtype.name in ("float16", "bfloat16"):
        return window_max(x.astype(np.float32), windows).astype(x.dtype)
    x = x.astype(x.dtype.newbyteorder("="), copy=False)
    if not x.flags.aligned or any(s % x.itemsize for s in x.strides):
        x = x.copy()
    rest = list(windows)
    while rest:
        last = rest[-2:] if len(rest) == 2 and _fused(x, rest) else rest[:1]
        x = _pass(x, last)
        rest = rest[len(last) :]
    return x


def _fused(x: Array, windows: Sequence[Window]) -> bool:
    """Whether rows and columns are worth one pass."""
    down, across = windows
    behind = math.prod(x.shape[across.number + 1 :])
    return down.taps * 4 * across.taps * across.dilation * behind * x.itemsize <= FUSED


def bound_window_max(
    x: Array, windows: Sequence[Window], out: Array
) -> Callable[[], object] | None:
    """`window_max` of native floating-point numbers into ``out``, again and again.

    None where it takes more than one pass.
    """
    one = len(windows) == 1 or (len(windows) == 2 and _fused(x, windows))
    if not one or x.dtype.name not in _native.COMPUTE:
        return None
    run, source, result = _one_pass(x, windows, out)
    return _native.Run(*run, source, None, None, None, result)


def _pass(x: Array, windows: Sequence[Window]) -> Array:
    """One pass over one axis or over two."""
    first, last = windows[0].number, windows[-1].number
    shape = (*x.shape[:first], *(w.length for w in windows), *x.shape[last + 1 :])
    check_memory(shape, x.itemsize, memory_limit(), "result")
    out = empty(shape, x.dtype)
    if out.size:
        (run, weights), source, result = _one_pass(x, windows, out)
        run.run(weights, source, None, None, None, result)
    return out


def _one_pass(
    x: Array, windows: Sequence[Window], out: Array
) -> tuple[_native.Prepared, Array, Array]:
    """The kernel of one pass, and the arrays as it takes them."""
    first, last = windows[0].number, windows[-1].number
    before, behind = math.prod(x.shape[:first]), math.prod(x.shape[last + 1 :])
    both: tuple[Window | None, ...] = tuple(windows)
    if len(windows) == 2:
        view = (before, *x.shape[first : last + 1], behind)
    elif behind >= INNER:  # rows are compared as they lie
        view, both = (before, x.shape[first], behind, 1), (windows[0], None)
    else:
        view, both = (1, before, x.shape[first], behind), (None, windows[0])
    found = _kernel(x.dtype.name, view, tuple(map(_facts, both)), _native.forced_target)
    lengths = [n if w is None else w.length for n, w in zip(view[1:3], both, strict=True)]
    result = out.reshape(view[0], 1, 1, *lengths, view[3])
    return found, x.reshape(view[0], 1, 1, *view[1:]), result


def _facts(window: Window | None) -> tuple[int, ...]:
    if window is None:
        return 1, 1, 1, 0, 0
    stride = window.stride if window.length > 1 else 1
    return window.taps, stride, window.dilation, window.low, window.length


@lru_cache(maxsize=1024)
def _kernel(
    dtype: str, view: tuple[int, ...], facts: tuple[tuple[int, ...], ...], target: str
) -> _native.Prepared:
    """The native kernel, and the kernel without values that it wants."""
    size = view[1:]
    taps, stride, dilation, low, high = [], [], [], [], []
    for n, (count, step, apart, before, length) in zip(size, (*facts, _facts(None)), strict=True):
        taps.append(count)
        stride.append(step)
        dilation.append(apart)
        low.append(before)
        reach = (length - 1) * step + (count - 1) * apart + 1
        high.append(reach - n - before if length else 0)
    number = dtype_from_name(dtype)
    problem = Problem(
        in_size=size, kernel=tuple(taps), batch=view[0], stride=tuple(stride),
        dilation=tuple(dilation), padding=tuple(zip(low, high, strict=True)), x_dtype=number,
        w_dtype=number, acc_dtype=number, out_dtype=number,
    )  # fmt: skip
    found = _native.executable("window_max", problem, (0, 0, 0), target)
    blank = np.zeros((), _native.COMPUTE[dtype])
    return _native.Prepared(found, found.pack(np.broadcast_to(blank, (1, 1, 1, *taps))))
