"""Transposed layers: each phase of the output is a convolution of the undilated input."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

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
    fold: int
    gaps: bool


class Polyphase(OutputParts):
    """Leaves out the products with the zeros that input dilation puts between samples.

    With ``s - 1`` zeros between samples, output ``q s + r`` sees only the taps that are ``r`` apart
    from a multiple of ``s``: a short convolution of the samples for each ``r``. Where all phases of
    the last axis see the same samples, they are channels of one convolution.

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
        beside = problem.data_format == "channels_last" or _fold(problem) > 1
        if beside or problem.in_dilation[-1] == 1:
            return cost
        strewn = outputs(problem) * self.STREWN / planning.machine.threads
        return replace(cost, seconds=cost.seconds + strewn)

    def parts(self, problem: Problem) -> Iterator[OutputPart]:
        """Every combination of the axes' phases; all samples are seen by each."""
        phases = [list(_axis_phases(problem, a)) for a in range(problem.rank)]
        fold = _fold(problem)
        if fold > 1:
            phases[-1] = [phases[-1][0]._replace(phase=0, step=1, taps=slice(None))]
        for axes in product(*phases):
            places = tuple(slice(axis.phase, None, axis.step) for axis in axes)
            taps, samples = tuple(axis.taps for axis in axes), (slice(None),) * problem.rank
            yield OutputPart(_child(problem, axes, fold), taps, samples, places)

    def unflipped(self, problem: Problem, kernel: Array) -> Array:
        """Phases that are channels have theirs in this order: phase, output."""
        kernel = super().unflipped(problem, kernel)
        if _fold(problem) == 1:
            return kernel
        phases = _axis_phases(problem, problem.rank - 1)
        return np.concatenate([kernel[..., phase.taps] for phase in phases], 1)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        """Prepare the taps of each phase."""
        phases = super().prepare(problem, kernel, traits, planning)
        return _Prepared(phases, _fold(problem), _gaps(problem))

    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Phase after phase, each into its own outputs; the others see no sample."""
        fold = prepared.fold
        whole = out if _folds(out, fold) else _empty_to_fold(out)
        if prepared.gaps:
            shape = (*out.shape[1:3], *[1] * (out.ndim - 3))
            whole[...] = 0 if epilogue.bias is None else epilogue.bias.reshape(shape)
        super().run(prepared.phases, x, _folded_epilogue(epilogue, fold, out), _folded(whole, fold))
        if whole is not out:
            out[...] = whole


def _fold(problem: Problem) -> int:
    """How many phases of the last axis are channels of one convolution: all, or 1.

    The outputs have to lie so, too: one channel, or channels beside each other.
    """
    fold = problem.in_dilation[-1]
    last = problem.data_format == "channels_last" and problem.groups == 1
    if fold == 1 or out_size(problem)[-1] % fold or not (problem.group_out == 1 or last):
        return 1
    phases = list(_axis_phases(problem, problem.rank - 1))
    return fold if len(phases) == fold and len({p[3:] for p in phases}) == 1 else 1


def _folds(array: Array, fold: int) -> bool:
    """Whether outputs lie so that phases may be channels."""
    channels = array.shape[2]
    return fold == 1 or channels == 1 or array.strides[-1] == channels * array.strides[2]


def _folded(array: Array, fold: int) -> Array:
    """A view with phases as channels."""
    if fold == 1:
        return array
    batch, groups, channels, *outer, size = array.shape
    *before, step = array.strides
    if channels == 1:
        before[2] = step
    return as_strided(array, (batch, groups, fold * channels, *outer, size // fold),
                      (*before, fold * step))  # fmt: skip


def _folded_epilogue(epilogue: Epilogue, fold: int, out: Array) -> Epilogue:
    if fold == 1:
        return epilogue
    bias, scale, residual = epilogue
    if residual is not None:
        if not _folds(residual, fold):
            given, residual = residual, _empty_to_fold(residual)
            residual[...] = given
        residual = _folded(residual, fold)
    _, groups, channels, *_ = out.shape
    bias, scale = (None if v is None else
                   np.repeat(v.reshape(groups, 1, channels), fold, 1).reshape(-1)
                   for v in (bias, scale))  # fmt: skip
    return Epilogue(bias, scale, residual)


def _empty_to_fold(like: Array) -> Array:
    """A new array with channels beside each other."""
    batch, groups, channels, *sizes = like.shape
    return np.moveaxis(np.empty((batch, groups, *sizes, channels), like.dtype), -1, 2)


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


def _child(problem: Problem, axes: tuple[_Axis, ...], fold: int) -> Problem:
    return replace(
        problem, out_channels=problem.out_channels * fold, kernel=tuple(a.kernel for a in axes),
        dilation=tuple(a.dilation for a in axes), in_dilation=(),
        padding=tuple(a.padding for a in axes), flip=False,
    )  # fmt: skip
