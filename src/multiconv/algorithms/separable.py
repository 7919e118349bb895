"""Kernels of rank one: a pass along each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from multiconv._geometry import out_size, outputs
from multiconv._memory import empty
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits, look, rank_one_factors
from multiconv._typing import Array
from multiconv.algorithms._base import (
    NO_EPILOGUE,
    Algorithm,
    Cost,
    Epilogue,
    Planning,
    Refusal,
    Step,
)


@dataclass(frozen=True)
class _Pass:
    step: Step
    kernel: Any
    shape: tuple[int, ...]


class Separable(Algorithm):
    """Convolves with the factors of an outer product, one axis after the other.

    A kernel of ``k`` taps on each of ``r`` axes costs ``r k`` instead of ``k ** r`` products.
    """

    name = "separable"
    summary = "kernels that are an outer product of vectors, one pass per axis"
    value_sensitive = True

    BETWEEN = 1.1
    """How much longer passes take whose input has just been written, and not been read."""

    FAR = 1.1
    """How many times that long passes take whose data go to memory in between."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel problems with a known kernel of rank one."""
        if len(_axes(problem)) < 2:
            return Refusal("the kernel extends along fewer than two axes")
        if problem.group_in != 1:
            return Refusal("it treats channels one by one, this problem sums over them")
        if problem.group_out != 1:
            return Refusal("it makes one output of each channel, this problem makes several")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if problem.cval != 0:
            return Refusal("passes cannot carry a boundary value other than 0")
        if problem.acc_dtype != problem.out_dtype or problem.acc_dtype.kind not in "iufc":
            return Refusal("sums between passes would be cut to the stored dtype")
        if not traits.known:
            return Refusal("the kernel's values are not known")
        return None if traits.separable else Refusal("the kernel is no outer product of vectors")

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The sum of the passes and the largest intermediate."""
        steps = self.children(problem, traits, planning)
        eps = rounding(problem.acc_dtype)
        size = outputs(problem) * problem.acc_dtype.itemsize
        far = size > planning.machine.threads * planning.machine.cache
        again = self.BETWEEN * (self.FAR if far else 1.0)
        return Cost(
            again * sum(s.cost.seconds for s in steps) + 0.5e-6 * len(steps),
            self.scratch_bytes(problem, traits, planning, planning.machine.threads),
            sum(s.cost.error for s in steps) + 16 * eps,
        )

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """What a pass reads and writes beside input and output; threads keep what passes took."""
        if prepared is None:
            passes = [(s, None) for s in self.children(problem, traits, planning)]
        else:
            passes = [(one.step, one.kernel) for one in prepared]
        between = [outputs(s.problem) * problem.acc_dtype.itemsize for s, _ in passes[:-1]]
        held = max(map(sum, zip([0, *between], [*between, 0], strict=True)))
        return held + max(step.scratch_bytes(threads, kernel) for step, kernel in passes)

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """One pass per axis along which the kernel extends."""
        # Lines are of lesser range than their product.
        along = replace(traits, separable=False, wide_range=False, wide_in_double=False)
        return tuple(planning.step(p, along) for p in _passes(problem))

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> tuple[_Pass, ...]:
        """Factor the kernel and prepare each pass."""
        kernel = kernel.astype(problem.acc_dtype)
        factors = rank_one_factors(kernel, problem.rank)
        if factors is None:
            raise ValueError("kernel: it is no outer product of vectors any more")
        active = _axes(problem)
        # Factors of axes without extent are numbers; the first pass takes them along.
        rest = [f for a, f in enumerate(factors) if a not in active]
        factors[active[0]] = math.prod(rest, start=factors[active[0]])
        prepared = []
        for axis, child in zip(active, _passes(problem), strict=True):
            seen = look(factors[axis], problem.rank)
            along = replace(seen, cosines=traits.cosines, separable=False)  # as `children` asks
            step = planning.step(child, along)
            shape = (problem.batch, problem.groups, 1, *out_size(child))
            prepared.append(_Pass(step, step.prepare(factors[axis]), shape))
        return tuple(prepared)

    def run(self, prepared: tuple[_Pass, ...], x: Array, epilogue: Epilogue, out: Array) -> None:
        """Pass after pass; the last one writes the output."""
        for one in prepared[:-1]:
            between = empty(one.shape, out.dtype)
            one.step.run(one.kernel, x, NO_EPILOGUE, between)
            x = between
        prepared[-1].step.run(prepared[-1].kernel, x, epilogue, out)


def _axes(problem: Problem) -> list[int]:
    """Axes along which the kernel extends."""
    return [a for a, k in enumerate(problem.kernel) if k > 1]


def _passes(problem: Problem) -> list[Problem]:
    axes = _axes(problem)
    passes, size = [], problem.in_size
    for number, axis in enumerate(axes):
        last = number == len(axes) - 1
        only = {axis} if not last else {axis, *(a for a in range(problem.rank) if a not in axes)}

        def pick(values: Any, neutral: Any, only: set[int] = only) -> Any:
            return tuple(v if a in only else neutral for a, v in enumerate(values))

        one = replace(
            problem, in_size=size, kernel=pick(problem.kernel, 1),
            stride=pick(problem.stride, 1), dilation=pick(problem.dilation, 1),
            in_dilation=pick(problem.in_dilation, 1), padding=pick(problem.padding, (0, 0)),
            x_dtype=problem.x_dtype if number == 0 else problem.acc_dtype,
            bias=problem.bias and last, activation=problem.activation if last else None,
            scale=problem.scale and last, residual=problem.residual and last,
        )  # fmt: skip
        passes.append(one)
        size = out_size(one)
    return passes
