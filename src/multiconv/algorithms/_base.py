"""What an algorithm is. A new one is a new file in this folder with one subclass."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

from multiconv._geometry import inputs
from multiconv._machine import Machine
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array

LEAST_LIMIT = 64_000_000
"""Bytes of scratch that every plan may take."""


def scratch_limit(problem: Problem) -> int:
    """Bytes of scratch that a plan may take: a quarter of the input's, or 64 MB if that is more."""
    return max(inputs(problem) * problem.x_dtype.itemsize // 4, LEAST_LIMIT)


@dataclass(frozen=True)
class Refusal:
    """Why an algorithm cannot run a problem: half a sentence for people."""

    reason: str


@dataclass(frozen=True)
class Cost:
    """A prediction.

    Attributes
    ----------
    seconds : float
        Time of one run, kernel preparation left out.
    bytes : int
        Scratch memory of one run, output and prepared kernel left out.
    error : float
        Bound on the largest error, relative to the largest ``sum |x||w|``. 0 is exact.
    """

    seconds: float
    bytes: int
    error: float


class Epilogue(NamedTuple):
    """The arrays that finish the sums: ``activation(scale * sums + bias + residual)``.

    ``bias`` and ``scale`` are ``(groups * out,)`` in the accumulator's dtype, ``residual`` is a
    canonical view of the output's shape and dtype; None where the problem has none.
    """

    bias: Array | None = None
    scale: Array | None = None
    residual: Array | None = None

    def part(self, places: tuple[slice, ...]) -> Epilogue:
        """What finishes the outputs at some places."""
        if self.residual is None:
            return self
        return self._replace(residual=self.residual[places])


NO_EPILOGUE = Epilogue()


class Step(Protocol):
    """A planned problem: what a composite algorithm gets from the planner for a child."""

    @property
    def problem(self) -> Problem: ...
    @property
    def cost(self) -> Cost: ...
    @property
    def prepared_bytes(self) -> int: ...
    def scratch_bytes(self, threads: int, prepared: Any = None) -> int: ...
    def prepare(self, kernel: Array) -> Any: ...
    def run(self, prepared: Any, x: Array, epilogue: Epilogue, out: Array) -> None: ...


class Planning(Protocol):
    """What the planner offers an algorithm."""

    @property
    def machine(self) -> Machine: ...
    def step(self, problem: Problem, traits: KernelTraits, *, whole: bool = False) -> Step:
        """The child plan of a problem; ``whole`` asks no algorithm that is a last resort."""
        ...


class Algorithm(ABC):
    """One way to compute a `Problem`.

    Arrays are canonical views with free strides: ``x (batch, groups, in, *in_size)``,
    ``kernel (groups, out, in, *kernel)``, ``out (batch, groups, out, *out_size)``, where ``in`` and
    ``out`` count the channels of one group.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    """What it accepts and what it is best at, in one line."""

    value_sensitive: ClassVar[bool] = False
    """Whether its answers depend on kernel values, so that they must be seen before it runs."""

    skips_zeros: ClassVar[bool] = False
    """Whether it leaves out products with zeros, which taps that are not finite would show."""

    by_rows: ClassVar[bool] = False
    """Whether what `prepare` makes of a kernel serves some rows of a problem's results as well."""

    PACKING: ClassVar[float] = 16.0
    """Trips of the kernel, and of what is made of it, at one thread's bandwidth that preparing it
    takes."""

    last_resort: ClassVar[bool] = False
    """Whether it is asked only where a quicker algorithm takes more scratch than it may."""

    def sees_values(self, problem: Problem) -> bool:
        """Whether kernel values must be seen before it runs this problem."""
        return self.value_sensitive

    @abstractmethod
    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """None where it can run the problem, else why not."""

    @abstractmethod
    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Predict a run of a problem that it accepts."""

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """Scratch memory of one run on so many threads; `Cost.bytes` is for the default number.

        What `prepare` made tells a composite algorithm's children, which it may have chosen by the
        values of their kernels.
        """
        return self.cost(problem, traits, planning).bytes

    @abstractmethod
    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> Any:
        """Everything that depends on the kernel alone; read-only and shared between threads."""

    @abstractmethod
    def run(self, prepared: Any, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Fill ``out``, which overlaps no other array, with finished results."""

    def bound(
        self, prepared: Any, x: Array, epilogue: Epilogue, out: Array
    ) -> Callable[[], object]:
        """`run` on these arrays, for who calls it again and again."""
        return partial(self.run, prepared, x, epilogue, out)

    def packing(self, problem: Problem, traits: KernelTraits, planning: Planning) -> float:
        """Predict the seconds of `prepare`, which `cost` leaves out; children's costs have them."""
        if self.PACKING == 0 or self.children(problem, traits, planning):
            return 0.0
        size = weight_bytes(problem) + self.prepared_bytes(problem, traits, planning)
        return self.PACKING * size / planning.machine.bandwidth1

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """The child plans of a composite algorithm; others have none."""
        return ()

    def prepared_bytes(self, problem: Problem, traits: KernelTraits, planning: Planning) -> int:
        """Memory of what `prepare` returns: its children's, or else a copy of the kernel."""
        children = self.children(problem, traits, planning)
        return sum(c.prepared_bytes for c in children) if children else weight_bytes(problem)


def weight_bytes(problem: Problem) -> int:
    """Bytes of the kernel's values as they are summed."""
    taps = math.prod(problem.kernel) * problem.group_in * problem.out_channels
    return taps * problem.acc_dtype.itemsize
