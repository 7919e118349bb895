"""Results in the terminal: what is lost first, then family by family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from multiconv._units import duration, ratio

from . import _everyone, _machine
from ._comparison import OURS, Comparison
from ._growth import growths
from ._model_result import ModelResult
from ._results import Report, Result

MARKS = {"failed": "!!", "miss": "✗", "must": "✓", "aim": "✓✓", "": ""}
STYLES = {"failed": "bold red", "miss": "orange3", "must": "green", "aim": "bold green", "": ""}
LEFT = "by", "", "algorithm", "way"
"""Titles of columns of words."""
WIDE = 100
"""Columns from which there is room for the ratio of medians and the remarks."""


def show(report: Report[Any], console: Console) -> None:
    """Print the machine, what is lost, every family, and a summary."""
    for line in _machine.lines(report.machine):
        console.print(Text(line, style="dim"))
    lost = report.lost()
    if lost:
        _heading(console, f"A peer is ahead, or a result differs: {len(lost)} of "
                 f"{len(report.results)}", "bold red")  # fmt: skip
        _table(console, lost, name=str)
    for family in report.families:
        results = report.family(family["key"])
        _heading(console, family["title"], "bold", _count(results))
        _table(console, results, name=lambda r: r.name)
        if family["within"]:
            _growth(console, results, family["within"])
        if report.suite == "models":
            _contestants(console, results)
    _close(console, report)


def _table(
    console: Console, results: Sequence[Comparison], name: Callable[[Comparison], str]
) -> None:
    widths = {OURS: 9, "peer": 8, "by": 10, "ratio": 5, "must": 4, "aim": 4, "": 2}
    widths["by"] = max(widths["by"], *(len(r.best_peer or "") for r in results))
    notes = [{} if r.failure else r.remarks for r in results]
    if console.width >= WIDE:
        widths["medians"] = 7
        for title in dict.fromkeys(title for row in notes for title in row):
            widths[title] = max(len(title), *(len(row.get(title, "")) for row in notes))
    room = console.width - sum(widths.values()) - len(widths)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    wanted = max(40, *(len(name(r)) for r in results))
    table.add_column("", width=min(wanted, room), no_wrap=True, overflow="ellipsis")
    for title, width in widths.items():
        table.add_column(title, width=width, no_wrap=True,
                         justify="left" if title in LEFT else "right")  # fmt: skip
    for result, row in zip(results, notes, strict=True):
        cells = _cells(result) | row
        table.add_row(name(result), *(cells.get(title, "") for title in widths))
    console.print(table)
    for result in results:
        if result.failure:
            console.print(Text(f"{name(result)}: {result.failure}", style="red"))


def _cells(result: Comparison) -> dict[str, str | Text]:
    """By column; nothing but the mark of what failed."""
    style = STYLES[result.verdict]
    cells: dict[str, str | Text] = {"": Text(MARKS[result.verdict], style=style)}
    if result.failure:
        return cells
    cells |= {OURS: duration(result.ours), "must": f"{result.must:g}", "by": "-",
              "aim": f"{result.aim:g}" if result.aim else ""}  # fmt: skip
    best = result.best_peer
    if best is None or result.ratio is None:
        return cells
    medians = result.seconds[best].median / result.seconds[result.best_of_ours].median
    return cells | {
        "peer": duration(result.least(best)), "by": best, "medians": ratio(medians),
        "ratio": Text(ratio(result.ratio), style="bold red" if result.ratio < 1 else style),
    }  # fmt: skip


def _contestants(console: Console, results: Sequence[ModelResult]) -> None:
    """Everyone's times, and who was left out and why."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for number, title in enumerate(_everyone.TITLES):
        table.add_column(title, justify="right" if number else "left", no_wrap=True)
    for row in _everyone.rows(results):
        table.add_row(*row.cells, style="" if row.ours else "dim")
    console.print()
    console.print(table)
    for result in results:
        for contestant, why in result.left_out.items():
            console.print(Text(f"{result.name}: {contestant} left out, {why}", style="dim"))


def _count(results: Sequence[Comparison]) -> str:
    seen = Counter(r.verdict for r in results)
    parts = [f"{seen['must'] + seen['aim']} of {len(results)} reach what they must"]
    if any(r.aim for r in results):
        parts.append(f"{seen['aim']} their aim")
    return ", ".join(parts)


def _growth(console: Console, results: list[Result], within: float) -> None:
    for curve in growths(results):
        start, told, end = curve.words(within)
        style = STYLES["must" if curve.factor <= within else "miss"]
        console.print(Text(start) + Text(told, style=style) + Text(end))


def _close(console: Console, report: Report[Any]) -> None:
    left_out = Counter(n for r in report.results for n in r.left_out)
    console.print()
    if left_out:
        words = ", ".join(f"{name} {count}" for name, count in left_out.most_common())
        console.print(Text(f"Left out for time, memory or an error, in so many cases: {words}",
                           style="dim"))  # fmt: skip
    console.print(Text(_count(report.results), style="bold"))


def _heading(console: Console, title: str, style: str, remark: str = "") -> None:
    console.print()
    console.print(Text(title, style=style), Text(remark, style="dim"), sep="  ")
