"""What becomes of a file's samples: prepared, convolved with one kernel after the other, stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import multiconv as mc
from multiconv._blocks import Blocks
from multiconv.io import Data

from . import _rules, _samples
from ._kernel_argument import Kernel

Alpha = Literal["keep", "blend"]
Shares = tuple[float, float]


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
class Step:
    """One convolution of a recipe.

    Attributes
    ----------
    taps : ndarray
        The kernel, of as many axes as the samples.
    options : dict
        Of `multiconv.convolve`.
    blocks : Blocks
        The same on samples of any size.
    source : ShapeDtype
        What it is applied to.
    """

    taps: NDArray[Any]
    options: dict[str, Any]
    blocks: Blocks
    source: mc.ShapeDtype

    def of_opacity(self) -> Step:
        """The same move and thinning without mixing, of one channel."""
        impulse = np.zeros(self.taps.shape, self.taps.dtype)
        impulse[tuple((n - 1) // 2 for n in impulse.shape)] = 1
        source = mc.ShapeDtype((*self.source.shape[:-1], 1), self.source.dtype)
        options = self.options | {"method": "auto"}
        return _step(impulse, options, source)


class Recipe:
    """All that is done to the samples of one kind of file.

    Parameters
    ----------
    data : Data
        Shape, dtype and meaning of the samples; the samples themselves do not count.
    kernels : sequence of Kernel
        What they are convolved with, in this order; results are rounded after the last.
    settings : Settings
        Mode, boundary and dilation are every kernel's, the stride is the last's.
    target : Path
        Where the result goes; its suffix decides how a sound is stored.

    Attributes
    ----------
    steps : tuple of Step
        One convolution for each kernel.
    target : dtype
        Of the result's samples.
    shape : tuple of int
        Of the result, opacity included.
    """

    def __init__(
        self, data: Data, kernels: Sequence[Kernel], settings: Settings, target: Path
    ) -> None:
        self.settings = settings
        self.source = data.array.dtype
        self.subtype = _rules.subtype(data, settings.dtype, target)
        asked = _rules.sample_type(data, settings.dtype)
        self.kind = data.kind
        self.kept_opacity = data.kind == "image" and data.alpha and settings.alpha == "keep"
        self.blended = data.kind == "image" and data.alpha and settings.alpha == "blend"
        self.steps = self._steps(data, kernels, asked)
        self.target: np.dtype[Any] = asked or self.steps[-1].blocks.dtype
        shape = self.steps[-1].blocks.shape
        self.shape = (*shape[:-1], shape[-1] + 1) if self.kept_opacity else shape

    def prepared(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Samples as they are convolved: floats for pictures, without opacity that is kept."""
        if self.kind != "image":
            return samples
        samples = _samples.working(samples)
        if self.blended:
            return _samples.premultiplied(samples, _samples.full_scale(self.source))
        return samples[..., :-1] if self.kept_opacity else samples

    def opacity(self, samples: NDArray[Any]) -> NDArray[Any]:
        """The opacity that is kept, as it is moved and thinned."""
        return _samples.working(samples[..., -1:])

    def finished(
        self, result: NDArray[Any], opacity: NDArray[Any] | None
    ) -> tuple[NDArray[Any], Shares]:
        """Results as samples of a file, and the shares clipped from below and above."""
        if self.blended:
            result = _samples.straight(result, _samples.full_scale(self.source))
            result, opacity = result[..., :-1], result[..., -1:]
        samples, clipped = self._stored(result, self.settings.signed)
        if opacity is None:
            return samples, clipped
        return np.concatenate([samples, self._stored(opacity, "clip")[0]], axis=-1), clipped

    def _stored(self, values: NDArray[Any], signed: _samples.Signed) -> tuple[NDArray[Any], Shares]:
        return _samples.stored(values, self.source, self.target, signed)

    def _steps(
        self, data: Data, kernels: Sequence[Kernel], asked: np.dtype[Any] | None
    ) -> tuple[Step, ...]:
        shape, dtype = data.array.shape, data.array.dtype
        if data.kind == "image":
            dtype = _samples.working_type(dtype)
        if self.kept_opacity:
            shape = (*shape[:-1], shape[-1] - 1)
        singles = _rules.in_singles(data, kernels, asked)
        at_once = singles and asked == dtype and self.settings.signed == "clip"
        steps: list[Step] = []
        for place, kernel in enumerate(kernels):
            axes = _rules.axes(data, kernel)
            taps = _fitted(kernel.array, dtype, len(shape), axes)
            if singles and taps.dtype == np.float64:
                taps = taps.astype(np.float32)
            last = place == len(kernels) - 1
            options = {
                "mode": self.settings.mode or _rules.default_mode(data, kernel),
                "boundary": self.settings.boundary or _rules.default_boundary(data),
                "stride": self.settings.stride if last else 1,
                "dilation": self.settings.dilation, "axes": axes, "method": self.settings.method,
                **_result(data, asked, dtype, taps, at_once and len(kernels) == 1),
            }  # fmt: skip
            steps.append(_step(taps, options, mc.ShapeDtype(shape, dtype)))
            shape, dtype = steps[-1].blocks.shape, steps[-1].blocks.dtype
        return tuple(steps)


def _step(taps: NDArray[Any], options: dict[str, Any], source: mc.ShapeDtype) -> Step:
    blocks = Blocks(mc.convolve, source.shape, source.dtype, taps, **options)
    return Step(taps, options, blocks, source)


def _result(
    data: Data, asked: np.dtype[Any] | None, dtype: np.dtype[Any], taps: NDArray[Any],
    at_once: bool,
) -> dict[str, Any]:  # fmt: skip
    """The result type asked for of an array, where the engine may sum in it or round to it."""
    if data.kind != "array" or asked is None:
        return {}
    if at_once and taps.dtype.kind == "f" and _rules.stays_within(asked, taps):
        return {"dtype": asked}
    return {"dtype": asked} if np.can_cast(np.result_type(dtype, taps), asked) else {}


def _fitted(
    taps: NDArray[Any], dtype: np.dtype[Any], ndim: int, axes: tuple[int, ...]
) -> NDArray[Any]:
    """Taps in the samples' precision, so that they do not widen it, and with as many axes."""
    if dtype.kind in "fc" and taps.dtype.kind != "c":
        taps = taps.astype(np.zeros((), dtype).real.dtype)
    if taps.ndim == ndim:
        return taps
    shape = [1] * ndim
    for axis, n in zip(axes, taps.shape, strict=True):
        shape[axis] = n
    return taps.reshape(shape)
