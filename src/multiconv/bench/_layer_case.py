"""A layer with data: its weights packed beforehand, in both layouts, and the call at one go."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

import multiconv as mc
from multiconv._typing import Array

from ._call import Spelling, spell
from ._case import Case
from ._comparison import OURS
from ._results import LAST, ONE_SHOT

LINE = 64
"""Bytes of a line of the cache."""


class LayerCase(Case):
    """A layer, or one of its gradients, on values around 0."""

    @cached_property
    def spelling(self) -> Spelling:
        """The layer's forward call."""
        return spell(self.entry.problem)

    @cached_property
    def x(self) -> Array:
        """Activations, channels first."""
        return _drawn(7, self.spelling.x_shape, self.entry.problem.x_dtype)

    @cached_property
    def w(self) -> Array:
        """Weights of the size that keeps activations' size."""
        problem = self.entry.problem
        shape = self.spelling.w_shape
        if problem.w_dtype.kind in "iu":
            return _drawn(8, shape, problem.w_dtype)
        taps = problem.group_in * int(np.prod(problem.kernel))
        weights = _drawn(8, shape, np.dtype(np.float64)) / np.sqrt(taps)
        return np.asarray(weights, problem.w_dtype)

    @cached_property
    def grad(self) -> Array:
        """The gradient at the layer's output, channels first."""
        shapes = [mc.ShapeDtype(a.shape, a.dtype) for a in (self.x, self.w)]
        shape = mc.plan(self.spelling.function, *shapes, **self.spelling.options).out_shape
        return _drawn(9, shape, self.entry.problem.out_dtype)

    @property
    def plain(self) -> bool:
        """Libraries of signals have no layers."""
        return False

    @cached_property
    def call(self) -> tuple[Callable[..., Any], Array, Array, dict[str, Any]]:
        """The public function, its two arrays and its options."""
        function, options = self.spelling.function, self.spelling.options
        match self.entry.direction:
            case "input_grad":
                options = options | {"x_shape": self.x.shape}
                return mc.conv_input_grad, self.grad, self.w, options
            case "weight_grad":
                options = options | {"w_shape": self.w.shape}
                return mc.conv_weight_grad, self.x, self.grad, options
        return function, self.x, self.w, options

    @cached_property
    def plan(self) -> mc.Plan:
        """Of the channels in front; it holds the second array, prepared."""
        function, first, second, options = self.call
        return mc.plan(function, first, second, **options)

    def calls(self) -> dict[str, Callable[[], Any]]:
        """Prepared in both layouts, and everything at one go."""
        function, first, second, options = self.call
        at_once = partial(function, first, second, **options)
        if self.entry.direction == "weight_grad":
            return {OURS: at_once}  # there are no weights to pack
        last = self._last(function, first, second, options)
        return {ONE_SHOT: at_once, OURS: partial(self.plan, first), LAST: last}

    def algorithm(self) -> str:
        """What the planner chose for the channels in front."""
        return self.plan.algorithm

    def _last(
        self, function: Any, first: Array, second: Array, options: dict[str, Any]
    ) -> Callable[[], Any]:
        rank = self.entry.problem.rank
        options = options | {"data_format": "channels_last"}
        if "x_shape" in options:
            n, c, *size = options["x_shape"]
            options["x_shape"] = (n, *size, c)
        data = _placed(np.moveaxis(first, 1, -1))
        weights = np.ascontiguousarray(second.transpose(*range(2, 2 + rank), 1, 0))
        plan = mc.plan(function, data, weights, **options)
        return lambda: np.moveaxis(plan(data), -1, 1)


def _drawn(seed: int, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Any integers, or normal floats."""
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        whole = np.random.default_rng(seed).integers(bounds.min, bounds.max + 1, shape)
        return _placed(np.asarray(whole, dtype))
    drawn = np.random.default_rng(seed).standard_normal(shape, np.float32)
    return _placed(drawn.astype(dtype, copy=False))


def _placed(values: Array) -> Array:
    """A copy that begins on a line of the cache, as all tensors of frameworks do."""
    memory = np.empty(values.nbytes + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    copy = memory[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy
