"""Predicted times against the kernel's size: where one algorithm overtakes another."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from multiconv._geometry import out_size

from ._machine_problem import SEEN_TAPS, Asked, with_taps

SIZES = (1, 3, 5, 7, 9, 11, 13, 15, 19, 23, 27, 31, 37, 43, 49, 57, 65, 81, 97, 113, 129)
LONGER = (181, 257, 363, 513, 725, 1025, 1449, 2049, 2897, 4097, 8193, 16385, 32769, 65537)
"""For those alone whose kernel is longer than the usual ones."""

PLANNING = 0.004
"""Seconds that a plan takes, a look at the kernel included."""


def curve_seconds(asked: Asked) -> float:
    """What `curve_of` will take."""
    return PLANNING * len(_problems(asked))


def curve_of(asked: Asked) -> dict[str, Any]:
    """For every algorithm the sizes that it accepts and its predicted seconds; the winners."""
    series: dict[str, list[tuple[int, float]]] = {}
    winners = []
    for size, one in _problems(asked):
        step = one.step()
        for row in step.rows:
            if row.accepted and row.seconds is not None:
                series.setdefault(row.algorithm, []).append((size, row.seconds))
        winners.append((size, step.algorithm.name, step.cost.seconds))
    now = asked.step()
    here = (max(asked.problem.kernel), now.algorithm.name, now.cost.seconds)
    return {"series": series, "winners": winners, "here": here}


def _problems(asked: Asked) -> list[tuple[int, Asked]]:
    """The problem with each size of kernel that fits."""
    problem, found = asked.problem, []
    longest = 2 * max(problem.kernel)
    for size in (*SIZES, *(n for n in LONGER if SIZES[-1] < longest and n <= longest)):
        kernel = (size,) * problem.rank
        other = with_taps(problem, kernel)
        fits = all(n >= size for n in problem.in_size)
        taps = math.prod(kernel) * problem.out_channels * problem.group_in
        if fits and (asked.kernel == "random" or taps <= SEEN_TAPS) and _possible(other):
            found.append((size, replace(asked, problem=other)))
    return found


def _possible(problem: Any) -> bool:
    try:
        return min(out_size(problem)) > 0
    except ValueError:
        return False
