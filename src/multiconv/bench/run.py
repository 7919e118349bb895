"""What ``multiconv bench`` does: measure, show, write."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from multiconv._units import duration, ratio

from . import (
    _growth_picture,
    _layers_picture,
    _machine,
    _map,
    _markdown,
    _models_picture,
    _terminal,
)
from ._accuracies import accuracy
from ._comparison import Comparison
from ._model_result import ModelResult
from ._problems import Family, select
from ._progress import Progress
from ._results import Report
from ._runner import Effort, with_threads
from ._runner import run as run_families
from ._verdicts import planner
from .peers import Peers

FILES = {"single": ("results.json", "table.md"), "layers": ("layers.json", "layers.md"),
         "models": ("models.json", "models.md")}  # fmt: skip
"""What a suite is published as: figures and their table."""
SECONDS = {"models": 60.0}
"""Time an entry, where it is not as long as any problem's."""
QUICK = Effort(rounds=3, seconds=0.5)


@dataclass(frozen=True)
class Where:
    """Where results go beside the terminal."""

    json: Path | None = None
    pictures: Path | None = None
    publish: Path | None = None


def measure(
    suite: str, family: str, only: str, effort: Effort, threads: int | None, *,
    batch: int | None = None, smallest: bool = False,
) -> Report[Any]:  # fmt: skip
    """Measure the problems that are chosen, telling each on standard error."""
    if suite == "models":
        return _measure_models(family, only, effort, threads, batch, smallest=smallest)
    chosen = select(only, family, suite, batch)
    if smallest:
        chosen = [_smallest(one) for one in chosen]
    count = with_threads(threads)
    peers = Peers()
    machine = _machine.describe(count, peers.versions)
    progress = Progress(sum(len(f.entries) for f in chosen), sys.stderr)
    with peers.threads(count), progress:
        results = run_families(chosen, peers, effort, lambda r: progress.step(_line(r)))
    return Report.of(machine, chosen, results, suite)


def _measure_models(
    family: str, only: str, effort: Effort, threads: int | None, batch: int | None, *,
    smallest: bool,
) -> Report[ModelResult]:  # fmt: skip
    """The same for whole networks; torch is imported here, which takes its time."""
    from . import models

    chosen = models.select(only, family, batch)
    if smallest:
        chosen = models.lightest(chosen)
    count = with_threads(threads)
    machine = _machine.describe(count, models.versions())
    progress = Progress(len(chosen), sys.stderr)
    with models.threads(count), progress:
        results = models.run(
            chosen, effort, count, lambda r: progress.step(_line(r)), progress.note
        )
    return Report.of(machine, models.families(chosen), results, "models")


def effort_of(suite: str, rounds: int, seconds: float | None) -> Effort:
    """How long a suite is measured, a budget taken from it unless given."""
    return Effort(rounds, SECONDS.get(suite, Effort.seconds) if seconds is None else seconds)


def read(path: Path) -> Report[Any]:
    """A report from its file."""
    return Report.load(path)


def show(console: Console, report: Report[Any], where: Where) -> None:
    """Print the report, and write it wherever it is wanted."""
    _terminal.show(report, console)
    written = []
    if where.json is not None:
        report.save(where.json)
        written.append(where.json)
    if where.publish is not None:
        figures, table = (where.publish / name for name in FILES[report.suite])
        report.save(figures)
        table.write_text(_markdown.text(report), encoding="utf-8")
        written += [figures, table]
    for folder in dict.fromkeys((where.pictures, where.publish)):
        if folder is not None:
            for picture in (_map, _growth_picture, _layers_picture, _models_picture):
                written += picture.draw(report, folder)
    _tell(console, written)


def _tell(console: Console, written: Iterable[Path]) -> None:
    for path in written:
        console.print(f"→ {path}", style="dim", soft_wrap=True)


def _smallest(family: Family) -> Family:
    entry = min(family.entries, key=lambda e: math.prod((*e.problem.in_size, *e.problem.kernel)))
    return replace(family, entries=[entry])


def _line(result: Comparison) -> str:
    if result.failure:
        return f"{result}: {result.failure}"
    words = f"{result}: {duration(result.ours)}"
    return (
        words
        if result.ratio is None
        else f"{words}, {ratio(result.ratio)} times {result.best_peer}"
    )


__all__ = ["QUICK", "Where", "accuracy", "effort_of", "measure", "planner", "read", "show"]
