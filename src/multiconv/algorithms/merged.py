"""Kernels without extent along some axes: fewer axes, longer rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from multiconv._geometry import out_size
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Planning, Refusal, Step

BATCH = -1
"""Where the batch counts as an axis: the number of it."""


@dataclass(frozen=True)
class _Prepared:
    step: Step
    kernel: Any
    x_shape: tuple[int, ...]
    out_shape: tuple[int, ...]


class Merged(Algorithm):
    """Takes neighbouring axes along which the kernel has one tap for one axis.

    Images of a batch are rows of a larger one where the kernel has one tap along the first axis.
    """

    name = "merged"
    summary = "kernels of one tap along some axes, which become one: fewer and longer rows"

    OVERHEAD = 2e-6
    """Seconds that a call takes beyond its child's."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Channels one by one, neighbouring axes without extent, padding and strides."""
        if not problem.groups == problem.in_channels == problem.out_channels:
            return Refusal("it treats channels one by one")
        if all(len(run) == 1 for run in _runs(problem)):
            return Refusal("no neighbouring axes could be one")
        return None

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The child's."""
        (step,) = self.children(problem, traits, planning)
        return replace(step.cost, seconds=step.cost.seconds + self.OVERHEAD)

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """The child's; arrays whose axes do not follow one another in memory are copied."""
        (step,) = self.children(problem, traits, planning)
        if prepared is None:
            return step.scratch_bytes(threads)
        return int(prepared.step.scratch_bytes(threads, prepared.kernel))

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """The same problem with fewer axes."""
        return (planning.step(_merged(problem), replace(traits, ranks=(), rough_ranks=())),)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        """The child's preparation of the kernel without the axes."""
        (step,) = self.children(problem, traits, planning)
        child = _merged(problem)
        lead = (child.batch, child.groups, 1)
        inner = step.prepare(kernel.reshape(*kernel.shape[:3], *child.kernel))
        return _Prepared(step, inner, (*lead, *child.in_size), (*lead, *out_size(child)))

    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Run the child on views."""
        if epilogue.residual is not None:
            residual = epilogue.residual.reshape(prepared.out_shape)
            epilogue = epilogue._replace(residual=residual)
        result = out.reshape(prepared.out_shape)
        prepared.step.run(prepared.kernel, x.reshape(prepared.x_shape), epilogue, result)
        if not (out.flags.c_contiguous or np.may_share_memory(result, out)):
            out[...] = result.reshape(out.shape)


@lru_cache(maxsize=4096)
def _runs(problem: Problem) -> tuple[tuple[int, ...], ...]:
    """Neighbouring axes that become one, by their numbers."""
    facts = zip(problem.kernel, problem.stride, problem.in_dilation, problem.padding, strict=True)
    free = [fact == (1, 1, 1, (0, 0)) for fact in facts]
    runs = [[BATCH]] if free[0] and problem.batch > 1 == problem.groups else []
    for axis in range(problem.rank):
        if free[axis] and runs and (runs[-1] == [BATCH] or free[runs[-1][-1]]):
            runs[-1].append(axis)
        else:
            runs.append([axis])
    return tuple(map(tuple, runs))


@lru_cache(maxsize=4096)
def _merged(problem: Problem) -> Problem:
    runs = _runs(problem)
    ends = [run[-1] for run in runs]
    whole = len(runs[0]) > 1 and runs[0][0] == BATCH
    sizes = (problem.batch, *problem.in_size)

    def of(facts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(facts[axis] for axis in ends)

    return replace(
        problem, batch=1 if whole else problem.batch,
        in_size=tuple(math.prod(sizes[axis + 1] for axis in run) for run in runs),
        kernel=of(problem.kernel), stride=of(problem.stride), dilation=of(problem.dilation),
        in_dilation=of(problem.in_dilation), padding=of(problem.padding),
        boundary=of(problem.boundary),
    )  # fmt: skip
