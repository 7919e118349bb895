"""Problems in parts, where in one piece they would take too much scratch memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from multiconv._geometry import inputs, out_size, outputs, window
from multiconv._memory import empty
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits, look
from multiconv._typing import Array
from multiconv.algorithms._bands import Band, bands, typical
from multiconv.algorithms._base import (
    NO_EPILOGUE,
    Algorithm,
    Cost,
    Epilogue,
    Planning,
    Refusal,
    Step,
    scratch_limit,
)

LARGEST = 48_000_000
"""Bytes of a part's input and output in the accumulator's dtype: what copies of them may take."""

NUMBERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Bands, and pieces of the kernel, that are tried first; many more bands are, too."""

CALLS = 15e-6
"""Seconds that a part takes beyond its child."""


@dataclass(frozen=True)
class _Piece:
    """Some of the kernel's taps along the first axis, and the problem of a band with these."""

    problem: Problem
    taps: tuple[int, int]


@dataclass(frozen=True)
class _Cut:
    """Images and outputs of a band, and taps of a piece."""

    batch: int
    rows: int
    taps: int


class Parts(Algorithm):
    """Bands of the output, and where the kernel is long, pieces of it whose sums are added.

    Every part is a problem of its own, small enough for any algorithm.
    """

    name = "parts"
    summary = "large problems in parts, so that no algorithm takes too much scratch memory"
    value_sensitive = True
    last_resort = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Problems that can be cut along the batch or the first axis."""
        if 0 in (inputs(problem), outputs(problem), *problem.kernel):
            return Refusal("an axis is empty")
        if max(problem.in_dilation) > 1:
            return Refusal("it does not cut between the zeros of input dilation")
        return None if _cuts(problem) else Refusal("no part would be smaller")

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The best cut's parts."""
        return _best(problem, traits, planning)[1]

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """The parts of a band."""
        cut = _best(problem, traits, planning)[0]
        return _steps(_typical(problem, cut)[1], cut, traits, planning)

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """The largest part's, and a band's sums where there are several pieces."""
        cut = _best(problem, traits, planning)[0]
        if prepared is not None:
            kinds = {part.band.problem: part.pieces for part in prepared}
        else:
            problems = {b.problem for b in _bands(problem, cut)}
            kinds = {k: [(s, None) for s in _steps(k, cut, traits, planning)] for k in problems}
        most = 0
        for kind, pieces in kinds.items():
            sums = outputs(kind) * kind.acc_dtype.itemsize if len(pieces) > 1 else 0
            most = max(most, sums + max(s.scratch_bytes(threads, packed) for s, packed in pieces))
        return most

    def prepared_bytes(self, problem: Problem, traits: KernelTraits, planning: Planning) -> int:
        """The pieces of every kind of band."""
        cut = _best(problem, traits, planning)[0]
        kinds = {band.problem for band in _bands(problem, cut)}
        steps = (s for kind in kinds for s in _steps(kind, cut, traits, planning))
        return sum(s.prepared_bytes for s in steps)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> list[_Part]:
        """Prepare the pieces for every kind of band."""
        cut = _best(problem, traits, planning)[0]
        kinds: dict[Problem, list[tuple[Step, Any]]] = {}
        for band in _bands(problem, cut):
            if band.problem in kinds:
                continue
            kinds[band.problem] = []
            for piece in _pieces(band.problem, cut):
                taps = kernel[(slice(None),) * 3 + (slice(*piece.taps),)]
                known = look(taps, problem.rank) if cut.taps < problem.kernel[0] else traits
                step = planning.step(piece.problem, known, whole=True)
                kinds[band.problem].append((step, step.prepare(taps)))
        return [_Part(band, kinds[band.problem]) for band in _bands(problem, cut)]

    def run(self, prepared: list[_Part], x: Array, epilogue: Epilogue, out: Array) -> None:
        """Part after part."""
        for part in prepared:
            source, target = x[part.band.x], out[part.band.out]
            mine = epilogue.part(part.band.out)
            (step, packed), *more = part.pieces
            step.run(packed, source, mine, target)
            for step, packed in more:
                sums = empty(target.shape, target.dtype)
                step.run(packed, source, NO_EPILOGUE, sums)
                with np.errstate(over="ignore", invalid="ignore"):
                    np.add(target, sums, out=target)
                del sums  # before there is another


@dataclass(frozen=True)
class _Part:
    band: Band
    pieces: list[tuple[Step, Any]]


def _best(problem: Problem, traits: KernelTraits, planning: Planning) -> tuple[_Cut, Cost]:
    """The quickest cut that may be taken; else the one with the least scratch."""
    costs = {cut: _cost(problem, cut, traits, planning) for cut in _cuts(problem)}
    limit = scratch_limit(problem)
    return min(costs.items(), key=lambda c: (max(c[1].bytes, limit), c[1].seconds))


@lru_cache(maxsize=1024)
def _cuts(problem: Problem) -> tuple[_Cut, ...]:
    """A few of the largest parts that are small enough, and some for algorithms that take more."""
    data = (inputs(problem) + outputs(problem)) * problem.acc_dtype.itemsize
    largest = min(LARGEST, data // 2)
    found = [*_fitting(problem, largest, 2), *_fitting(problem, largest // 8, 1)]
    return tuple(dict.fromkeys(found))


def _fitting(problem: Problem, room: int, count: int) -> list[_Cut]:
    """So many cuts into parts of so many bytes."""
    length, (taps, *_) = out_size(problem)[0], problem.kernel
    whole = _Cut(1, length, taps)
    batch = min(room // max(_data(problem, whole), 1), problem.batch - 1)
    if batch > 0:
        return [replace(whole, batch=batch)]
    more = itertools.takewhile(lambda n: n < length, (64 * 2**p for p in range(1, 50)))
    found: dict[_Cut, None] = {}
    for number in (*NUMBERS, *more, length):
        rows = -(-length // number)
        for pieces in NUMBERS if _can_add(problem) else (1,):
            cut = _Cut(1, rows, -(-taps // pieces))
            if _data(problem, cut) <= room or rows == 1:
                found.setdefault(cut)
                break
        if len(found) == count:
            break
    return [c for c in found if c != whole or problem.batch > 1]


def _data(problem: Problem, cut: _Cut) -> int:
    """Bytes of a part's input and output."""
    span = (cut.rows - 1) * problem.stride[0] + window(cut.taps, problem.dilation[0])
    read = math.prod((min(span, problem.in_size[0]), *problem.in_size[1:])) * problem.in_channels
    made = math.prod((cut.rows, *out_size(problem)[1:])) * problem.out_channels
    return cut.batch * (read + made) * problem.acc_dtype.itemsize


def _can_add(problem: Problem) -> bool:
    finished = problem.activation is not None or problem.scale
    return not finished and problem.acc_dtype == problem.out_dtype


def _bands(problem: Problem, cut: _Cut) -> list[Band]:
    return bands(problem, 0, cut.batch, cut.rows)


def _typical(problem: Problem, cut: _Cut) -> tuple[int, Problem]:
    return typical(problem, 0, cut.batch, cut.rows)


def _pieces(problem: Problem, cut: _Cut) -> Iterator[_Piece]:
    """The problems of the kernel's pieces; taps are read backwards where the kernel is flipped."""
    taps, dilation = problem.kernel[0], problem.dilation[0]
    for begin in range(0, taps, cut.taps):
        end = min(begin + cut.taps, taps)
        before, after = (taps - end, begin) if problem.flip else (begin, taps - end)
        low, high = problem.padding[0]
        low, high = low - before * dilation, high - after * dilation
        yield _Piece(
            replace(
                problem, kernel=(end - begin, *problem.kernel[1:]),
                padding=((low, high), *problem.padding[1:]), bias=problem.bias and begin == 0,
                residual=problem.residual and begin == 0,
            ),
            (begin, end),
        )  # fmt: skip


def _steps(
    problem: Problem, cut: _Cut, traits: KernelTraits, planning: Planning
) -> tuple[Step, ...]:
    known = traits if cut.taps == problem.kernel[0] else traits.part
    return tuple(planning.step(p.problem, known, whole=True) for p in _pieces(problem, cut))


def _cost(problem: Problem, cut: _Cut, traits: KernelTraits, planning: Planning) -> Cost:
    """As if all bands were like the one in the middle."""
    machine = planning.machine
    number, middle = _typical(problem, cut)
    steps = _steps(middle, cut, traits, planning)
    between = problem.acc_dtype.itemsize * outputs(steps[0].problem) * (len(steps) > 1)
    band = sum(CALLS + s.cost.seconds for s in steps)
    band += (len(steps) - 1) * 3 * between / machine.bandwidth1
    error = sum(s.cost.error for s in steps) + (len(steps) - 1) * rounding(problem.acc_dtype)
    return Cost(number * band, between + max(s.cost.bytes for s in steps), error)
