"""One file's samples convolved as a whole: what `apply` does between reading and writing."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import multiconv as mc
from multiconv.io import Data, virtual

from . import _rules
from ._kernel_argument import Kernel
from ._recipe import Recipe, Settings, Shares

NOTEWORTHY = 0.001  # share of clipped values


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
    plans : tuple of Plan
        How it will be computed, kernel by kernel.
    prototype : Data
        The result's kind and dtype, to be checked against the output's format beforehand.
    """

    def __init__(
        self, data: Data, kernels: Sequence[Kernel], settings: Settings, target: Path
    ) -> None:
        self._data = data
        self._recipe = Recipe(data, kernels, settings, target)
        self._rate = _rules.rate(data, settings.stride)
        self.plans = tuple(
            mc.plan(mc.convolve, step.source, step.taps, **step.options)
            for step in self._recipe.steps
        )
        self.prototype = replace(data, array=virtual(data.array.shape, self._recipe.target))

    @property
    def method(self) -> str:
        """The algorithms that compute it."""
        return " | ".join(plan.algorithm for plan in self.plans)

    def run(self) -> Outcome:
        """Compute, and make the result the samples of a file."""
        start = time.perf_counter()
        result = self._recipe.prepared(self._data.array)
        for plan in self.plans:
            result = plan(result)
        seconds = time.perf_counter() - start
        if self._data.kind == "sound":
            return Outcome(*self._sound(result, seconds))
        samples, clipped = self._recipe.finished(result, self._opacity())
        notes = clipping(clipped, self._recipe)
        return Outcome(replace(self._data, array=samples), seconds, notes)

    def _opacity(self) -> NDArray[Any] | None:
        """Opacity moved and thinned as the colours are, but not mixed."""
        if not self._recipe.kept_opacity:
            return None
        opacity = self._recipe.opacity(self._data.array)
        for step in self._recipe.steps:
            alike = step.of_opacity()
            opacity = np.asarray(mc.convolve(opacity, alike.taps, **alike.options))
        return opacity

    def _sound(self, result: NDArray[Any], seconds: float) -> tuple[Data, float, list[str]]:
        peak = float(np.max(np.abs(result), initial=0.0))
        scale, notes = full_scale(peak, self._recipe.subtype)
        result = result if scale == 1 else result / scale
        data = replace(self._data, array=result, subtype=self._recipe.subtype, rate=self._rate)
        return data, seconds, notes


def full_scale(peak: float, subtype: str | None) -> tuple[float, list[str]]:
    """What a sound is divided by, that whole numbers hold its peak; and what to say of it."""
    if subtype in ("FLOAT", "DOUBLE") or not 1 < peak < math.inf:
        return 1.0, []
    return peak, [f"the peak was {20 * math.log10(peak):+.1f} dB, scaled down to full scale"]


def clipping(shares: Shares, recipe: Recipe) -> list[str]:
    """What to say of values that were clipped."""
    notes, name = [], recipe.target.name
    below, above = shares
    if below >= NOTEWORTHY:
        unsigned = recipe.target.kind == "u" and recipe.settings.signed == "clip"
        hint = "; --signed offset or abs keeps them" if unsigned else ""
        notes.append(f"{below:.1%} of the values were below {name}'s least, clipped{hint}")
    if above >= NOTEWORTHY:
        notes.append(f"{above:.1%} of the values were above {name}'s greatest, clipped")
    return notes
