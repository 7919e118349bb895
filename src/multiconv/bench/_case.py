"""An entry of `problems/` with data, and our call for it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

import multiconv as mc
from multiconv._typing import Array

from ._call import Spelling, axis_modes, spell
from ._comparison import OURS
from ._problems import Entry


@dataclass(frozen=True)
class Case:
    """A problem with data.

    Peers read the arrays and the properties; all arrays are made at their first use.
    """

    entry: Entry

    @cached_property
    def spelling(self) -> Spelling:
        """The public call."""
        return spell(self.entry.problem)

    @cached_property
    def x(self) -> Array:
        """The data: any bytes, or from 0 to 1."""
        dtype = self.entry.problem.x_dtype
        rng = np.random.default_rng(7)
        shape = self.spelling.x_shape if not self.entry.filter else self.entry.problem.in_size
        if dtype.kind in "iu":
            return rng.integers(0, 256, shape).astype(dtype)
        drawn = rng.random(shape, np.float32 if dtype.itemsize == 4 else np.float64)
        values: Array = drawn.astype(dtype, copy=False)
        return values

    @cached_property
    def w(self) -> Array:
        """The kernel: from 0 to 1, or small weights where whole numbers are filtered."""
        problem = self.entry.problem
        rng = np.random.default_rng(8)
        shape = self.spelling.w_shape if not self.entry.filter else problem.kernel
        if problem.x_dtype.kind not in "iu":
            return rng.random(shape).astype(problem.w_dtype)
        weights = rng.integers(-3, 4, shape)
        if problem.w_dtype.kind in "iu":
            return weights.astype(problem.w_dtype)
        scaled: Array = (weights / np.abs(weights).sum()).astype(problem.w_dtype)
        return scaled

    @cached_property
    def mode(self) -> str | None:
        """``same``, ``full`` or ``valid`` on all axes, else None."""
        modes = axis_modes(self.entry.problem)
        return modes[0] if modes is not None and len(set(modes)) == 1 else None

    @cached_property
    def boundary(self) -> str:
        """The word for all axes, of filters and plain convolutions."""
        return self.entry.problem.boundary[0]

    @cached_property
    def plain(self) -> bool:
        """Whether any library of signals could do it: one channel, every output."""
        p = self.entry.problem
        channels = max(p.groups, p.in_channels, p.out_channels)
        return not self.entry.filter and channels * max(p.stride) * max(p.dilation) == 1

    @cached_property
    def filter(self) -> tuple[str, dict[str, Any]]:
        """The filter's name and its parameters."""
        name, _, words = self.entry.filter.partition(":")
        pairs = (word.split("=") for word in words.split(",") if word)
        return name, {key: _value(text) for key, text in pairs}

    @property
    def samples(self) -> int:
        """Samples of the data."""
        return self.entry.problem.batch * math.prod(self.entry.problem.in_size)

    def calls(self) -> dict[str, Callable[[], Any]]:
        """Our public calls by name, a fresh result each time."""
        return {OURS: self._call()}

    def _call(self) -> Callable[[], Any]:
        name, parameters = self.filter
        if not name:
            options = self.spelling.options
            if self.spelling.function is mc.convolve:
                options = {k: v for k, v in options.items() if (k, v) != ("mode", "full")}
            return partial(self.spelling.function, self.x, self.w, **options)
        if name == "stencil":
            options = {"boundary": self.boundary, "dtype": self.x.dtype}
            return partial(mc.convolve, self.x, self.w, "same", **options)
        options = parameters | {"boundary": self.boundary}
        if self.entry.problem.out_dtype != self.x.dtype:
            options["dtype"] = self.entry.problem.out_dtype
        return partial(getattr(mc.filters, name), self.x, **options)

    def algorithm(self) -> str:
        """What the planner chose; nothing for filters, which may have several plans."""
        if self.entry.filter:
            return ""
        return mc.plan(self.spelling.function, self.x, self.w, **self.spelling.options).algorithm


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
