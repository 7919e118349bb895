"""Time per sample against size: the curves of a family and what the machine allows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from multiconv._units import ratio

from ._results import Result


@dataclass(frozen=True)
class Curve:
    """The results of one kernel, smallest data first."""

    title: str
    results: tuple[Result, ...]

    @property
    def samples(self) -> list[int]:
        """Samples of each result's data."""
        return [math.prod(r.parsed().in_size) * r.parsed().batch for r in self.results]

    @property
    def ours(self) -> list[float]:
        """Our seconds a sample."""
        return [r.ours / n for r, n in zip(self.results, self.samples, strict=True)]

    @property
    def peer(self) -> list[float]:
        """The best peer's seconds a sample; NaN where none ran."""
        times = [r.seconds[r.best_peer].minimum if r.best_peer else math.nan for r in self.results]
        return [t / n for t, n in zip(times, self.samples, strict=True)]

    @property
    def least(self) -> float:
        """Our best seconds a sample."""
        return min(self.ours)

    @property
    def factor(self) -> float:
        """Our worst seconds a sample over our best."""
        return max(self.ours) / self.least

    def words(self, within: float) -> tuple[str, str, str]:
        """The judgement, its middle the part that tells."""
        return (
            f"{self.title}: {self.least * 1e9:.3g} ns a sample at best, ",
            f"{ratio(self.factor)} times that at worst", f" (at most {within:g})",
        )  # fmt: skip


def growths(results: Iterable[Result]) -> list[Curve]:
    """One curve for each kernel."""
    found: dict[tuple[int, ...], list[Result]] = {}
    for result in results:
        if not result.failure:
            found.setdefault(result.parsed().kernel, []).append(result)
    curves = []
    for kernel, members in found.items():
        members.sort(key=lambda r: math.prod(r.parsed().in_size))
        taps = "x".join(map(str, kernel))
        curves.append(Curve(f"{len(kernel)}-D, {taps} taps", tuple(members)))
    return curves


def limits(curve: Curve, machine: dict[str, Any]) -> dict[str, float]:
    """The least seconds a sample that the machine allows, by what sets the limit.

    Every sample is read once and written once; direct summation multiplies and adds once a tap.
    """
    problem, profile, threads = curve.results[0].parsed(), machine["profile"], machine["threads"]
    moved = problem.x_dtype.itemsize + problem.out_dtype.itemsize
    bandwidth = profile["bandwidth"] if threads > 1 else profile["bandwidth1"]
    flops = profile["flops64" if problem.x_dtype.itemsize > 4 else "flops32"] * threads
    return {
        "memory bandwidth": moved / bandwidth,
        "direct sum at peak": 2 * math.prod(problem.kernel) / flops,
    }
