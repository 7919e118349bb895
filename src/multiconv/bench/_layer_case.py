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
from ._results import LAST, ONE_SHOT, OURS

FUNCTIONS = {"input_grad": mc.conv_input_grad, "weight_grad": mc.conv_weight_grad}


class LayerCase(Case):
    """A layer, or one of its gradients, on values around 0."""

    @cached_property
    def spelling(self) -> Spelling:
        """The layer's forward call."""
        return spell(self.entry.problem)

    @cached_property
    def x(self) -> Array:
        """Activations, channels first."""
        return _normal(7, self.spelling.x_shape, self.entry.problem.x_dtype)

    @cached_property
    def w(self) -> Array:
        """Weights of the size that keeps activations' size."""
        problem = self.entry.problem
        shape = self.spelling.w_shape
        taps = problem.group_in * int(np.prod(problem.kernel))
        weights = _normal(8, shape, np.dtype(np.float64)) / np.sqrt(taps)
        return np.asarray(weights, problem.w_dtype)

    @cached_property
    def grad(self) -> Array:
        """The gradient at the layer's output, channels first."""
        shapes = [mc.ShapeDtype(a.shape, a.dtype) for a in (self.x, self.w)]
        shape = mc.plan(self.spelling.function, *shapes, **self.spelling.options).out_shape
        return _normal(9, shape, self.entry.problem.out_dtype)

    @property
    def plain(self) -> bool:
        """Libraries of signals have no layers."""
        return False

    def calls(self) -> dict[str, Callable[[], Any]]:
        """Prepared in both layouts, and everything at one go."""
        function, options = self.spelling.function, self.spelling.options
        first, second = self.x, self.w
        if self.entry.direction != "forward":
            function = FUNCTIONS[self.entry.direction]
            weights = self.entry.direction == "weight_grad"
            first, second = (self.x, self.grad) if weights else (self.grad, self.w)
            options = options | {"w_shape" if weights else "x_shape":
                                 self.w.shape if weights else self.x.shape}  # fmt: skip
        found: dict[str, Callable[[], Any]] = {
            ONE_SHOT: partial(function, first, second, **options)
        }
        if self.entry.direction == "weight_grad":
            return {OURS: found[ONE_SHOT]}  # there are no weights to pack
        found |= {OURS: partial(mc.plan(function, first, second, **options), first)}
        if function is not mc.conv_transpose:
            found[LAST] = self._last(function, first, second, options)
        return found

    def algorithm(self) -> str:
        """What the planner chose for the channels in front."""
        if self.entry.direction == "weight_grad":
            shapes = [mc.ShapeDtype(a.shape, a.dtype) for a in (self.x, self.grad)]
            options = self.spelling.options | {"w_shape": self.w.shape}
            return mc.plan(mc.conv_weight_grad, *shapes, **options).algorithm
        found: mc.Plan = self.calls()[OURS].func  # type: ignore[attr-defined]
        return found.algorithm

    def _last(
        self, function: Any, first: Array, second: Array, options: dict[str, Any]
    ) -> Callable[[], Any]:
        rank = self.entry.problem.rank
        options = options | {"data_format": "channels_last"}
        if "x_shape" in options:
            n, c, *size = options["x_shape"]
            options["x_shape"] = (n, *size, c)
        data = np.ascontiguousarray(np.moveaxis(first, 1, -1))
        weights = np.ascontiguousarray(second.transpose(*range(2, 2 + rank), 1, 0))
        plan = mc.plan(function, data, weights, **options)
        return lambda: np.moveaxis(plan(data), -1, 1)


def _normal(seed: int, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    drawn = np.random.default_rng(seed).standard_normal(shape, np.float32)
    values: Array = drawn.astype(dtype, copy=False)
    return values
