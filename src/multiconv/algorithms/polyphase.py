"""Transposed layers: each phase of the output is a convolution of the undilated input."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from multiconv._geometry import out_size
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Planning, Refusal, Step

OVERHEAD = 3e-6
"""Seconds that a phase takes beyond its child's run."""


class _Axis(NamedTuple):
    """The outputs ``phase::step`` of an axis, and the taps ``taps`` that reach them."""

    phase: int
    step: int
    taps: slice
    kernel: int
    dilation: int
    padding: tuple[int, int]


@dataclass(frozen=True)
class _Phase:
    step: Step
    kernel: Any
    outputs: tuple[slice, ...]


class _Prepared(NamedTuple):
    phases: tuple[_Phase, ...]
    gaps: bool


class Polyphase(Algorithm):
    """Leaves out the products with the zeros that input dilation puts between samples.

    With ``s - 1`` zeros between samples, output ``q s + r`` sees only the taps that are ``r`` apart
    from a multiple of ``s``: a short convolution of the samples for each ``r``.

    Vaidyanathan, "Multirate Systems and Filter Banks", 1993, section 4.3.
    """

    name = "polyphase"
    summary = "transposed layers and input gradients of strided ones, without the zeros between"
    skips_zeros = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Input dilation at stride 1, zeros outside."""
        if max(problem.in_dilation) == 1:
            return Refusal("there are no zeros between the samples")
        if max(problem.stride) > 1:
            return Refusal("it computes every output, this problem skips some")
        if set(problem.boundary) != {"constant"} or problem.cval != 0:
            return Refusal("it continues the data by zeros only")
        if not traits.finite:
            return Refusal("taps that are not finite would meet the zeros of input dilation")
        if (problem.activation or problem.residual) and _gaps(problem):
            return Refusal("some outputs see no sample, so that nothing would finish them")
        return None

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The sum of the phases."""
        steps = self.children(problem, traits, planning)
        return Cost(
            sum(s.cost.seconds + OVERHEAD for s in steps),
            max((s.cost.bytes for s in steps), default=0),
            max((s.cost.error for s in steps), default=0.0),
        )

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """One convolution for each phase."""
        return tuple(planning.step(_child(problem, axes), traits.part) for axes in _phases(problem))

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        """Prepare the taps of each phase."""
        spatial = tuple(range(3, 3 + problem.rank))
        if problem.flip:
            kernel = np.flip(kernel, spatial)
        prepared = []
        for axes in _phases(problem):
            taps = kernel[_spatial(axis.taps for axis in axes)]
            step = planning.step(_child(problem, axes), traits.part)
            places = _spatial(slice(axis.phase, None, axis.step) for axis in axes)
            prepared.append(_Phase(step, step.prepare(taps), places))
        return _Prepared(tuple(prepared), _gaps(problem))

    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Phase after phase, each into its own outputs."""
        if prepared.gaps:
            shape = (*out.shape[1:3], *[1] * (out.ndim - 3))
            out[...] = 0 if epilogue.bias is None else epilogue.bias.reshape(shape)
        for one in prepared.phases:
            one.step.run(one.kernel, x, epilogue.part(one.outputs), out[one.outputs])


def _spatial(places: Iterable[slice]) -> tuple[slice, ...]:
    """Places on the spatial axes of a canonical view."""
    return (slice(None), slice(None), slice(None), *places)


def _phases(problem: Problem) -> Iterator[tuple[_Axis, ...]]:
    return product(*(list(_axis_phases(problem, axis)) for axis in range(problem.rank)))


def _gaps(problem: Problem) -> bool:
    """Whether some outputs see no sample, at whatever place."""
    most = (min(s, n) for s, n in zip(problem.in_dilation, out_size(problem), strict=True))
    return any(len(list(_axis_phases(problem, a))) < n for a, n in enumerate(most))


def _axis_phases(problem: Problem, axis: int) -> Iterator[_Axis]:
    """The phases of an axis that have taps.

    Output ``q s + r`` reads sample ``q + (r + k d - low) / s`` for the taps ``k`` that make it a
    whole number.
    """
    n, taps, s = problem.in_size[axis], problem.kernel[axis], problem.in_dilation[axis]
    d, low = problem.dilation[axis], problem.padding[axis][0]
    size, apart = out_size(problem)[axis], s // math.gcd(s, problem.dilation[axis])
    for r in range(min(s, size)):
        first = next((k for k in range(min(apart, taps)) if (r + k * d - low) % s == 0), None)
        if first is None:
            continue
        count = len(range(first, taps, apart))
        dilation = d * apart // s
        before = (low - r - first * d) // s
        after = len(range(r, size, s)) - n - before + (count - 1) * dilation
        yield _Axis(r, s, slice(first, None, apart), count, dilation, (before, after))


def _child(problem: Problem, axes: tuple[_Axis, ...]) -> Problem:
    return replace(
        problem, kernel=tuple(a.kernel for a in axes), dilation=tuple(a.dilation for a in axes),
        in_dilation=(), padding=tuple(a.padding for a in axes), flip=False,
    )  # fmt: skip
