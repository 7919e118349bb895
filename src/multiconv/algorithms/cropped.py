"""Layers with much padding: each part of the output without the taps that see nothing but zeros."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import groupby, product
from typing import NamedTuple

from multiconv._geometry import out_size
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Refusal
from multiconv.algorithms._output_parts import OutputPart, OutputParts

WORTH = 0.8
"""Share of the products that may be left, at most."""

MOST, LONGEST = 32, 4096
"""Parts, and outputs along an axis that are looked at, at most."""


class _Axis(NamedTuple):
    """Neighbouring outputs of an axis, the taps that see samples there, and those samples."""

    outputs: slice
    taps: slice
    samples: slice


class Cropped(OutputParts):
    """Leaves out the products with zeros beyond the data, where windows reach far beyond them.

    With dilation 24 on 28 samples, a tap beside the middle one sees samples from 4 outputs only.
    Outputs that see the same taps are a problem without padding.
    """

    name = "cropped"
    summary = "layers whose windows reach far beyond the data, as with much dilation"
    overhead = 5e-6

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

    def parts(self, problem: Problem) -> Iterator[OutputPart]:
        """Every combination of the axes' runs."""
        for axes in product(*(list(_axis_parts(problem, axis)) for axis in range(problem.rank))):
            outputs, taps, samples = zip(*axes, strict=True)
            yield OutputPart(_child(problem, axes), taps, samples, outputs)


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
