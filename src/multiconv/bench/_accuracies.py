"""``multiconv bench --accuracy``: in the terminal and as a page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from multiconv._planner import DEFAULT_ERROR_FACTOR

from . import _machine
from ._accuracy import Accuracy, accuracies, worst
from ._problems import Entry, select
from ._progress import Progress
from ._runner import with_threads

if TYPE_CHECKING:
    from .run import Where

FILES = "accuracy.json", "accuracy.md"
TITLES = "error/largest", "error/Σ|x||w|", "bound", "times direct"


def accuracy(console: Console, where: Where, family: str, only: str, threads: int | None) -> int:
    """Run every algorithm on every layer of the least batch, print and write; the exit status."""
    entries = list(_entries(family, only))
    machine, found = _machine.describe(with_threads(threads), {}), list[Accuracy]()
    with Progress(len(entries), sys.stderr) as progress:
        for entry in entries:
            found += accuracies(entry)
            progress.step(str(entry))
    show(console, found, machine)
    stored = {"machine": machine, "layers": [asdict(one) for one in found]}
    if where.json is not None:
        where.json.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    if where.publish is not None:
        figures, table = (where.publish / name for name in FILES)
        figures.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        table.write_text(markdown(found, machine), encoding="utf-8")
    return 0


def _entries(family: str, only: str) -> Iterator[Entry]:
    """Layers of floating-point numbers at the least of their batches; others have no error."""
    for one in select(only, family, "layers"):
        least = min(entry.problem.batch for entry in one.entries)
        for entry in one.entries:
            if entry.problem.batch == least and entry.problem.x_dtype.kind not in "biu":
                yield entry


def show(console: Console, found: list[Accuracy], machine: dict[str, object]) -> None:
    """The worst of the choices, then a table of everything."""
    for line in _machine.lines(machine):
        console.print(Text(line, style="dim"))
    good = worst(found) <= DEFAULT_ERROR_FACTOR
    mark = Text("✓ " if good else "✗ ", style="bold green" if good else "bold red")
    console.print()
    console.print(mark + Text(_claim(found), style="bold") + Text(f"  {_limit()}", style="dim"))
    console.print()
    table = _table()
    for layer, *cells in rows_of(found):
        if layer and table.row_count:
            console.print(table)
            console.print()
            table = _table()
        if layer:
            console.print(Text(layer, style="bold"), soft_wrap=True)
        table.add_row(*cells)
    console.print(table)


def _table() -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True, min_width=20)
    for title in TITLES:
        table.add_column(title, justify="right", no_wrap=True, min_width=13)
    return table


def rows_of(found: Iterable[Accuracy]) -> Iterator[tuple[str, ...]]:
    """Cells of a table: a layer's name stands in its first row alone."""
    layer = ""
    for one in found:
        name = "" if one.layer == layer else one.layer
        layer = one.layer
        yield (
            name, ("→ " if one.chosen else "  ") + one.algorithm, f"{one.relative:.1e}",
            f"{one.weighted:.1e}", f"{one.bound:.1e}", f"{one.times_direct:.1f}",
        )  # fmt: skip


def markdown(found: list[Accuracy], machine: dict[str, object]) -> str:
    """The same as a page."""
    titles = " | ".join(("layer", "algorithm", *TITLES)).replace("|x||w|", r"\|x\|\|w\|")
    lines = [
        "# Accuracy of the layers", "", *(f"- {line}" for line in _machine.lines(machine)), "",
        f"{_claim(found)} ({_limit()}); → is what the planner takes.", "",
        f"| {titles} |", "| --- | --- | --: | --: | --: | --: |",
        *(f"| {' | '.join(row)} |" for row in rows_of(found)),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _claim(found: Iterable[Accuracy]) -> str:
    return f"the default is at most {worst(found):.1f} times as wrong as direct summation"


def _limit() -> str:
    return f"must {DEFAULT_ERROR_FACTOR:g}"
