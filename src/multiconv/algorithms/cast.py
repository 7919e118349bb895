"""Dtypes without native arithmetic, and mixed ones: computed in a wider type, rounded once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiconv._geometry import inputs, outputs
from multiconv._memory import empty
from multiconv._problem import Problem
from multiconv._rounding import narrowed
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Planning, Refusal, Step

PIECE = 2**16
"""Results that are converted at once."""


@dataclass(frozen=True)
class _Prepared:
    child: Step
    inner: Any


class Cast(Algorithm):
    """Converts the data to the accumulator's dtype, runs a child plan, converts the sums back."""

    name = "cast"
    summary = "float16, bfloat16, bool and mixed dtypes, by way of the accumulator's dtype"

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Problems whose data are not stored in the accumulator's dtype."""
        if problem.x_dtype == problem.out_dtype == problem.acc_dtype:
            return Refusal("the data are stored in the dtype that sums are kept in already")
        return None

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The child's cost and the conversions'."""
        child = planning.step(_wide(problem), traits).cost
        results = outputs(problem) * (2 if problem.residual else 1)
        extra = (inputs(problem) + results) * problem.acc_dtype.itemsize
        seconds = child.seconds + 4e-6 + 3 * extra / planning.machine.bandwidth1
        scratch = self.scratch_bytes(problem, traits, planning, planning.machine.threads)
        return Cost(seconds, scratch, child.error)

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """The converted data, the sums before they are converted, and the child's."""
        acc = problem.acc_dtype
        wide = inputs(problem) * (problem.x_dtype != acc)
        wide += outputs(problem) * (problem.out_dtype != acc)
        child = planning.step(_wide(problem), traits) if prepared is None else prepared.child
        inner = None if prepared is None else prepared.inner
        return wide * acc.itemsize + child.scratch_bytes(threads, inner)

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """The same problem in the accumulator's dtype."""
        return (planning.step(_wide(problem), traits),)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        """The child's preparation of the converted kernel."""
        child = planning.step(_wide(problem), traits)
        return _Prepared(child, child.prepare(kernel.astype(problem.acc_dtype)))

    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Convert, run, convert."""
        wide = prepared.child.problem.acc_dtype
        sums = out if out.dtype == wide else empty(out.shape, wide)
        if epilogue.residual is not None:
            residual = epilogue.residual.astype(wide, copy=False)
            epilogue = epilogue._replace(residual=residual)
        prepared.child.run(prepared.inner, x.astype(wide, copy=False), epilogue, sums)
        if out.dtype == np.bool_:
            np.not_equal(sums, 0, out=out)
        elif sums is not out:
            for part in _pieces(out.shape):
                out[part] = narrowed(sums[part], out.dtype)


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Parts of an array, along its longest axis, whose copies take little memory."""
    axis = max(range(len(shape)), key=lambda a: shape[a])
    step = max(PIECE * shape[axis] // max(math.prod(shape), 1), 1)
    for begin in range(0, shape[axis], step):
        yield (slice(None),) * axis + (slice(begin, begin + step),)


def _wide(problem: Problem) -> Problem:
    acc = problem.acc_dtype
    return replace(problem, x_dtype=acc, w_dtype=acc, out_dtype=acc)
