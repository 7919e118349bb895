"""Asks every algorithm, takes the cheapest that meets precision and memory limits.

Names no algorithm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from multiconv import _wisdom
from multiconv._errors import MemoryLimitError, RefusedError
from multiconv._machine import Machine, machine, memory_limit
from multiconv._problem import Problem, rounding
from multiconv._registry import registered
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Refusal, scratch_limit

DEFAULT_ERROR_FACTOR = 8
"""``precision="default"`` admits this many times direct summation's error."""

PREPARED, PREPARED_LOW = 4.5, 1.0
"""A prepared kernel may be so many times as large as the kernel; the second with ``low_memory``."""

PREPARED_MORE, PREPARED_MORE_ALONE = 2**20, 2**26
"""And so many bytes larger; the second where no channels are summed: spectra of image kernels."""


@dataclass(frozen=True)
class Row:
    """What the planner learned of one algorithm."""

    algorithm: str
    accepted: bool
    chosen: bool = False
    seconds: float | None = None
    scratch_bytes: int | None = None
    error: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Step:
    """A problem and the algorithm that was chosen for it."""

    problem: Problem
    traits: KernelTraits
    algorithm: Algorithm
    cost: Cost
    rows: tuple[Row, ...]
    planner: Planner

    def prepare(self, kernel: Array) -> Any:
        """What the algorithm makes of the kernel, once."""
        return self.algorithm.prepare(self.problem, kernel, self.traits, self.planner)

    def run(self, prepared: Any, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Fill ``out``."""
        self.algorithm.run(prepared, x, epilogue, out)

    @property
    def prepared_bytes(self) -> int:
        """Memory of what `prepare` returns."""
        return self.algorithm.prepared_bytes(self.problem, self.traits, self.planner)

    def scratch_bytes(self, threads: int, prepared: Any = None) -> int:
        """Scratch memory of one run on so many threads, with what `prepare` made if it did."""
        return self.algorithm.scratch_bytes(
            self.problem, self.traits, self.planner, threads, prepared
        )

    def children(self) -> tuple[Step, ...]:
        """The plans that a composite algorithm runs."""
        found = self.algorithm.children(self.problem, self.traits, self.planner)
        return tuple(c for c in found if isinstance(c, Step))

    @property
    def value_sensitive(self) -> bool:
        """Whether the kernel's values bear on this choice, or on that of a child."""
        sees_values = self.algorithm.sees_values(self.problem)
        return sees_values or any(c.value_sensitive for c in self.children())

    def tree(self) -> Iterator[str]:
        """The plan as lines, children below their parents."""
        yield f"{self.algorithm.name}  {self.problem}  {self.cost.seconds * 1e3:.3g} ms"
        children = self.children()
        for number, child in enumerate(children, start=1):
            first, *rest = child.tree()
            last = number == len(children)
            yield ("└─ " if last else "├─ ") + first
            yield from (("   " if last else "│  ") + line for line in rest)


class Planner:
    """Finds the `Step` for a problem and keeps it.

    Parameters
    ----------
    keeps : bool, optional
        Whether kernels are prepared once for many runs, so that this does not count.
    """

    LARGEST_CACHE = 2048

    def __init__(self, keeps: bool = True) -> None:
        self._keeps = keeps
        self._steps: dict[object, Step] = {}

    @property
    def machine(self) -> Machine:
        """The measured profile that costs are scaled by."""
        return machine()

    def step(
        self, problem: Problem, traits: KernelTraits, method: str = "auto", *, whole: bool = False
    ) -> Step:
        """The chosen algorithm for a problem; ``whole`` asks none that is a last resort.

        Raises
        ------
        RefusedError
            If the method named refuses the problem.
        MemoryLimitError
            If every algorithm would need more scratch than the memory limit.
        """
        key = (problem, traits, method, whole)
        found = self._steps.get(key)
        if found is None:
            found = self._choose(problem, traits, method, whole)
            # No lock: it would stay shut in a child forked while another thread held it.
            if len(self._steps) >= self.LARGEST_CACHE:
                self._steps.clear()
            self._steps[key] = found
        return found

    def forget(self) -> None:
        """Drop all kept choices, so that new wisdom is heard."""
        self._steps.clear()

    def _choose(self, problem: Problem, traits: KernelTraits, method: str, whole: bool) -> Step:
        asked = _asked(method)
        later = {n for n, a in asked.items() if a.last_resort and method == "auto"}
        verdicts: dict[str, Cost | Refusal] = {
            n: Refusal("a quicker one takes no more scratch than it may") if n in later
            else self._ask(a, problem, traits)
            for n, a in asked.items()
        }  # fmt: skip
        if method == "auto":
            if not whole and later and _lacks_room(problem, verdicts):
                verdicts |= {n: self._ask(asked[n], problem, traits) for n in later}
            costs = _costs(verdicts)
            prepared = {n: asked[n].prepared_bytes(problem, traits, self) for n in costs}
            admitted, reasons = _admit(problem, costs, prepared)
            best, why = _best(problem, admitted)
        else:
            reasons, best = {}, method
            why = "asked for by name"
            self._check_named(problem, traits, method, verdicts[method])
        rows = [_row(n, v, reasons.get(n)) for n, v in verdicts.items()]
        rows = [replace(r, chosen=True, reason=why) if r.algorithm == best else r for r in rows]
        rows.sort(key=lambda r: (not r.chosen, not r.accepted, r.seconds or 0.0))
        return Step(problem, traits, asked[best], _costs(verdicts)[best], tuple(rows), self)

    def _check_named(
        self, problem: Problem, traits: KernelTraits, method: str, verdict: Cost | Refusal
    ) -> None:
        """Raise what stands against an algorithm that was asked for."""
        if isinstance(verdict, Refusal):
            raise RefusedError(f"method: {method!r} cannot run this: {verdict.reason}")
        if verdict.bytes > memory_limit():
            raise MemoryLimitError(
                f"method: {method!r} needs {verdict.bytes} bytes of scratch memory, the memory "
                f"limit is {memory_limit()} bytes (set MULTICONV_MEMORY_LIMIT to change it)"
            )
        size = registered()[method].prepared_bytes(problem, traits, self)
        if problem.low_memory and size > _most_prepared(problem):
            raise RefusedError(f"method: {method!r} {_keeps_too_much(problem, size)}")

    def _ask(self, algorithm: Algorithm, problem: Problem, traits: KernelTraits) -> Cost | Refusal:
        refusal = algorithm.accepts(problem, traits)
        if refusal is not None:
            return refusal
        cost = algorithm.cost(problem, traits, self)
        if self._keeps:
            return cost
        packing = algorithm.packing(problem, traits, self)
        return replace(cost, seconds=cost.seconds + packing)


def _costs(verdicts: dict[str, Cost | Refusal]) -> dict[str, Cost]:
    return {n: v for n, v in verdicts.items() if isinstance(v, Cost)}


def _lacks_room(problem: Problem, verdicts: dict[str, Cost | Refusal]) -> bool:
    """Whether the quickest algorithm takes more scratch than it may."""
    costs = _costs(verdicts)
    limit = min(scratch_limit(problem), memory_limit())
    allowed = _allowed_error(problem, costs)
    precise = [c for c in costs.values() if c.error <= allowed]
    return min(precise, key=lambda c: c.seconds).bytes > limit


def _asked(method: str) -> dict[str, Algorithm]:
    found = registered()
    if method == "auto":
        return found
    if method not in found:
        words = ", ".join(repr(n) for n in ["auto", *found])
        raise ValueError(f"method: {method!r} is not registered, choose one of {words}")
    return {method: found[method]}


def _best(problem: Problem, admitted: dict[str, Cost]) -> tuple[str, str]:
    """The algorithm to take, and why."""
    remembered = _wisdom.recall(problem)
    if remembered in admitted:
        return remembered, "measured fastest by tune"
    best = min(admitted, key=lambda n: admitted[n].seconds)
    others = len(admitted) - 1
    if not others:
        return best, "no other can run it within the limits"
    return best, f"predicted faster than {others} other{'s' if others != 1 else ''}"


def _admit(
    problem: Problem, costs: dict[str, Cost], prepared: dict[str, int]
) -> tuple[dict[str, Cost], dict[str, str]]:
    """The costs that meet the precision and memory limits, and why the others do not."""
    limit = memory_limit()
    reasons = _too_large(costs, limit, "limit")
    share = _too_large(costs, scratch_limit(problem), "most that a problem of this size may take")
    if len(share) < len(costs):
        reasons = share | reasons
    most = max(_most_prepared(problem), min(prepared.values(), default=0))
    for n, size in prepared.items():
        if size > most:
            reasons.setdefault(n, _keeps_too_much(problem, size))
    allowed = _allowed_error(problem, costs)
    for n, c in costs.items():
        if c.error > allowed:
            reasons.setdefault(
                n, f"error {c.error:.1e} is above the {allowed:.1e} that precision="
                f"{problem.precision!r} allows"
            )  # fmt: skip
    admitted = {n: c for n, c in costs.items() if n not in reasons}
    if not admitted:
        raise MemoryLimitError(
            f"every algorithm needs at least {min(c.bytes for c in costs.values())} bytes of "
            f"scratch memory for this problem, the memory limit is {limit} bytes "
            "(set MULTICONV_MEMORY_LIMIT)"
        )
    return admitted, reasons


def _most_prepared(problem: Problem) -> int:
    """Bytes that a prepared kernel may take."""
    low, alone = problem.low_memory, problem.group_in == 1
    factor = PREPARED_LOW if low else PREPARED
    more = PREPARED_MORE_ALONE if alone and not low else PREPARED_MORE
    taps = math.prod(problem.kernel) * problem.group_in * problem.out_channels
    return int(factor * taps * max(problem.acc_dtype.itemsize, 4)) + more


def _keeps_too_much(problem: Problem, size: int) -> str:
    low = "low_memory allows" if problem.low_memory else "the most is"
    return f"keeps {size} bytes of prepared kernel, {low} {_most_prepared(problem)}"


def _allowed_error(problem: Problem, costs: dict[str, Cost]) -> float:
    if problem.precision == "fast":
        return math.inf
    factor = 1 if problem.precision == "highest" else DEFAULT_ERROR_FACTOR
    return max(factor * direct_error(problem), min((c.error for c in costs.values()), default=0.0))


def _too_large(costs: dict[str, Cost], limit: int, what: str) -> dict[str, str]:
    return {
        n: f"needs {c.bytes} bytes of scratch, the {what} is {limit}"
        for n, c in costs.items()
        if c.bytes > limit
    }


def direct_error(problem: Problem) -> float:
    """The error bound of direct summation in the accumulator's precision."""
    unit = rounding(problem.acc_dtype)
    if unit == 0:
        return 0.0
    terms = math.prod(problem.kernel) * max(problem.group_in, 1)
    return unit * (terms + 1) + output_rounding(problem)


def output_rounding(problem: Problem) -> float:
    """What rounding the sums to a narrower stored type adds."""
    out, sums = problem.out_dtype, problem.acc_dtype
    if out.kind in "fc" and out.itemsize < sums.itemsize:
        return rounding(out) / 2
    return 2.0**-8 if out.name == "bfloat16" else 0.0


def _row(name: str, verdict: Cost | Refusal, reason: str | None) -> Row:
    if isinstance(verdict, Refusal):
        return Row(name, accepted=False, reason=verdict.reason)
    return Row(
        name, reason is None, False, verdict.seconds, verdict.bytes, verdict.error, reason
    )  # fmt: skip


planner = Planner()
planner_of_calls = Planner(keeps=False)


def forget() -> None:
    """Drop all kept choices, so that new wisdom is heard."""
    planner.forget()
    planner_of_calls.forget()
