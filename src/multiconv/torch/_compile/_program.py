"""Steps bound to memory: where results between them lie, and the calls that compute them.

Results lie in a few pieces of memory, each used again as soon as it is free, so that what a step
reads is still in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from multiconv import ShapeDtype, _core
from multiconv._machine import machine
from multiconv._memory import empty
from multiconv._plan import Plan
from multiconv._typing import Array
from multiconv.torch import _views as views
from multiconv.torch._compile._cascades import find_cascades
from multiconv.torch._compile._norm import KeptNorm, Norm, NormPlan
from multiconv.torch._compile._pooling import KeptPool, Pool, PoolPlan
from multiconv.torch._compile._step import Step
from multiconv.torch._packed import Packed
from multiconv.torch._seen import Seen

_AnyPlan = Plan | NormPlan | PoolPlan

LARGEST = 1 << 30
"""Bytes between steps from which on no memory is kept for them."""


class UnfitError(Exception):
    """The steps cannot be bound to memory."""


@dataclass(frozen=True)
class Part:
    """A step and the places of its tensors: outer ones are counted first, then results."""

    step: Step | Norm | Pool
    residual: int | None
    x: int
    weights: tuple[int | None, ...]

    @property
    def packed(self) -> Packed | KeptNorm | KeptPool:
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
    """A step of a program whose data come from outside or go there."""

    plan: _AnyPlan
    x: int
    residual: int | None
    result: int

    def __call__(self, arrays: dict[int, Array]) -> None:
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
        self._weights = sorted({i for part in parts for i in part.weights if i is not None})
        self._seen = Seen([outer[i] for i in self._weights])
        self._plans = self._planned(outer)
        self._data = data_from_outside(parts, self._first)
        self._cascades = find_cascades(
            parts, self._plans, self._first, self._places_that_stay(outer), machine()
        )
        self._kept = self._placed()
        self._copies = self._places_of_copies(outer)
        self._calls = list(_joined(self._in_cascades([self._call(n) for n in range(len(parts))])))

    def is_still(self, outer: tuple[Tensor, ...]) -> bool:
        """Whether the kernels are as they were."""
        return self._seen.are([outer[i] for i in self._weights])

    def run(self, outer: tuple[Tensor, ...] | Mapping[int, Tensor]) -> list[Tensor]:
        """The results that are handed out; of what comes from outside, data are read."""
        arrays = dict(self._kept)
        for i in self._data:
            if i in self._copies:
                self._copies[i].copy_(outer[i].detach())
            else:
                arrays[i] = views.contiguous(outer[i], self._last)
        for i in self._results:
            plan = self._plans[i - self._first]
            arrays[i] = empty(plan.out_shape, plan.out_dtype)
        for call in self._calls:
            call(arrays)
        like = outer[self._data[0]]
        return [views.result(arrays[i], like, self._last) for i in self._results]

    def _planned(self, outer: tuple[Tensor, ...]) -> list[_AnyPlan]:
        """Plans for kernels that come from memory, if all are more than caches hold."""
        options = [part.step.options for part in self._parts]
        usual = self._each(outer, options, "forecast")
        if sum(map(_prepared, usual)) > machine().threads * machine().cache:
            small = [given | {"low_memory": True} for given in options]
            lean = self._each(outer, small, "forecast")
            options = [
                small[n] if _from_memory(lean[n]) < _from_memory(usual[n]) else options[n]
                for n in range(len(options))
            ]
        return self._each(outer, options, "plan")

    def _each(
        self, outer: tuple[Tensor, ...], options: list[dict[str, Any]], method: str
    ) -> list[_AnyPlan]:
        """Every part's plan, with its options."""
        plans: list[_AnyPlan] = []
        for part, given in zip(self._parts, options, strict=True):
            residual = None if part.residual is None else self._shape(part.residual, outer, plans)
            x = self._shape(part.x, outer, plans)
            weights = part.tensors(outer)
            planned = getattr(part.packed, method)
            plans.append(planned(x, self._last, *weights, residual=residual, **given))
        return plans

    def _shape(self, place: int, outer: tuple[Tensor, ...], plans: list[_AnyPlan]) -> ShapeDtype:
        if place >= self._first:
            plan = plans[place - self._first]
            return ShapeDtype(plan.out_shape, plan.out_dtype)
        return views.outline(outer[place], self._last)

    def _placed(self) -> dict[int, Array]:
        """Memory for each result that is not handed out; the piece freed last is used first."""
        ends = self._ends()
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

    def _ends(self) -> dict[int, int]:
        """The last step that reads each value, or the last of a cascade that does."""
        ends = {i: n for n, p in enumerate(self._parts) for i in (p.x, p.residual) if i is not None}
        for cascade in self._cascades:
            for place, end in ends.items():
                if cascade.begin <= end < cascade.end:
                    ends[place] = cascade.end - 1
        return ends

    def _in_cascades(
        self, calls: list[_Call | Callable[[], object]]
    ) -> list[_Call | Callable[[], object]]:
        """The calls, those of a cascade as one."""
        for cascade in reversed(self._cascades):  # so that numbers before it stay
            runs = [c for c in calls[cascade.begin : cascade.end] if isinstance(c, _core.Run)]
            if len(runs) == cascade.end - cascade.begin:
                calls[cascade.begin : cascade.end] = [_core.Cascade(runs, cascade.rows)]
        return calls

    def _copied(self, outer: tuple[Tensor, ...]) -> list[int]:
        """The places of data from outside that lie in another format."""
        return [i for i in self._data if self._last and not views.is_last(outer[i])]

    def _places_that_stay(self, outer: tuple[Tensor, ...]) -> set[int]:
        """The places whose memory is the same at each run."""
        inner = range(self._first, self._first + len(self._parts))
        return {*inner, *self._copied(outer)}.difference(self._results)

    def _places_of_copies(self, outer: tuple[Tensor, ...]) -> dict[int, Tensor]:
        """Memory for data from outside that lie in another format."""
        copies = {}
        for i in self._copied(outer):
            outline = views.outline(outer[i], last=True)
            self._kept[i] = empty(outline.shape, outline.dtype)
            copies[i] = views.result(self._kept[i], outer[i], last=True)
        return copies

    def _array(self, place: int, memory: Array) -> Array:
        plan = self._plans[place - self._first]
        part = memory[: _bytes(plan)].view(plan.out_dtype)
        return part.reshape(plan.out_shape)

    def _call(self, number: int) -> _Call | Callable[[], object]:
        """A step, bound to memory if all its data stay where they are."""
        part, plan, place = self._parts[number], self._plans[number], self._first + number
        needed = [i for i in (part.x, part.residual, place) if i is not None]
        if not all(i in self._kept for i in needed):
            return _Call(plan, part.x, part.residual, place)
        residual = None if part.residual is None else self._kept[part.residual]
        try:
            return plan.bind(self._kept[part.x], self._kept[place], residual)
        except ValueError:
            raise UnfitError from None


def _joined(
    calls: list[_Call | Callable[[], object]],
) -> Iterator[Callable[[dict[int, Array]], object]]:
    """What runs them; native ones that follow one another without a step of Python between."""
    runs: list[_core.Job] = []
    for call in calls:
        if isinstance(call, _core.Job):
            runs.append(call)
            continue
        if runs:
            yield partial(_run_all, runs)
            runs = []
        yield call if isinstance(call, _Call) else partial(_run_one, call)
    if runs:
        yield partial(_run_all, runs)


def _run_all(runs: list[_core.Job], arrays: dict[int, Array]) -> None:
    _core.run_all(runs)


def _run_one(call: Callable[[], object], arrays: dict[int, Array]) -> None:
    call()


def _prepared(plan: _AnyPlan) -> int:
    """Bytes of its kernel, prepared."""
    return plan.kept.prepared_bytes if isinstance(plan, Plan) else 0


def _from_memory(plan: _AnyPlan) -> float:
    """Seconds of a run whose kernel no cache holds: it comes at the rate of a copy."""
    if not isinstance(plan, Plan):
        return 0.0
    return plan.kept.cost.seconds + plan.kept.prepared_bytes / machine().bandwidth


def _bytes(plan: _AnyPlan) -> int:
    return math.prod(plan.out_shape) * plan.out_dtype.itemsize
