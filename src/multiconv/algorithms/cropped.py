"""Layers with much padding: each part of the output without the taps that see nothing but zeros."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, product
from typing import Any, NamedTuple

import numpy as np

from multiconv._geometry import out_size
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Planning, Refusal, Step

OVERHEAD = 5e-6
"""Seconds that a part takes beyond its child's run."""

WORTH = 0.8
"""Share of the products that may be left, at most."""

MOST, LONGEST = 32, 4096
"""Parts, and outputs along an axis that are looked at, at most."""


class _Axis(NamedTuple):
    """Neighbouring outputs of an axis, the taps that see samples there, and those samples."""

    outputs: slice
    taps: slice
    samples: slice


@dataclass(frozen=True)
class _Part:
    step: Step
    kernel: Any
    samples: tuple[slice, ...]
    outputs: tuple[slice, ...]


class Cropped(Algorithm):
    """Leaves out the products with zeros beyond the data, where windows reach far beyond them.

    With dilation 24 on 28 samples, a tap beside the middle one sees samples from 4 outputs only.
    Outputs that see the same taps are a problem without padding.
    """

    name = "cropped"
    summary = "layers whose windows reach far beyond the data, as with much dilation"
    skips_zeros = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Zeros outside, a few parts, and products worth leaving out."""
        if set(problem.boundary) != {"constant"} or problem.cval != 0:
            return Refusal("it continues the data by zeros only")
        if max(problem.in_dilation) > 1:
            return Refusal("it does not look for the zeros of input dilation")
        if 0 in (*problem.in_size, *problem.kernel, *out_size(problem)):
            return Refusal("an axis is empty")
        if math.prod(1 - beyond for beyond in _edges(problem)) > WORTH:
            return Refusal("most products are with samples")
        if max(out_size(problem)) > LONGEST:
            return Refusal("its axes are too long")
        axes = [_seen(problem, axis) for axis in range(problem.rank)]
        if not all(taps for seen in axes for taps in seen):
            return Refusal("some outputs see no sample")
        shares = (sum(map(len, seen)) / len(seen) for seen in axes)
        if math.prod(shares) > WORTH * math.prod(problem.kernel):
            return Refusal("most products are with samples")
        if math.prod(len(set(seen)) for seen in axes) > MOST:
            return Refusal("too many outputs see taps of their own")
        if not traits.finite:
            return Refusal("taps that are not finite would meet the zeros beyond the data")
        return None

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The sum of the parts."""
        steps = self.children(problem, traits, planning)
        return Cost(
            sum(s.cost.seconds + OVERHEAD for s in steps),
            max(s.cost.bytes for s in steps),
            max(s.cost.error for s in steps),
        )

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """One problem for each part of the output."""
        return tuple(planning.step(_child(problem, axes), traits.part) for axes in _parts(problem))

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> list[_Part]:
        """Prepare the taps of each part."""
        if problem.flip:
            kernel = np.flip(kernel, tuple(range(3, 3 + problem.rank)))
        prepared = []
        for axes in _parts(problem):
            taps = kernel[_spatial(axis.taps for axis in axes)]
            step = planning.step(_child(problem, axes), traits.part)
            samples = _spatial(axis.samples for axis in axes)
            outputs = _spatial(axis.outputs for axis in axes)
            prepared.append(_Part(step, step.prepare(taps), samples, outputs))
        return prepared

    def run(self, prepared: list[_Part], x: Array, epilogue: Epilogue, out: Array) -> None:
        """Part after part, each into its own outputs."""
        for part in prepared:
            mine = epilogue.part(part.outputs)
            part.step.run(part.kernel, x[part.samples], mine, out[part.outputs])


def _spatial(places: Iterator[slice]) -> tuple[slice, ...]:
    """Places on the spatial axes of a canonical view."""
    return (slice(None), slice(None), slice(None), *places)


def _edges(problem: Problem) -> Iterator[float]:
    """The share of each axis's outputs whose windows may reach beyond the data."""
    for axis, n in enumerate(out_size(problem)):
        outside = sum(max(pad, 0) for pad in problem.padding[axis])
        yield min(outside / problem.stride[axis] / n, 1.0)


@lru_cache(maxsize=256)
def _seen(problem: Problem, axis: int) -> tuple[range, ...]:
    """The taps that see samples, for each output of an axis; neighbours, as all taps are."""
    n, taps, d = problem.in_size[axis], problem.kernel[axis], problem.dilation[axis]
    starts = (
        i * problem.stride[axis] - problem.padding[axis][0] for i in range(out_size(problem)[axis])
    )
    return tuple(range(max(-(s // d), 0), min((n - 1 - s) // d + 1, taps)) for s in starts)


def _parts(problem: Problem) -> Iterator[tuple[_Axis, ...]]:
    return product(*(list(_axis_parts(problem, axis)) for axis in range(problem.rank)))


def _axis_parts(problem: Problem, axis: int) -> Iterator[_Axis]:
    """Runs of outputs that see the same taps."""
    d, stride, low = problem.dilation[axis], problem.stride[axis], problem.padding[axis][0]
    first = 0
    for taps, outputs in groupby(_seen(problem, axis)):
        last = first + len(list(outputs)) - 1
        begin, end = first * stride + taps[0] * d - low, last * stride + taps[-1] * d - low
        yield _Axis(slice(first, last + 1), slice(taps[0], taps[-1] + 1), slice(begin, end + 1))
        first = last + 1


def _child(problem: Problem, axes: tuple[_Axis, ...]) -> Problem:
    kernel = tuple(a.taps.stop - a.taps.start for a in axes)
    return replace(
        problem, kernel=kernel, flip=False, padding=((0, 0),) * problem.rank,
        in_size=tuple(a.samples.stop - a.samples.start for a in axes),
        dilation=tuple(d if k > 1 else 1 for d, k in zip(problem.dilation, kernel, strict=True)),
    )  # fmt: skip
