"""Results in the terminal: what is lost first, then family by family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from multiconv._units import duration, ratio

from . import _machine
from ._growth import growths
from ._results import OURS, Report, Result

MARKS = {"failed": "!!", "miss": "✗", "must": "✓", "aim": "✓✓", "": ""}
STYLES = {"failed": "bold red", "miss": "orange3", "must": "green", "aim": "bold green", "": ""}
WIDE = 100
"""Columns from which there is room for the algorithm and the ratio of medians."""


def show(report: Report, console: Console) -> None:
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
    _close(console, report)


def _table(console: Console, results: Iterable[Result], name: object) -> None:
    assert callable(name)
    wide = console.width >= WIDE
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    results = list(results)
    room = max(len(name(r)) for r in results)
    width = min(max(room, 40), console.width - 60) if wide else 32
    table.add_column("", width=width, no_wrap=True, overflow="ellipsis")
    columns = {OURS: 9, "peer": 8, "by": 10, "ratio": 5, "must": 4, "aim": 4, "": 2}
    for title, width in columns.items():
        table.add_column(title, width=width, no_wrap=True,
                         justify="left" if title in ("by", "") else "right")  # fmt: skip
    if wide:
        table.add_column("medians", width=7, justify="right", no_wrap=True)
        table.add_column("one-shot", width=8, justify="right", no_wrap=True)
        table.add_column("algorithm", no_wrap=True)
    for result in results:
        cells = _cells(result)
        table.add_row(name(result), *(cells if wide else cells[: len(columns)]))
        if result.failure:
            table.add_row(Text(result.failure, style="red", overflow="fold"))
    console.print(table)


def _cells(result: Result) -> list[str | Text]:
    style, mark = STYLES[result.verdict], MARKS[result.verdict]
    if result.failure:
        return [*[""] * 6, Text(mark, style=style), "", "", ""]
    best, minima, medians = result.best_peer, "", ""
    if best is not None and result.ratio is not None:
        minima = ratio(result.ratio)
        medians = ratio(result.seconds[best].median / result.seconds[result.best_of_ours].median)
    if result.ratio is not None and result.ratio < 1:
        style = "bold red"
    return [
        duration(result.ours), duration(result.seconds[best].minimum) if best else "", best or "-",
        Text(minima, style=style), f"{result.must:g}", f"{result.aim:g}" if result.aim else "",
        Text(mark, style=style), medians,
        "" if result.one_shot is None else ratio(result.one_shot), result.algorithm,
    ]  # fmt: skip


def _count(results: list[Result]) -> str:
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


def _close(console: Console, report: Report) -> None:
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
