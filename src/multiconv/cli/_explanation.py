"""A plan's explanation on the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

import multiconv as mc
from multiconv._planner import Row

from . import _console
from ._console import console


def show(explanation: mc.Explanation) -> None:
    """Print every algorithm with its prediction or refusal, and the plan."""
    console.print(Text(explanation.problem, style="bold"), soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    table.add_column("algorithm", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("scratch", justify="right", no_wrap=True)
    table.add_column("error", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    chosen = next(r for r in explanation.rows if r.chosen)
    for row in explanation.rows:
        style = "bold green" if row.chosen else ("" if row.accepted else "dim")
        predicted = row.seconds is not None
        reason = row.reason or _comparison(row, chosen)
        table.add_row(
            "→" if row.chosen else "", row.algorithm,
            _console.duration(row.seconds) if row.seconds is not None else "",
            _console.size(row.scratch_bytes) if row.scratch_bytes is not None else "",
            f"{row.error:.1e}" if predicted and row.error is not None else "",
            Text(reason), style=style,
        )  # fmt: skip
    console.print(table)
    console.print()
    for line in explanation.tree:
        console.print(Text(line), soft_wrap=True)
    console.print()


def _comparison(row: Row, chosen: Row) -> str:
    if row.chosen or not row.seconds or not chosen.seconds:
        return ""
    ratio = row.seconds / chosen.seconds
    return f"{ratio:,.0f} times as long" if ratio >= 100 else f"{ratio:.3g} times as long"
