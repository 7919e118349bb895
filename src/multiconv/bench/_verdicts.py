"""``multiconv bench --planner`` in the terminal."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from multiconv._units import duration, ratio

from . import _machine
from ._judge import Verdict, judge, summary
from ._progress import Progress
from ._runner import with_threads
from ._sample import draw

if TYPE_CHECKING:
    from .run import Where

MUST_SHARE, MUST_WORST = 0.95, 2.0
WORST = 12
"""Problems listed."""
LONG, LONG_NAME = 50e-6, ">50 µs"
"""Calls whose time is the algorithm's, not the call's: the median of these alone calibrates."""
OFF = 2.0
"""Predictions off by more than this factor are marked."""


def planner(console: Console, where: Where, count: int, seed: int, threads: int | None) -> int:
    """Draw, measure, print and write; the exit status."""
    if count < 1:
        raise ValueError(f"count: {count} problems are not allowed, draw at least 1")
    used = with_threads(threads)
    machine, verdicts = _machine.describe(used, {}), list[Verdict]()
    with Progress(count, sys.stderr) as progress:
        for verdict in judge(draw(count, seed)):
            verdicts.append(verdict)
            progress.step(
                f"{verdict.problem}: {verdict.chosen}, {ratio(verdict.loss)} times the best"
            )
    show(console, verdicts, machine)
    stored = {"machine": machine, "seed": seed} | summary(verdicts)
    published = where.publish / "planner.json" if where.publish is not None else None
    for path in (where.json, published):
        if path is not None:
            path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    return 0


def show(console: Console, verdicts: list[Verdict], machine: dict[str, object]) -> None:
    """The shares, the worst choices, and how far each algorithm's predictions are off."""
    facts = summary(verdicts)
    for line in _machine.lines(machine):
        console.print(Text(line, style="dim"))
    console.print()
    share, worst = facts["within 10 %"], facts["worst"]
    _fact(console, f"{share:.1%} of {len(verdicts)} choices are within 10 % of the best measured",
          share >= MUST_SHARE, f"must {MUST_SHARE:.0%}")  # fmt: skip
    _fact(console, f"the worst takes {ratio(worst)} times the best", worst <= MUST_WORST,
          f"must {MUST_WORST:g}")  # fmt: skip
    console.print()
    _worst(console, verdicts)
    console.print()
    _predictions(console, verdicts)


def _fact(console: Console, text: str, good: bool, limit: str) -> None:
    mark = Text("✓ " if good else "✗ ", style="bold green" if good else "bold red")
    console.print(mark + Text(text, style="bold") + Text(f"  {limit}", style="dim"))


def _worst(console: Console, verdicts: list[Verdict]) -> None:
    lost = sorted((v for v in verdicts if v.loss > 1.1), key=lambda v: -v.loss)
    if not lost:
        return
    for verdict in lost[:WORST]:
        console.print(Text(f"{verdict.problem}, {verdict.kernel} kernel"), soft_wrap=True)
        console.print(_candidates(verdict))
        console.print()
    if len(lost) > WORST:
        console.print(Text(f"and {len(lost) - WORST} more", style="dim"))


def _candidates(verdict: Verdict) -> Table:
    """Every algorithm that ran, quickest first."""
    table = _table("", "predicted", "measured", "times")
    least = verdict.measured[verdict.best]
    for name, seconds in sorted(verdict.measured.items(), key=lambda item: item[1]):
        mine = name == verdict.chosen
        table.add_row(
            ("→ " if mine else "  ") + name, duration(verdict.predicted[name]), duration(seconds),
            ratio(seconds / least), style="bold red" if mine else "",
        )  # fmt: skip
    return table


def _predictions(console: Console, verdicts: list[Verdict]) -> None:
    """Predicted over measured: 1 is right, below 1 is hopeful."""
    table = _table("predicted / measured", "10 %", "median", "90 %", LONG_NAME, f"off > {OFF:g}",
                   "ran", "chosen", "best")  # fmt: skip
    chosen, best = Counter(v.chosen for v in verdicts), Counter(v.best for v in verdicts)
    for name in sorted({name for v in verdicts for name in v.measured}):
        quotients = np.array([v.predicted[name] / v.measured[name]
                              for v in verdicts if name in v.measured])  # fmt: skip
        low, middle, high = np.quantile(quotients, [0.1, 0.5, 0.9])
        lasting = [v.predicted[name] / v.measured[name] for v in verdicts
                   if v.measured.get(name, 0.0) >= LONG]  # fmt: skip
        off = float(np.mean((quotients > OFF) | (quotients < 1 / OFF)))
        table.add_row(
            name, ratio(low), ratio(middle), ratio(high),
            ratio(float(np.median(lasting))) if lasting else "", f"{off:.0%}", str(len(quotients)),
            str(chosen[name]), str(best[name]),
            style="orange3" if not 1 / OFF <= middle <= OFF else "",
        )  # fmt: skip
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(title, no_wrap=True, min_width=22)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    return table
