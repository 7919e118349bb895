"""One file's samples convolved with one kernel: what `apply` does between reading and writing."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import multiconv as mc
from multiconv.io import Data

from . import _rules, _samples
from ._kernel_argument import Kernel

Alpha = Literal["keep", "blend"]

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

    def __init__(self, data: Data, kernel: Kernel, settings: Settings, target: Path) -> None:
        self._data, self._settings = data, settings
        self._subtype = _rules.subtype(data, settings.dtype, target)
        self._target = _rules.sample_type(data, settings.dtype)
        self._axes = _rules.axes(data, kernel)
        self._samples = self._prepared()
        self._options: dict[str, Any] = {
            "mode": settings.mode or _rules.default_mode(data, kernel),
            "boundary": settings.boundary or _rules.default_boundary(data),
            "stride": settings.stride, "dilation": settings.dilation, "axes": self._axes,
        }  # fmt: skip
        self._rate = _rules.rate(data, kernel, settings.stride)
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
        peak = float(np.max(np.abs(result), initial=0.0))
        scale, notes = full_scale(peak, self._subtype)
        result = result if scale == 1 else result / scale
        data = replace(self._data, array=result, subtype=self._subtype, rate=self._rate)
        return data, notes

    def _array(self, result: NDArray[Any]) -> tuple[Data, list[str]]:
        target = self._target or result.dtype
        samples, clipped = _samples.stored(result, self._data.array.dtype, target,
                                           self._settings.signed)  # fmt: skip
        return replace(self._data, array=samples), _clipping(clipped, target, self._settings)


def full_scale(peak: float, subtype: str | None) -> tuple[float, list[str]]:
    """What a sound is divided by, that whole numbers hold its peak; and what to say of it."""
    if subtype in ("FLOAT", "DOUBLE") or not 1 < peak < math.inf:
        return 1.0, []
    return peak, [f"the peak was {20 * math.log10(peak):+.1f} dB, scaled down to full scale"]


def _shape_of(array: NDArray[Any]) -> mc.ShapeDtype:
    return mc.ShapeDtype(array.shape, array.dtype)


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


def _clipping(shares: tuple[float, float], target: np.dtype[Any], settings: Settings) -> list[str]:
    notes = []
    below, above = shares
    if below >= NOTEWORTHY:
        unsigned = target.kind == "u" and settings.signed == "clip"
        hint = "; --signed offset or abs keeps them" if unsigned else ""
        notes.append(f"{below:.1%} of the values were below {target.name}'s least, clipped{hint}")
    if above >= NOTEWORTHY:
        notes.append(f"{above:.1%} of the values were above {target.name}'s greatest, clipped")
    return notes
