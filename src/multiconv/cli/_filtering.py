"""One file's samples convolved with one kernel: what `apply` does between reading and writing."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import multiconv as mc
from multiconv.io import Data

from . import _samples
from ._kernel_argument import Kernel

Alpha = Literal["keep", "blend"]
SUBTYPES = {"uint8": "PCM_U8", "int16": "PCM_16", "int32": "PCM_32",
            "float32": "FLOAT", "float64": "DOUBLE"}  # fmt: skip

NOTEWORTHY = 0.001  # share of clipped values


@dataclass(frozen=True)
class Settings:
    """The options of `apply`; None lets the kind of file decide."""

    mode: str | None = None
    boundary: str | None = None
    stride: int | tuple[int, ...] = 1
    dilation: int | tuple[int, ...] = 1
    dtype: str | None = None
    method: str = "auto"
    signed: _samples.Signed = "clip"
    alpha: Alpha = "keep"


@dataclass(frozen=True)
class Outcome:
    """The result and what people should know of it."""

    data: Data
    seconds: float
    notes: list[str] = field(default_factory=list)


class Job:
    """A planned convolution of a file's samples.

    Attributes
    ----------
    plan : Plan
        How it will be computed.
    prototype : Data
        The result's kind and dtype, to be checked against the output's format beforehand.
    """

    def __init__(self, data: Data, kernel: Kernel, settings: Settings) -> None:
        self._data, self._settings = data, settings
        self._target = _target(data, settings.dtype)
        self._axes = _axes(data, kernel)
        self._samples = self._prepared()
        self._options: dict[str, Any] = {
            "mode": settings.mode or _default_mode(data, kernel),
            "boundary": settings.boundary or _default_boundary(data),
            "stride": settings.stride, "dilation": settings.dilation, "axes": self._axes,
        }  # fmt: skip
        self._rate = _rate(data, kernel, settings.stride)
        self._taps = _fitted(kernel.array, self._samples, self._axes)
        widened = {"dtype": self._target} if self._widens() else {}
        self.plan = mc.plan(mc.convolve, _shape_of(self._samples), self._taps,
                            method=settings.method, **self._options, **widened)  # fmt: skip
        array = np.broadcast_to(np.zeros((), self._target or self.plan.problem.out_dtype),
                                data.array.shape)  # fmt: skip
        self.prototype = replace(data, array=array)

    def run(self) -> Outcome:
        """Compute, and make the result the samples of a file."""
        start = time.perf_counter()
        result = self.plan(self._samples)
        seconds = time.perf_counter() - start
        finish = {"image": self._picture, "sound": self._sound, "array": self._array}
        data, notes = finish[self._data.kind](result)
        return Outcome(data, seconds, notes)

    def _prepared(self) -> NDArray[Any]:
        data = self._data
        if data.kind != "image":
            return data.array
        samples = _samples.working(data.array)
        if not data.alpha:
            return samples
        if self._settings.alpha == "blend":
            return _samples.premultiplied(samples, _samples.full_scale(data.array.dtype))
        return samples[..., :-1]

    def _widens(self) -> bool:
        """Whether the result type asked for of an array is one that the engine may sum in."""
        if self._data.kind != "array" or self._target is None:
            return False
        return np.can_cast(np.result_type(self._samples, self._taps), self._target)

    def _picture(self, result: NDArray[Any]) -> tuple[Data, list[str]]:
        data, source, target = self._data, self._data.array.dtype, self._target
        assert target is not None
        full = _samples.full_scale(source)
        blended = data.alpha and self._settings.alpha == "blend"
        colours, opacity = result, None
        if blended:
            result = _samples.straight(result, full)
            colours, opacity = result[..., :-1], result[..., -1:]
        elif data.alpha:
            opacity = self._opacity_in_place()
        samples, clipped = _samples.stored(colours, source, target, self._settings.signed)
        if opacity is not None:
            extra, _ = _samples.stored(opacity, source, target, "clip")
            samples = np.concatenate([samples, extra], axis=-1)
        return replace(data, array=samples), _clipping(clipped, target, self._settings)

    def _opacity_in_place(self) -> NDArray[Any]:
        """Opacity moved and thinned as the colours are, but not mixed."""
        impulse = np.zeros(self._taps.shape, self._taps.dtype)
        impulse[tuple((n - 1) // 2 for n in impulse.shape)] = 1
        opacity = _samples.working(self._data.array[..., -1:])
        return np.asarray(mc.convolve(opacity, impulse, **self._options))

    def _sound(self, result: NDArray[Any]) -> tuple[Data, list[str]]:
        data, asked = self._data, self._settings.dtype
        subtype = SUBTYPES[asked] if asked else data.subtype
        notes = []
        peak = float(np.max(np.abs(result), initial=0.0))
        if peak > 1 and math.isfinite(peak) and subtype not in ("FLOAT", "DOUBLE"):
            result = result / peak
            notes.append(f"the peak was {20 * math.log10(peak):+.1f} dB, scaled down to full scale")
        return replace(data, array=result, subtype=subtype, rate=self._rate), notes

    def _array(self, result: NDArray[Any]) -> tuple[Data, list[str]]:
        target = self._target or result.dtype
        samples, clipped = _samples.stored(result, self._data.array.dtype, target,
                                           self._settings.signed)  # fmt: skip
        return replace(self._data, array=samples), _clipping(clipped, target, self._settings)


def _shape_of(array: NDArray[Any]) -> mc.ShapeDtype:
    return mc.ShapeDtype(array.shape, array.dtype)


def _target(data: Data, asked: str | None) -> np.dtype[Any] | None:
    """The type of the result's samples; None where the engine decides."""
    if data.kind == "sound":
        if asked is not None and asked not in SUBTYPES:
            raise ValueError(f"dtype: {asked!r} is not allowed for sounds, give one of "
                             f"{', '.join(SUBTYPES)}")  # fmt: skip
        return np.dtype(np.float64)
    if asked is None:
        return data.array.dtype if data.kind == "image" else None
    try:
        target = np.dtype(asked)
    except TypeError:
        raise ValueError(f"dtype: {asked!r} is no type, give one as uint8 or float32") from None
    if target.kind not in "iufc" or (target.kind == "c" and data.kind == "image"):
        raise ValueError(f"dtype: {asked!r} is not allowed, give integers or floats")
    return target


def _axes(data: Data, kernel: Kernel) -> tuple[int, ...]:
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


def _fitted(taps: NDArray[Any], samples: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """Taps in the samples' precision, so that they do not widen it, and with as many axes."""
    if samples.dtype.kind in "fc" and taps.dtype.kind != "c":
        taps = taps.astype(samples.real.dtype)
    if taps.ndim == samples.ndim:
        return taps
    shape = [1] * samples.ndim
    for axis, n in zip(axes, taps.shape, strict=True):
        shape[axis] = n
    return taps.reshape(shape)


def _default_mode(data: Data, kernel: Kernel) -> str:
    response = kernel.data is not None and kernel.data.kind == "sound"
    return "full" if data.kind == "sound" and response else "same"


def _default_boundary(data: Data) -> str:
    return "constant" if data.kind == "sound" else "symmetric"


def _rate(data: Data, kernel: Kernel, stride: int | tuple[int, ...]) -> int | None:
    """Samples a second of the result: a stride keeps fewer."""
    if data.rate is None:
        return None
    step = stride if isinstance(stride, int) else stride[0]
    if step < 1 or data.rate % step:
        raise ValueError(f"stride: {step} does not divide the {data.rate} samples a second")
    return data.rate // step


def _clipping(
    shares: tuple[float, float], target: np.dtype[Any], settings: Settings
) -> list[str]:
    notes = []
    below, above = shares
    if below >= NOTEWORTHY:
        unsigned = target.kind == "u" and settings.signed == "clip"
        hint = "; --signed offset or abs keeps them" if unsigned else ""
        notes.append(f"{below:.1%} of the values were below {target.name}'s least, clipped{hint}")
    if above >= NOTEWORTHY:
        notes.append(f"{above:.1%} of the values were above {target.name}'s greatest, clipped")
    return notes
