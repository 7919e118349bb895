"""Steps bound to memory: where results between them lie, and the calls that compute them.

Results lie in a few pieces of memory, each used again as soon as it is free, so that what a step
reads is still in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from multiconv import ShapeDtype
from multiconv._memory import empty
from multiconv._plan import Plan
from multiconv._typing import Array
from multiconv.torch import _views as views
from multiconv.torch._compile._step import Step
from multiconv.torch._packed import Packed

LARGEST = 1 << 30
"""Bytes between steps from which on no memory is kept for them."""


class UnfitError(Exception):
    """The steps cannot be bound to memory."""


@dataclass(frozen=True)
class Part:
    """A step and the places of its tensors: outer ones are counted first, then results."""

    step: Step
    residual: int | None
    x: int
    weights: tuple[int | None, ...]

    @property
    def packed(self) -> Packed:
        """Where its prepared kernels are kept."""
        assert self.step.packed is not None
        return self.step.packed

    def tensors(self, outer: tuple[Tensor, ...]) -> tuple[Any, ...]:
        """The kernel, and what bias and scale are made from."""
        return tuple(None if i is None else outer[i] for i in self.weights)


def data_from_outside(parts: list[Part], outside: int) -> list[int]:
    """The places of the tensors from outside that steps read as data."""
    read = {i for part in parts for i in (part.x, part.residual) if i is not None}
    return sorted(i for i in read if i < outside)


@dataclass(frozen=True)
class _Call:
    """A step of a program, bound to memory if all its data stay where they are."""

    plan: Plan
    x: int
    residual: int | None
    result: int
    bound: Callable[[], object] | None

    def __call__(self, arrays: dict[int, Array]) -> None:
        if self.bound is not None:
            self.bound()
            return
        epilogue = self.plan.epilogue
        if self.residual is not None:
            epilogue = epilogue._replace(residual=arrays[self.residual])
        self.plan.run(arrays[self.x], None, epilogue, arrays[self.result])


class Program:
    """The steps for outer tensors of one format.

    Raises
    ------
    UnfitError
        If they cannot be bound.
    """

    def __init__(self, parts: list[Part], results: list[int], outer: tuple[Tensor, ...]) -> None:
        self._parts, self._results, self._first = parts, results, len(outer)
        self._last = any(part.step.wants_last for part in parts) or views.is_last(outer[parts[0].x])
        self._kernels = [part.packed.plans_of(*part.tensors(outer)) for part in parts]
        self._plans = self._planned(outer)
        self._kept = self._placed()
        self._calls = [self._call(n) for n in range(len(parts))]
        self._data = data_from_outside(parts, self._first)

    def is_still(self, outer: tuple[Tensor, ...]) -> bool:
        """Whether the kernels are as they were."""
        return all(
            part.packed.plans_of(*part.tensors(outer)) is kernels
            for part, kernels in zip(self._parts, self._kernels, strict=True)
        )

    def run(self, outer: tuple[Tensor, ...]) -> list[Tensor]:
        """The results that are handed out."""
        arrays = dict(self._kept)
        for i in self._data:
            arrays[i] = np.ascontiguousarray(views.data(outer[i], self._last))
        for i in self._results:
            plan = self._plans[i - self._first]
            arrays[i] = empty(plan.out_shape, plan.problem.out_dtype)
        for call in self._calls:
            call(arrays)
        like = outer[self._data[0]]
        return [views.result(arrays[i], like, self._last) for i in self._results]

    def _planned(self, outer: tuple[Tensor, ...]) -> list[Plan]:
        plans: list[Plan] = []
        for part in self._parts:
            residual = None if part.residual is None else self._shape(part.residual, outer, plans)
            x = self._shape(part.x, outer, plans)
            weights = part.tensors(outer)
            options = part.step.options
            plans.append(part.packed.plan(x, self._last, *weights, residual=residual, **options))
        return plans

    def _shape(self, place: int, outer: tuple[Tensor, ...], plans: list[Plan]) -> ShapeDtype:
        if place >= self._first:
            plan = plans[place - self._first]
            return ShapeDtype(plan.out_shape, plan.problem.out_dtype)
        tensor = outer[place]
        sizes = views.shape(tuple(tensor.shape), self._last)
        return ShapeDtype(sizes, str(tensor.dtype).removeprefix("torch."))

    def _placed(self) -> dict[int, Array]:
        """Memory for each result that is not handed out; the piece freed last is used first."""
        ends = {i: n for n, p in enumerate(self._parts) for i in (p.x, p.residual) if i is not None}
        pieces: list[int] = []  # bytes
        free: list[int] = []
        where: dict[int, int] = {}
        for number, plan in enumerate(self._plans):
            place = self._first + number
            if place not in self._results:
                if not free:
                    free.append(len(pieces))
                    pieces.append(0)
                where[place] = free.pop()
                pieces[where[place]] = max(pieces[where[place]], _bytes(plan))
            free += [where[i] for i, end in ends.items() if end == number and i in where]
        if sum(pieces) > LARGEST:
            raise UnfitError
        memory = [empty((size,), np.uint8) for size in pieces]
        return {place: self._array(place, memory[piece]) for place, piece in where.items()}

    def _array(self, place: int, memory: Array) -> Array:
        plan = self._plans[place - self._first]
        part = memory[: _bytes(plan)].view(plan.problem.out_dtype)
        return part.reshape(plan.out_shape)

    def _call(self, number: int) -> _Call:
        part, plan, place = self._parts[number], self._plans[number], self._first + number
        needed = [i for i in (part.x, part.residual, place) if i is not None]
        bound = None
        if all(i in self._kept for i in needed):
            residual = None if part.residual is None else self._kept[part.residual]
            try:
                bound = plan.bind(self._kept[part.x], self._kept[place], residual)
            except ValueError:
                raise UnfitError from None
        return _Call(plan, part.x, part.residual, place, bound)


def _bytes(plan: Plan) -> int:
    return math.prod(plan.out_shape) * plan.problem.out_dtype.itemsize
