"""The planner's choice of an algorithm against the clock, problem by problem."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import multiconv as mc
from multiconv import _wisdom
from multiconv._planner import planner

from ._call import spell
from ._clock import Timing, interleave
from ._sample import Draw

HOPELESS = 20.0
"""Algorithms predicted to take so many times the least are not run."""
SLOW = 5.0
"""Algorithms whose first call takes so many times the quickest's are timed by that call alone."""
CLOSE = 1.04
"""A choice slower than the best by this factor is measured longer before it counts as lost."""
CONTENDER = 1.3
ROUNDS, MORE_ROUNDS, BUDGET, MORE_BUDGET = 5, 25, 0.25, 0.5
WARM_CALLS, FIRST = 5, 1.0
"""Calls until one is taken for warm, unless the first, which meets new memory, is as long."""


@dataclass(frozen=True)
class Verdict:
    """One problem: what was chosen, and what every candidate was predicted and measured to take.

    Attributes
    ----------
    problem, kernel : str
        The canonical string, and the kind of values.
    chosen : str
    predicted, measured : dict of str to float
        Seconds by algorithm, for those that ran.
    """

    problem: str
    kernel: str
    chosen: str
    predicted: dict[str, float]
    measured: dict[str, float]

    @property
    def best(self) -> str:
        """The algorithm that was quickest."""
        return min(self.measured, key=self.measured.__getitem__)

    @property
    def loss(self) -> float:
        """How many times the best the choice takes."""
        return self.measured[self.chosen] / self.measured[self.best]


def judge(draws: Iterable[Draw]) -> Iterator[Verdict]:
    """Measure every candidate of every problem; measured choices of earlier times are ignored."""
    with _wisdom.ignored():
        planner.forget()
        for one in draws:
            try:
                yield _judge(one)
            except Exception as error:
                raise RuntimeError(f"planner: {one.problem} fails: {error}") from error
    planner.forget()


def _judge(one: Draw) -> Verdict:
    spelling = spell(one.problem)
    x, w = one.arrays(spelling.x_shape, spelling.w_shape)
    make = partial(mc.plan, spelling.function, x, w, **spelling.options)
    rows = [r for r in make().explain().rows if r.accepted and r.seconds]
    least = min(r.seconds or 0.0 for r in rows)
    predicted = {r.algorithm: r.seconds or 0.0 for r in rows
                 if r.chosen or (r.seconds or 0.0) <= HOPELESS * least}  # fmt: skip
    calls = {name: partial(make(method=name), x) for name in predicted}
    measured = {name: t.minimum for name, t in _timings(calls, rows[0].algorithm).items()}
    return Verdict(str(one.problem), one.kind, rows[0].algorithm, predicted, measured)


def _timings(calls: dict[str, Any], chosen: str) -> dict[str, Timing]:
    firsts = {name: _warm_call(run) for name, run in calls.items()}
    limit = SLOW * min(firsts.values())
    quick = {name: run for name, run in calls.items() if firsts[name] <= limit}
    found = interleave(quick, ROUNDS, BUDGET)
    best = min(t.minimum for t in found.values())
    if chosen in found and found[chosen].minimum > CLOSE * best:
        near = {n: calls[n] for n, t in found.items()
                if n == chosen or t.minimum < CONTENDER * best}  # fmt: skip
        found |= interleave(near, MORE_ROUNDS, MORE_BUDGET, known=found)
    return {name: found.get(name) or Timing([firsts[name]]) for name in calls}


def _warm_call(run: Any) -> float:
    """Seconds of the quickest of some calls after the first, or of the first if that was long."""
    took = []
    for _ in range(WARM_CALLS):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
        if sum(took) > (FIRST if len(took) == 1 else BUDGET / 5):
            break
    return min(took[1:] or took)


def summary(verdicts: list[Verdict]) -> dict[str, Any]:
    """The figures that count, for JSON: shares of problems, and the worst loss."""
    losses = [v.loss for v in verdicts]
    return {
        "problems": len(verdicts),
        "within 10 %": sum(loss <= 1.1 for loss in losses) / len(losses),
        "within 2 times": sum(loss <= 2 for loss in losses) / len(losses),
        "worst": max(losses),
        "verdicts": [asdict(v) | {"loss": v.loss} for v in verdicts],
    }
