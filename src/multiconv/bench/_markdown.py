"""Results as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from multiconv._units import duration, ratio

from . import _everyone, _machine
from ._comparison import OURS, Comparison
from ._growth import growths
from ._model_result import ModelResult
from ._results import Report

_RULE = "| --- | --: | --: | --- | --: | --: | --: | --- |"
MARKS = {"failed": "**failed**", "miss": "✗", "must": "✓", "aim": "✓✓", "": ""}


def text(report: Report[Any]) -> str:
    """The machine, what is lost, and every family."""
    lost = report.lost()
    parts = [
        "# Results",
        "",
        *(f"- {line}" for line in _machine.lines(report.machine)),
        "",
        "Ratio: the best peer's least time over ours; ✓ reaches what it must, ✓✓ its aim.",
    ]
    if lost:
        parts += ["", f"## A peer is ahead, or a result differs: {len(lost)} of "
                  f"{len(report.results)}", "", *_table(lost, full=True)]  # fmt: skip
    for family in report.families:
        results = report.family(family["key"])
        parts += ["", f"## {family['title']}", "", *_table(results, full=False)]
        if family["within"]:
            parts += ["", *("- " + "".join(c.words(family["within"])) for c in growths(results))]
        if report.suite == "models":
            parts += ["", *_contestants(results)]
    left_out = [f"- {r}: {n} {why}" for r in report.results for n, why in r.left_out.items()]
    if left_out:
        parts += ["", "## Left out", "", *left_out]
    return "\n".join(parts) + "\n"


def _contestants(results: Iterable[ModelResult]) -> list[str]:
    """Everyone's times, and who was left out and why."""
    titles = [ModelResult.thing, *_everyone.TITLES]
    return [_row(titles), "| --- | --- | --: | --: | --: | --: | --: |",
            *(_row(row.cells) for row in _everyone.rows(results))]  # fmt: skip


def _table(results: Sequence[Comparison], *, full: bool) -> list[str]:
    remarks = list(next((r.remarks for r in results if not r.failure), {}))
    titles = [results[0].thing, OURS, "best peer", "by", "ratio", "must", "aim", "", *remarks]
    return [_row(titles), _RULE + " --: |" * len(remarks), *(_line(r, remarks, full=full)
                                                            for r in results)]  # fmt: skip


def _line(r: Comparison, remarks: list[str], *, full: bool) -> str:
    name, best = str(r) if full else r.name, r.best_peer
    if r.failure:
        return _row([name, *[""] * 6, f"{MARKS['failed']}: {r.failure}", *[""] * len(remarks)])
    return _row([
        name, duration(r.ours), duration(r.least(best)) if best else "", best or "",
        "" if r.ratio is None else ratio(r.ratio), f"{r.must:g}", f"{r.aim:g}" if r.aim else "",
        MARKS[r.verdict], *r.remarks.values(),
    ])  # fmt: skip


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
