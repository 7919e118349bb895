"""What a stream is given: kernels, block sizes and blocks, checked and brought into one form."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from multiconv import _arrays
from multiconv._typing import Array

DTYPES = ("float32", "float64", "complex64", "complex128")


class Form(NamedTuple):
    """How channels are connected: groups that do not see each other, the same in each."""

    groups: int
    outputs: int
    inputs: int

    @property
    def channels_in(self) -> int:
        """Channels of a block."""
        return self.groups * self.inputs

    @property
    def channels_out(self) -> int:
        """Channels of a result."""
        return self.groups * self.outputs


def kernel(h: Any) -> Array:
    """``h`` as an array of one to three axes with finite taps."""
    taps = _arrays.to_numpy(h, "h")
    if not 1 <= taps.ndim <= 3:
        raise ValueError(
            f"h: has {taps.ndim} axes, allowed are (taps,), (channels, taps) and (out, in, taps)"
        )
    if not taps.size:
        raise ValueError(f"h: is empty (shape {taps.shape}), give at least one tap")
    if not np.isfinite(taps).all():
        raise ValueError("h: has NaN or infinite taps, allowed are finite ones")
    return taps


def form(taps: Array, channels: Any) -> Form:
    """How a kernel connects ``channels``, which may be None where the kernel says how many."""
    if channels is not None:
        channels = positive(channels, "channels")
    if taps.ndim == 1:
        return Form(channels or 1, 1, 1)
    found = Form(len(taps), 1, 1) if taps.ndim == 2 else Form(1, *taps.shape[:2])
    if channels not in (None, found.channels_in):
        raise ValueError(
            f"channels: {channels} do not go with h of shape {taps.shape}, which takes "
            f"{found.channels_in}"
        )
    return found


def grouped(taps: Array, form: Form) -> Array:
    """``(groups, outputs, inputs, taps)`` of a kernel; one for all channels is not repeated."""
    shape = {1: (1, 1, 1), 2: (form.groups, 1, 1), 3: (1, form.outputs, form.inputs)}[taps.ndim]
    return np.broadcast_to(taps.reshape(*shape, -1), (*form, taps.shape[-1]))


def sample_type(taps: Array, asked: Any) -> np.dtype[Any]:
    """The type that a stream computes in."""
    found = np.result_type(taps, np.float32) if asked is None else np.dtype(asked)
    if found.name not in DTYPES:
        given = f"h: dtype {taps.dtype}" if asked is None else f"dtype: {found}"
        raise TypeError(f"{given} is not allowed, give one of {', '.join(DTYPES)}")
    return found


def fitted(taps: Array, dtype: np.dtype[Any]) -> Array:
    """Taps in a stream's type; complex ones do not become real."""
    if taps.dtype.kind == "c" and dtype.kind != "c":
        raise TypeError(f"h: dtype {taps.dtype} is not allowed in a stream of {dtype}")
    return taps.astype(dtype, copy=False)


def positive(value: Any, name: str) -> int:
    """A whole number from 1."""
    return _whole(value, name, 1)


def natural(value: Any, name: str) -> int:
    """A whole number from 0."""
    return _whole(value, name, 0)


def _whole(value: Any, name: str, least: int) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {value!r} is not allowed, give a whole number") from None
    if number < least:
        raise ValueError(f"{name}: {number} is not allowed, give {least} or more")
    return number


def samples(block: Any, channels: int, dtype: np.dtype[Any]) -> Array:
    """A block as an array of ``dtype`` or of one that ``dtype`` holds."""
    array = _arrays.to_numpy(block, "block")
    if not np.can_cast(array.dtype, dtype):
        wider = np.result_type(array.dtype, dtype).name
        remedy = f", or make the stream with dtype={wider!r}" if wider in DTYPES else ""
        raise TypeError(
            f"block: dtype {array.dtype} does not fit into the stream's {dtype}, convert it{remedy}"
        )
    if array.ndim == 1 and channels == 1:
        return array
    if array.ndim != 2 or array.shape[1] != channels:
        also = "(samples,) or " if channels == 1 else ""
        raise ValueError(
            f"block: shape {array.shape} is not allowed, give {also}(samples, {channels})"
        )
    return array
