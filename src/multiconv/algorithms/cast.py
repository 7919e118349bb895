"""What is computed in a wider type and rounded once.

Dtypes without native arithmetic, mixed ones, and kernels whose small taps a transform would lose in
single precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiconv._geometry import inputs, outputs
from multiconv._memory import empty
from multiconv._problem import Problem, rounding
from multiconv._rounding import narrowed
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Planning, Refusal, Step

_DOUBLE = {np.dtype(np.float32): np.dtype(np.float64),
           np.dtype(np.complex64): np.dtype(np.complex128)}  # fmt: skip

PIECE = 2**16
"""Results that are converted at once."""


@dataclass(frozen=True)
class _Prepared:
    child: Step
    inner: Any


class Cast(Algorithm):
    """Converts the data to a wider dtype, runs a child plan, converts the sums back."""

    name = "cast"
    summary = "float16, bfloat16, bool and mixed dtypes; kernels of wide range in double precision"
    value_sensitive = True

    def sees_values(self, problem: Problem) -> bool:
        """Where the data are stored as wide as sums are kept already."""
        return _is_stored_wide(problem)

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Problems whose data are not stored in the accumulator's dtype, or need a wider one."""
        if not _is_stored_wide(problem):
            return None
        if not traits.wide_range or problem.acc_dtype not in _DOUBLE:
            return Refusal("the data are stored in the dtype that sums are kept in already")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if traits.wide_in_double:
            return Refusal("double precision would lose the kernel's small taps, too")
        return None

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The child's cost and the conversions'."""
        (step,) = self.children(problem, traits, planning)
        child = step.cost
        results = outputs(problem) * (2 if problem.residual else 1)
        extra = (inputs(problem) + results) * step.problem.acc_dtype.itemsize
        seconds = child.seconds + 4e-6 + 3 * extra / planning.machine.bandwidth1
        scratch = self.scratch_bytes(problem, traits, planning, planning.machine.threads)
        # Sums of double precision become values of single precision, once.
        rounded = rounding(problem.out_dtype) / 2 if _is_stored_wide(problem) else 0.0
        return Cost(seconds, scratch, child.error + rounded)

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """The converted data, the sums before they are converted, and the child's."""
        (child,) = self.children(problem, traits, planning)
        if prepared is not None:
            child = prepared.child
        wide = child.problem.acc_dtype
        numbers = inputs(problem) * (problem.x_dtype != wide)
        numbers += outputs(problem) * (problem.out_dtype != wide)
        inner = None if prepared is None else prepared.inner
        return numbers * wide.itemsize + child.scratch_bytes(threads, inner)

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """The same problem in the wider dtype, whose roundings leave no outer products."""
        if _is_stored_wide(problem):
            traits = replace(
                traits, wide_range=traits.wide_in_double, separable=False, ranks=(), rough_ranks=()
            )
        return (planning.step(_wide(problem), traits),)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        """The child's preparation of the converted kernel."""
        (child,) = self.children(problem, traits, planning)
        return _Prepared(child, child.prepare(kernel.astype(child.problem.acc_dtype)))

    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Convert, run, convert."""
        wide = prepared.child.problem.acc_dtype
        sums = out if out.dtype == wide else empty(out.shape, wide)
        epilogue = Epilogue(*(a if a is None else a.astype(wide, copy=False) for a in epilogue))
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


def _is_stored_wide(problem: Problem) -> bool:
    return problem.x_dtype == problem.out_dtype == problem.acc_dtype


def _wide(problem: Problem) -> Problem:
    wide = problem.acc_dtype
    if _is_stored_wide(problem):
        wide = _DOUBLE[wide]
    return replace(problem, x_dtype=wide, w_dtype=wide, acc_dtype=wide, out_dtype=wide)
