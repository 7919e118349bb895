"""Transposed layers: each phase of the output is a convolution of the undilated input."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

from multiconv._geometry import out_size, outputs
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Cost, Epilogue, Planning, Refusal
from multiconv.algorithms._output_parts import OutputPart, OutputParts


class _Axis(NamedTuple):
    """The outputs ``phase::step`` of an axis, and the taps ``taps`` that reach them."""

    phase: int
    step: int
    taps: slice
    kernel: int
    dilation: int
    padding: tuple[int, int]


class _Prepared(NamedTuple):
    phases: Any
    gaps: bool


class Polyphase(OutputParts):
    """Leaves out the products with the zeros that input dilation puts between samples.

    With ``s - 1`` zeros between samples, output ``q s + r`` sees only the taps that are ``r`` apart
    from a multiple of ``s``: a short convolution of the samples for each ``r``.

    Vaidyanathan, "Multirate Systems and Filter Banks", 1993, section 4.3.
    """

    name = "polyphase"
    summary = "transposed layers and input gradients of strided ones, without the zeros between"
    overhead = 3e-6

    STREWN = 1.5e-9
    """Seconds in which a thread stores an output between those of other phases."""

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
        """The sum of the phases, and what it takes to store outputs that are no neighbours."""
        cost = super().cost(problem, traits, planning)
        if problem.data_format == "channels_last" or problem.in_dilation[-1] == 1:
            return cost
        strewn = outputs(problem) * self.STREWN / planning.machine.threads
        return replace(cost, seconds=cost.seconds + strewn)

    def parts(self, problem: Problem) -> Iterator[OutputPart]:
        """Every combination of the axes' phases; all samples are seen by each."""
        for axes in product(*(list(_axis_phases(problem, axis)) for axis in range(problem.rank))):
            outputs = tuple(slice(axis.phase, None, axis.step) for axis in axes)
            taps, samples = tuple(axis.taps for axis in axes), (slice(None),) * problem.rank
            yield OutputPart(_child(problem, axes), taps, samples, outputs)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        """Prepare the taps of each phase."""
        return _Prepared(super().prepare(problem, kernel, traits, planning), _gaps(problem))

    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Phase after phase, each into its own outputs; the others see no sample."""
        if prepared.gaps:
            shape = (*out.shape[1:3], *[1] * (out.ndim - 3))
            out[...] = 0 if epilogue.bias is None else epilogue.bias.reshape(shape)
        super().run(prepared.phases, x, epilogue, out)


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
