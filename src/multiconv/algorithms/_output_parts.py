"""What the algorithms share that make each part of the output with some of the taps alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Planning, Step

Places = tuple[slice, ...]
"""Where something lies on the spatial axes."""


class OutputPart(NamedTuple):
    """Outputs that are a problem by themselves: of these taps, unflipped, and these samples."""

    problem: Problem
    taps: Places
    samples: Places
    outputs: Places


@dataclass(frozen=True)
class _Prepared:
    step: Step
    kernel: Any
    samples: Places
    outputs: Places


class OutputParts(Algorithm):
    """One convolution for each part of the output, without the taps that meet zeros there."""

    skips_zeros = True

    overhead: ClassVar[float]
    """Seconds that a part takes beyond its child's run."""

    @abstractmethod
    def parts(self, problem: Problem) -> Iterable[OutputPart]:
        """The parts of a problem that it accepts."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The sum of the parts."""
        steps = self.children(problem, traits, planning)
        return Cost(
            sum(s.cost.seconds + self.overhead for s in steps),
            max((s.cost.bytes for s in steps), default=0),
            max((s.cost.error for s in steps), default=0.0),
        )

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """One problem for each part."""
        return tuple(planning.step(part.problem, traits.part) for part in self.parts(problem))

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> Any:
        """Prepare the taps of each part."""
        kernel = self.unflipped(problem, kernel)
        prepared = []
        for part in self.parts(problem):
            step = planning.step(part.problem, traits.part)
            packed = step.prepare(kernel[_view(part.taps)])
            prepared.append(_Prepared(step, packed, _view(part.samples), _view(part.outputs)))
        return tuple(prepared)

    def unflipped(self, problem: Problem, kernel: Array) -> Array:
        """The kernel that parts' taps are places of."""
        return np.flip(kernel, tuple(range(3, 3 + problem.rank))) if problem.flip else kernel

    def run(self, prepared: Any, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Part after part, each into its own outputs."""
        for one in prepared:
            mine = epilogue.part(one.outputs)
            one.step.run(one.kernel, x[one.samples], mine, out[one.outputs])


def _view(places: Places) -> Places:
    """The same in a canonical view."""
    return (slice(None), slice(None), slice(None), *places)
