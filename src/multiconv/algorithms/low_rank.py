"""Kernels that are short sums of outer products: a pass along one axis, then along the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiconv._geometry import out_size, outputs
from multiconv._machine import Machine
from multiconv._memory import empty
from multiconv._problem import Problem, rounding
from multiconv._products import AMPLIFICATION, LEFT_OUT, ROUGH, Split, first_axis, split
from multiconv._traits import UNKNOWN, KernelTraits, look
from multiconv._typing import Array
from multiconv.algorithms._bands import Band, bands
from multiconv.algorithms._base import (
    NO_EPILOGUE,
    Algorithm,
    Cost,
    Epilogue,
    Planning,
    Refusal,
    Step,
)

CALLS = 15e-6
"""Seconds that a band takes beyond its passes."""

CHECK = 15e9
"""Bytes a second of sums that are looked through for values that are not finite."""


class LowRank(Algorithm):
    """Filters along the first axis, once per term, and sums what the other factors make of that.

    It works through the output in bands, so that what lies between the passes stays in cache. In a
    band whose results are not all finite, infinities of several terms may have met: it is
    computed again with the whole kernel. ``multiconv._products`` finds the terms.
    """

    name = "low_rank"
    summary = "kernels that are a sum of few outer products, by passes along the axes"
    value_sensitive = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel floats with a known kernel of few terms."""
        if problem.acc_dtype.kind not in "fc":
            return Refusal("the terms of an integer kernel are no integers")
        if problem.group_in != 1:
            return Refusal("it treats channels one by one, this problem sums over them")
        if problem.group_out != 1:
            return Refusal("it makes one output of each channel, this problem makes several")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if problem.cval != 0:
            return Refusal("passes cannot carry a boundary value other than 0")
        if max(problem.in_dilation) > 1:
            return Refusal("it does not skip the zeros of input dilation")
        if problem.activation is not None:
            return Refusal("an activation would hide sums that are not finite")
        if not problem.x_dtype == problem.acc_dtype == problem.out_dtype:
            return Refusal("sums between passes would be cut to the stored dtype")
        if outputs(problem) == 0:
            return Refusal("there is nothing to compute")
        if not traits.known:
            return Refusal("the kernel's values are not known")
        return None if _ranks(problem, traits) else Refusal("the kernel is no sum of few products")

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The passes of all bands, and the largest band's scratch."""
        rank = _ranks(problem, traits)[0]
        parts = _bands(problem, rank, planning.machine)
        seconds = len(parts) * CALLS + _bytes(problem) / CHECK
        error = 0.0
        for kind, number in Counter(b.problem for b in parts).items():
            steps = _steps(kind, traits, planning)
            error = max(error, sum(s.cost.error for s in steps))
            seconds += number * sum(s.cost.seconds for s in steps)
        scratch = self.scratch_bytes(problem, traits, planning, planning.machine.threads)
        return Cost(seconds, scratch, AMPLIFICATION * (error + 2 * _tolerance(problem)))

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """What lies between the passes of a band, their own, and the band's check."""
        if prepared is not None:
            pairs = {one.band.problem: one.passes.pair for one in prepared}
        else:
            rank = _ranks(problem, traits)[0]
            kinds = {b.problem for b in _bands(problem, rank, planning.machine)}
            pairs = {k: tuple((s, None) for s in _steps(k, traits, planning)) for k in kinds}
        most = 0
        for kind, (first, others) in pairs.items():
            between = _bytes(first[0].problem)
            if others[0].problem.group_in == 1 < first[0].problem.group_out:
                between += _bytes(others[0].problem)
            own = max(step.scratch_bytes(threads, packed) for step, packed in (first, others))
            most = max(most, between + own, outputs(kind))
        return most

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """The two passes of a band."""
        parts = _bands(problem, _ranks(problem, traits)[0], planning.machine)
        return _steps(parts[len(parts) // 2].problem, traits, planning)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> tuple[_Pair, ...]:
        """Find the terms, and prepare the passes of every kind of band."""
        kernel = np.array(kernel, problem.acc_dtype)
        kernel.flags.writeable = False
        slices = kernel.reshape(-1, *problem.kernel)
        terms = split(slices, _tolerance(problem), np.zeros(slices.shape))
        if terms is None:
            raise ValueError("kernel: it is no sum of few outer products any more")
        whole = replace(traits, ranks=(), rough_ranks=())
        parts = _bands(problem, terms.left.shape[1], planning.machine)
        kinds = {
            kind: _Passes.prepare(kind, terms, planning)
            for kind in dict.fromkeys(b.problem for b in parts)
        }
        return tuple(
            _Pair(band, kinds[band.problem], _Whole(planning, whole, kernel)) for band in parts
        )

    def run(self, prepared: tuple[_Pair, ...], x: Array, epilogue: Epilogue, out: Array) -> None:
        """Band after band."""
        for one in prepared:
            source, target = x[one.band.x], out[one.band.out]
            mine = epilogue.part(one.band.out)
            one.passes.run(source, mine, target)
            if not np.isfinite(target).all():
                one.whole.run(one.band.problem, source, mine, target)


@dataclass(frozen=True)
class _Passes:
    """A band's two passes."""

    first: Step
    others: Step
    first_kernel: Any
    other_kernel: Any
    rank: int
    apart: bool

    @classmethod
    def prepare(cls, problem: Problem, terms: Split, planning: Planning) -> _Passes:
        """Choose and prepare the passes for the factors themselves."""
        rank = terms.left.shape[1]
        pair = _problems(problem, rank)
        apart = _sums_apart(problem, rank)
        left = terms.left.reshape(problem.groups, rank, 1, *terms.left.shape[2:])
        lead = (problem.groups * rank, 1, 1) if apart else (problem.groups, 1, rank)
        right = terms.right.reshape(*lead, *terms.right.shape[2:])
        kernels = [factor.astype(problem.acc_dtype) for factor in (left, right)]
        first, others = (
            planning.step(p, look(k, problem.rank)) for p, k in zip(pair, kernels, strict=True)
        )
        packed = first.prepare(kernels[0]), others.prepare(kernels[1])
        return cls(first, others, *packed, rank, apart)

    @property
    def pair(self) -> tuple[tuple[Step, Any], ...]:
        """The passes and their kernels."""
        return (self.first, self.first_kernel), (self.others, self.other_kernel)

    def run(self, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Fill ``out``."""
        batch, groups = out.shape[:2]
        size = out_size(self.first.problem)
        between = empty((batch, groups, self.rank, *size), out.dtype)
        self.first.run(self.first_kernel, x, NO_EPILOGUE, between)
        if not self.apart:
            self.others.run(self.other_kernel, between, epilogue, out)
            return
        lead = (batch, groups * self.rank, 1)
        parts = empty((*lead, *out.shape[3:]), out.dtype)
        self.others.run(self.other_kernel, between.reshape(*lead, *size), NO_EPILOGUE, parts)
        parts = parts.reshape(batch, groups, self.rank, *out.shape[3:])
        with np.errstate(over="ignore", invalid="ignore"):
            np.sum(parts, axis=2, keepdims=True, out=out)
            per_channel = (groups, 1, *(1,) * (out.ndim - 3))
            if epilogue.scale is not None:
                out *= epilogue.scale.reshape(per_channel)
            if epilogue.bias is not None:
                out += epilogue.bias.reshape(per_channel)
            if epilogue.residual is not None:
                out += epilogue.residual


@dataclass(frozen=True)
class _Whole:
    """What sums a band with the whole kernel."""

    planning: Planning
    traits: KernelTraits
    kernel: Array

    def run(self, problem: Problem, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Fill ``out``."""
        step = self.planning.step(problem, self.traits)
        step.run(step.prepare(self.kernel), x, epilogue, out)


@dataclass(frozen=True)
class _Pair:
    band: Band
    passes: _Passes
    whole: _Whole


def _ranks(problem: Problem, traits: KernelTraits) -> tuple[int, ...]:
    return traits.rough_ranks if problem.precision == "fast" else traits.ranks


def _tolerance(problem: Problem) -> float:
    return ROUGH if problem.precision == "fast" else LEFT_OUT * rounding(problem.acc_dtype)


def _bytes(problem: Problem) -> int:
    return outputs(problem) * problem.acc_dtype.itemsize


def _sums_apart(problem: Problem, rank: int) -> bool:
    """Whether the terms are summed after the second pass: where it is worth splitting again."""
    return rank > 1 and sum(k > 1 for k in problem.kernel) > 2


def _steps(problem: Problem, traits: KernelTraits, planning: Planning) -> tuple[Step, Step]:
    """The passes of a band, as far as they can be told before the factors are there."""
    rank, *rest = _ranks(problem, traits)
    first, others = _problems(problem, rank)
    factor = KernelTraits(known=True, wide_range=traits.wide_range)
    more = tuple(rest)
    remainder = replace(
        factor, separable=bool(more) and max(more) == 1, ranks=more, rough_ranks=more
    )
    if others.group_in > 1:
        remainder = UNKNOWN
    return planning.step(first, factor), planning.step(others, remainder)


def _problems(problem: Problem, rank: int) -> tuple[Problem, Problem]:
    """The pass along the first axis and the pass along the others."""
    axis = first_axis(problem.kernel)

    def pick(values: Any, neutral: Any, along: bool) -> Any:
        return tuple(v if (a == axis) == along else neutral for a, v in enumerate(values))

    def one(along: bool, **changes: Any) -> Problem:
        return replace(
            problem, kernel=pick(problem.kernel, 1, along),
            stride=pick(problem.stride, 1, along), dilation=pick(problem.dilation, 1, along),
            padding=pick(problem.padding, (0, 0), along), **changes,
        )  # fmt: skip

    terms = problem.groups * rank
    plain = {"bias": False, "scale": False, "residual": False}
    first = one(True, out_channels=terms, **plain)
    if _sums_apart(problem, rank):
        changes = {"groups": terms, "out_channels": terms, **plain}
    else:
        changes = {}
    return first, one(False, in_size=out_size(first), in_channels=terms, **changes)


def _bands(problem: Problem, rank: int, machine: Machine) -> list[Band]:
    """Parts whose terms fit into the caches."""
    axis = first_axis(problem.kernel)
    length = out_size(problem)[axis]
    sample = _bytes(_problems(problem, rank)[0]) // problem.batch
    room = machine.cache * machine.threads
    batch = min(max(room // sample, 1), problem.batch)
    rows = min(max(room * length // sample, 1), length)
    return bands(problem, axis, batch, rows)
