"""Interleaved timing: in each round every contestant runs once.

A machine whose speed drifts then drifts for all, and minima can be compared.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from statistics import median
from typing import Any

Call = Callable[[], Any]
SAMPLE = 5e-4
"""A sample takes at least this many seconds: calls that are shorter are repeated."""
FEW = 3
PAUSE, LONGEST_PAUSE = 1e-3, 0.2
"""Seconds after which threads are looked at, and in which all stop spinning."""
REST = 0.05
"""Of a processor's time that threads at rest take."""
SHORT, WARM = 0.1, 5e-3
"""A call of fewer seconds runs for some before its sample: sleeping threads take long to wake."""
HOPELESS = 10
"""Who takes this many times as long as the quickest runs in the first `FEW` rounds alone."""


@dataclass
class Timing:
    """Seconds a call, one sample a round."""

    samples: list[float] = field(default_factory=list)
    repeats: int = 1
    expected: float = 0.0

    @property
    def minimum(self) -> float:
        """The least disturbed sample."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """The usual sample."""
        return median(self.samples)


def interleave(
    calls: Mapping[str, Call], rounds: int = 15, seconds: float = math.inf,
    known: Mapping[str, Timing] | None = None,
) -> dict[str, Timing]:  # fmt: skip
    """Time calls that have run before.

    Parameters
    ----------
    calls : mapping
        Contestants by name.
    rounds : int, default 15
    seconds : float, optional
        Budget: no round begins later, but for the first `FEW`.
    known : mapping, optional
        Timings of an earlier run to go on with.
    """
    start = time.perf_counter()
    timings = dict(known) if known else {name: _calibrated(run) for name, run in calls.items()}
    with _no_collection():
        for number in range(rounds):
            if number >= FEW and time.perf_counter() - start > seconds:
                break
            quickest = min((t.minimum for t in timings.values() if t.samples), default=math.inf)
            for name, run in calls.items():
                timing = timings[name]
                if number < FEW or timing.minimum < HOPELESS * quickest:
                    timing.samples.append(_warm_sample(run, timing))
    return {name: timings[name] for name in calls}


def _calibrated(run: Call) -> Timing:
    """How often the call is to be repeated for a sample."""
    repeats, took = 1, _sample(run, 1)
    if took < SHORT:
        took = min(took, _sample(run, 1))
    while took < SAMPLE:
        repeats = math.ceil(repeats * min(10.0, 1.2 * SAMPLE / max(took, 1e-9)))
        took = _sample(run, repeats) * repeats
    return Timing(repeats=repeats, expected=took / repeats)


def _warm_sample(run: Call, timing: Timing) -> float:
    """A sample that what ran before has little part in."""
    _rest()
    if timing.expected < SHORT:
        end = time.perf_counter() + WARM
        run()
        while time.perf_counter() < end:
            run()
    return _sample(run, timing.repeats)


def _rest() -> None:
    """Wait until the last contestant's threads, which may spin for a while, are asleep."""
    end = time.perf_counter() + LONGEST_PAUSE
    while (start := time.perf_counter()) < end:
        used = time.process_time()
        time.sleep(PAUSE)
        if time.process_time() - used < REST * (time.perf_counter() - start):
            return


def _sample(run: Call, repeats: int) -> float:
    if repeats == 1:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    start = time.perf_counter()
    for _ in repeat(None, repeats):
        run()
    return (time.perf_counter() - start) / repeats


@contextmanager
def _no_collection() -> Iterator[None]:
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
