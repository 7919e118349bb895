"""Compares results, then times them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

import multiconv as mc
from multiconv._problem import rounding
from multiconv._typing import Array

from ._case import Case
from ._clock import HOPELESS, Timing, interleave
from ._comparison import OURS, Seconds
from ._layer_case import LayerCase
from ._problems import Entry, Family
from ._results import Result
from .peers import Offer

TOLERANCE = 1000
"""Units of rounding by which floats may differ, relative to the largest result."""
PATIENCE = 3.0
"""A peer whose first call takes more seconds is left out."""
LONG = 0.1
"""Seconds up to which every contestant's first call is followed by others."""


class Contestants(Protocol):
    """Where peers' calls come from."""

    def offers(self, case: Case) -> Iterable[Offer]: ...


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes
    ----------
    rounds : int
    seconds : float
        Budget of one case.
    """

    rounds: int = 15
    seconds: float = 2.5


def run(
    families: Iterable[Family], peers: Contestants, effort: Effort,
    tell: Callable[[Result], None] = lambda result: None,
) -> list[Result]:  # fmt: skip
    """Measure every entry, telling each result at once."""
    results = []
    for family in families:
        for entry in family.entries:
            results.append(measure(entry, peers, effort))
            tell(results[-1])
    return results


def measure(entry: Entry, peers: Contestants, effort: Effort) -> Result:
    """Compare the results of all who can run it, then time them."""
    result, case = Result.of(entry), case_of(entry)
    try:
        calls = case.calls()
        reference = np.asarray(calls[OURS]())
        result.algorithm = case.algorithm()
    except (ValueError, TypeError, MemoryError) as error:
        result.failure = f"multiconv: {error}"
        return result
    firsts = {name: _seconds(run) for name, run in calls.items()}
    agreeing, differing = 0, ""
    for offer in peers.offers(case):
        first = _first_call(offer, case, reference)
        agreeing += first.agrees
        differing = differing or (f"{offer.name} {first.objection}" if first.differs else "")
        if first.objection:
            result.left_out[offer.name] = first.objection
        else:
            calls[offer.name], firsts[offer.name] = offer.run, first.seconds
    if differing and not agreeing:  # it may be us
        result.failure = differing
    else:
        result.seconds = timed(calls, firsts, effort)
    return result


def case_of(entry: Entry) -> Case:
    """The entry with data: a layer's, where it has channels."""
    p = entry.problem
    layer = max(p.groups, p.in_channels, p.out_channels) > 1 and not entry.filter
    return LayerCase(entry) if layer else Case(entry)


def timed(
    calls: Mapping[str, Callable[[], Any]], firsts: Mapping[str, float], effort: Effort,
    long: float = LONG,
) -> dict[str, Seconds]:  # fmt: skip
    """Time those who may win; of others that take long, the first call is enough."""
    limit = max(HOPELESS * min(firsts[name] for name in calls), long)
    timings = interleave(
        {n: run for n, run in calls.items() if firsts[n] <= limit}, effort.rounds, effort.seconds
    )
    timings |= {n: Timing([firsts[n]]) for n in calls if firsts[n] > limit}
    return {n: Seconds(t.minimum, t.median, len(t.samples)) for n, t in timings.items()}


@dataclass(frozen=True)
class _First:
    """A peer's first call: why it is left out, if it is, and what was found."""

    objection: str
    seconds: float = 0.0
    agrees: bool = False
    differs: bool = False


def _first_call(offer: Offer, case: Case, reference: Array) -> _First:
    if offer.objection:
        return _First(offer.objection)
    start = time.perf_counter()
    try:
        found = np.asarray(offer.run())
    except Exception as error:  # whatever another library may raise
        return _First(f"fails: {' '.join(str(error).split())[:120]}")
    took = time.perf_counter() - start
    if offer.unit != 1:
        found = (found - offer.zero) * offer.unit
    complaint = difference(found, reference, case, offer.levels)
    if complaint:
        return _First(complaint, differs=True)
    return _First(f"took {took:.0f} s" if took > PATIENCE else "", took, agrees=True)


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def difference(found: Array, reference: Array, case: Case, levels: float = 1.0) -> str:
    """What sets a result apart from ours, if more than rounding does."""
    if found.size != reference.size:
        return f"gives {found.shape} where multiconv gives {reference.shape}"
    worst, scale = 0.0, 0.0
    for a, b in _chunks(found.reshape(-1), reference.reshape(-1)):
        worst = float(np.maximum(worst, np.abs(a - b).max()))  # unlike max(), keeps a NaN
        scale = float(np.maximum(scale, np.abs(b).max()))
    problem = case.entry.problem
    if problem.out_dtype.kind in "iu":
        exact = levels <= 1 and problem.acc_dtype == problem.out_dtype
        allowed = 0.0 if exact else levels
    else:
        allowed = TOLERANCE * rounding(problem.out_dtype) * scale
    if worst <= allowed:  # false where either holds a NaN
        return ""
    return f"differs from multiconv by {worst:.3g}, allowed is {allowed:.3g}"


def _chunks(found: Array, reference: Array, size: int = 2**20) -> Iterator[tuple[Array, Array]]:
    """Parts of both, wide enough for their difference, so that large results need no copies."""
    kind = "complex128" if reference.dtype.kind == "c" else "float64"
    for start in range(0, reference.size, size):
        part = slice(start, start + size)
        yield found[part].astype(kind), reference[part].astype(kind)


def with_threads(threads: int | None) -> int:
    """Set our threads, and say how many there are."""
    if threads is not None:
        mc.set_num_threads(threads)
    return mc.get_num_threads()
