"""Steps that are worth being computed together, a few rows of their results at a time.

What lies between two of them then stays in the cache of the thread that needs it next, and threads
wait for each other once. It costs rows that two threads both need and both compute, and that every
thread reads all kernels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from multiconv._geometry import out_size, result_bytes, window
from multiconv._machine import Machine
from multiconv._plan import Plan
from multiconv._problem import Problem
from multiconv.algorithms._base import weight_bytes
from multiconv.algorithms._native import HAND_OUT

LONGEST = 8
"""Steps of a cascade at most."""

SHARE = 0.5
"""Of a thread's cache that the rows between steps may take."""

EACH = 0.3e-6
"""Seconds that a step takes before its first and after its last row, each time."""

PASSES = 1.5
"""Bytes that go to far caches and back while a copy moves one through memory."""


@dataclass(frozen=True)
class Cascade:
    """Steps ``[begin, end)``, so many rows of the last one's results at a time."""

    begin: int
    end: int
    rows: int


@dataclass(frozen=True)
class Stage:
    """What a step is to a cascade."""

    problem: Problem
    seconds: float

    @property
    def height(self) -> int:
        """Rows of its results, of one image."""
        return out_size(self.problem)[0]

    @property
    def row_bytes(self) -> int:
        """Of its results."""
        return result_bytes(self.problem) // (self.problem.batch * self.height)

    def reads(self, rows: int) -> int:
        """Rows that so many of its results are made from."""
        problem = self.problem
        return (rows - 1) * problem.stride[0] + window(problem.kernel[0], problem.dilation[0])


def stage_of(plan: Any) -> Stage | None:
    """The step of a plan, if it can be run for some rows with the kernel that is prepared."""
    if not isinstance(plan, Plan) or plan.algorithm != plan.kept.algorithm.name:
        return None
    problem = plan.problem
    fits = (
        plan.kept.algorithm.by_rows
        and problem.data_format == "channels_last"
        and problem.boundary[0] == "constant"
        and problem.in_dilation[0] == 1
        and problem.x_dtype == problem.acc_dtype == problem.out_dtype
        and problem.acc_dtype.name in ("float32", "float64")
    )
    return Stage(problem, plan.kept.cost.seconds) if fits else None


def find_cascades(
    parts: Sequence[Any], plans: Sequence[Any], first: int, bound: Collection[int], machine: Machine
) -> list[Cascade]:
    """The cascades that are predicted to save most.

    Parameters
    ----------
    parts : sequence of Part
    plans : sequence
        Theirs.
    first : int
        The place of the first one's result.
    bound : collection of int
        Places whose memory stays where it is, handed out by nobody.
    machine : Machine
    """
    reads = [[i for i in (part.x, part.residual) if i is not None] for part in parts]
    users = Counter(place for used in reads for place in used)
    stages = [
        stage_of(plan) if {*reads[n], first + n} <= set(bound) else None
        for n, plan in enumerate(plans)
    ]
    best: list[tuple[float, list[Cascade]]] = [(0.0, [])]
    for end in range(1, len(parts) + 1):
        saved, found = best[-1]
        for begin in range(end - 2, max(end - 1 - LONGEST, -1), -1):
            place = first + begin
            alone = users[place] == 1 and parts[begin + 1].x == place
            together = [stage for stage in stages[begin:end] if stage is not None]
            if not alone or len(together) < end - begin:
                break
            rows = band_of(together, machine)
            gain = best[begin][0] + (saving(together, rows, machine) if rows else 0.0)
            if gain > saved:
                saved, found = gain, [*best[begin][1], Cascade(begin, end, rows)]
        best.append((saved, found))
    return best[-1][1]


def band_of(stages: Sequence[Stage], machine: Machine) -> int:
    """Rows of a band, as many as the cache holds what lies between for; 0 where not even one."""
    share = -(-stages[-1].problem.batch * stages[-1].height // machine.threads)
    most = min(share, stages[-1].height)
    while most > 0 and _between(stages, most) > SHARE * machine.cache:
        most -= 1
    return most and -(-share // -(-share // most))


def _between(stages: Sequence[Stage], rows: int) -> int:
    """Bytes between the stages for so many rows of the last one."""
    total = 0
    for before, stage in zip(stages[-2::-1], stages[:0:-1], strict=True):
        rows = min(stage.reads(rows), before.height)
        total += rows * before.row_bytes
    return total


def saving(stages: Sequence[Stage], rows: int, machine: Machine) -> float:
    """Predicted seconds that a cascade is quicker by than its stages one after the other."""
    threads, images = machine.threads, stages[-1].problem.batch
    all_rows = images * stages[-1].height
    share = -(-all_rows // threads)
    uneven = share * threads / all_rows
    cuts = sum(share * n % stages[-1].height != 0 for n in range(1, threads))
    begins = HAND_OUT + machine.wake
    gain = begins * (len(stages) - 1)
    twice = 0  # rows of a stage that two threads compute where an image is cut
    for stage in reversed(stages):
        more = uneven * (1 + cuts * twice / (images * stage.height)) - 1
        gain -= more * max(stage.seconds - begins, 0.0)
        gain -= (threads - 1) * weight_bytes(stage.problem) / machine.bandwidth
        gain -= -(-share // rows) * EACH
        twice = max(stage.reads(twice), 0)
    between = [result_bytes(stage.problem) for stage in stages[:-1]]
    held = threads * machine.cache
    far = sum(size * min(1.0, size / held) for size in between)
    return gain + 2 * far / (PASSES * machine.bandwidth)
