"""Results as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from multiconv._units import duration, ratio

from . import _machine
from ._growth import growths
from ._results import Report, Result

MARKS = {"failed": "**failed**", "miss": "✗", "must": "✓", "aim": "✓✓", "": ""}


def text(report: Report) -> str:
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
    left_out = [f"- {r}: {n} {why}" for r in report.results for n, why in r.left_out.items()]
    if left_out:
        parts += ["", "## Left out", "", *left_out]
    return "\n".join(parts) + "\n"


def _table(results: Iterable[Result], *, full: bool) -> list[str]:
    lines = [
        "| problem | multiconv | best peer | by | ratio | must | aim | | one-shot | algorithm |",
        "| --- | --: | --: | --- | --: | --: | --: | --- | --: | --- |",
    ]
    for r in results:
        name, best = str(r) if full else r.name, r.best_peer
        if r.failure:
            lines.append(f"| {name} | | | | | | | {MARKS['failed']}: {r.failure} | | |")
            continue
        cells = [
            name, duration(r.ours), duration(r.seconds[best].minimum) if best else "", best or "",
            "" if r.ratio is None else ratio(r.ratio), f"{r.must:g}",
            f"{r.aim:g}" if r.aim else "", MARKS[r.verdict],
            "" if r.one_shot is None else ratio(r.one_shot), r.algorithm,
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines
