"""Where the gradient of the largest element under a moving window goes, natively."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from multiconv._geometry import adjoint_padding, window
from multiconv._memory import empty
from multiconv._problem import Problem, dtype_from_name
from multiconv._typing import Array
from multiconv._window_max import Window
from multiconv.algorithms import _native


def window_max_gradient(
    grad: Array, x: Array, windows: Sequence[Window], channels_last: bool
) -> Array:
    """The gradient in ``x`` of what `window_max` makes of it.

    Parameters
    ----------
    grad : array
        Of the shape of the windows' maxima.
    x : array
        Floating-point numbers.
    windows : sequence of Window
        Along neighbouring axes.
    channels_last : bool
        Whether there is an axis behind the windows' axes.
    """
    if x.dtype.name not in ("float32", "float64"):
        wide = np.dtype(np.float32 if x.dtype.itemsize == 2 else np.float64)
        return window_max_gradient(
            grad.astype(wide), x.astype(wide), windows, channels_last
        ).astype(x.dtype)
    grad, x = (_native_floats(a, x.dtype) for a in (grad, x))
    out = empty(x.shape, x.dtype)
    if x.size == 0:
        return out
    views = [_channels_first(a, windows, channels_last) for a in (grad, x, out)]
    facts = tuple((w.size, w.taps, w.stride, w.dilation, w.low, w.length) for w in windows)
    run = _prepared(x.dtype.name, views[1].shape[:2], facts, _native.forced_target)
    run.executable.run(run.packed, views[0], None, None, views[1], views[2])
    return out


def _native_floats(array: Array, dtype: np.dtype) -> Array:
    array = array.astype(dtype.newbyteorder("="), copy=False)
    whole = array.flags.aligned and all(s % array.itemsize == 0 for s in array.strides)
    return array if whole else array.copy()


def _channels_first(array: Array, windows: Sequence[Window], channels_last: bool) -> Array:
    """A view of shape (batch, channels, 1, *spatial)."""
    first, last = windows[0].number, windows[-1].number
    if channels_last:
        array = np.moveaxis(array, last + 1, first)
        first, last = first + 1, last + 1
    batched = array if first == 2 else array[None]
    return batched[:, :, None]


@lru_cache(maxsize=1024)
def _prepared(
    dtype: str, lead: tuple[int, int], facts: tuple[tuple[int, ...], ...], target: str
) -> _native.Prepared:
    """The native kernel for the adjoint of pooling, and the kernel without values it wants."""
    size, taps, stride, dilation, low, length = zip(*facts, strict=True)
    number, (batch, channels) = dtype_from_name(dtype), lead
    padding = tuple(
        adjoint_padding(n, g, window(k, d), s, lo)
        for n, g, k, d, s, lo in zip(size, length, taps, dilation, stride, low, strict=True)
    )
    problem = Problem(
        in_size=length, kernel=taps, batch=batch, groups=channels, in_channels=channels,
        out_channels=channels, in_dilation=stride, dilation=dilation, padding=padding,
        residual=True, x_dtype=number, w_dtype=number, acc_dtype=number, out_dtype=number,
    )  # fmt: skip
    found = _native.executable("window_max_gradient", problem, (0,) * len(taps), target)
    if found.refusal:
        raise ValueError(f"size: {found.refusal}")
    blank = np.zeros((), np.dtype(dtype))
    return _native.Prepared(found, found.pack(np.broadcast_to(blank, (channels, 1, 1, *taps))))
