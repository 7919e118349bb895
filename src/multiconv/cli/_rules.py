"""What the kind of a file means for its convolution: axes, defaults, types and refusals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from multiconv.io import Data, format_of

from ._kernel_argument import Kernel
from ._samples import full_scale

SUBTYPES = {"uint8": "PCM_U8", "int16": "PCM_16", "int32": "PCM_32",
            "float32": "FLOAT", "float64": "DOUBLE"}  # fmt: skip
LARGEST_SUM = 2**17
"""Up to which single floats hold sums to a tenth, so that few are rounded to another neighbour."""
NEARLY_HALF = 0.49
"""How far beyond a type's ends values still are rounded to them."""


def sample_type(data: Data, asked: str | None) -> np.dtype[Any] | None:
    """The type of the result's samples; None where the engine decides."""
    if data.kind == "sound":
        return np.dtype(np.float64)
    if asked is None:
        return data.array.dtype if data.kind == "image" else None
    try:
        found = np.dtype(asked)
    except TypeError:
        raise ValueError(f"dtype: {asked!r} is no type, give one as uint8 or float32") from None
    if found.kind not in "iufc" or (found.kind == "c" and data.kind == "image"):
        raise ValueError(f"dtype: {asked!r} is not allowed, give integers or floats")
    return found


def in_singles(data: Data, kernels: Sequence[Kernel], asked: np.dtype[Any] | None) -> bool:
    """Whether single floats sum an array of integers as well as the type asked for can show."""
    source = data.array.dtype
    if data.kind != "array" or asked is None or source.kind not in "iu" or source.itemsize > 2:
        return False
    if asked.kind not in "iu" or asked.itemsize > 2:
        return asked == np.float32
    gain = math.prod(float(np.abs(kernel.array).sum()) for kernel in kernels)
    return gain * max(full_scale(source), full_scale(asked)) <= LARGEST_SUM


def stays_within(dtype: np.dtype[Any], taps: NDArray[Any]) -> bool:
    """Whether no sum of such integers can lie outside their type's range."""
    bounds = np.iinfo(dtype)
    above, below = (float(np.clip(sign * taps, 0, None).sum(dtype=float)) for sign in (1, -1))
    low, high = bounds.min * above - bounds.max * below, bounds.max * above - bounds.min * below
    return bounds.min - NEARLY_HALF <= low and high <= bounds.max + NEARLY_HALF


def subtype(data: Data, asked: str | None, target: Path) -> str | None:
    """How the file to be written stores a sound's samples."""
    form = format_of(target)
    if data.kind != "sound" or form.kind != "sound":
        return "DOUBLE"
    wanted = data.subtype if asked is None else SUBTYPES.get(asked)
    stored = str(form.load("writing").subtype_for(str(target), wanted))
    if asked is not None and stored != wanted:
        raise ValueError(
            f"dtype: {asked!r} is not allowed for sounds in {form.name} files, leave it out or "
            f"give one of {', '.join(SUBTYPES)} that they have"
        )
    return stored


def axes(data: Data, kernel: Kernel) -> tuple[int, ...]:
    """The axes to convolve: the last of space and time, as many as the kernel has."""
    spatial = data.spatial_axes
    rank = kernel.array.ndim
    if data.kind == "sound":
        _check_sound_kernel(data, kernel)
        return spatial
    if data.kind == "image" and rank == 1:
        raise ValueError(
            f"kernel: {kernel.label} has 1 axis, a picture needs 2; write a row as [[1,2,1]] and "
            "a column as [[1],[2],[1]]"
        )
    if rank > len(spatial):
        raise ValueError(
            f"kernel: {kernel.label} has {rank} axes, the input has only {len(spatial)}"
        )
    return spatial[-rank:]


def _check_sound_kernel(data: Data, kernel: Kernel) -> None:
    response = kernel.data if kernel.data is not None and kernel.data.kind == "sound" else None
    if response is None:
        if kernel.array.ndim != 1:
            raise ValueError(
                f"kernel: {kernel.label} has {kernel.array.ndim} axes, a sound needs 1"
            )
        return
    if response.rate != data.rate:
        raise ValueError(
            f"kernel: {kernel.label} has {response.rate} samples a second, the input {data.rate}; "
            "resample one of them"
        )
    if 1 not in (response.channels, data.channels) and response.channels != data.channels:
        raise ValueError(
            f"kernel: {kernel.label} has {response.channels} channels, the input {data.channels}; "
            "allowed are the same number, or 1 of either"
        )


def default_mode(data: Data, kernel: Kernel) -> str:
    response = kernel.data is not None and kernel.data.kind == "sound"
    return "full" if data.kind == "sound" and response else "same"


def default_boundary(data: Data) -> str:
    return "constant" if data.kind == "sound" else "symmetric"


def rate(data: Data, stride: int | tuple[int, ...]) -> int | None:
    """Samples a second of the result: a stride keeps fewer."""
    if data.rate is None:
        return None
    step = stride if isinstance(stride, int) else stride[0]
    if step < 1 or data.rate % step:
        raise ValueError(f"stride: {step} does not divide the {data.rate} samples a second")
    return data.rate // step
