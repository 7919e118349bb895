"""Layers: one row a family, one dot a problem, by the ratio of times."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from multiconv._units import ratio

from . import _style
from ._problems import PASSES
from ._results import Report, Result

WORDS = {"forward": "forward", "input_grad": "input gradient", "weight_grad": "weight gradient"}
ROW = 0.5
LEFT, RIGHT, TOP, BOTTOM = 2.3, 0.35, 1.15, 0.85


def draw(report: Report[Any], folder: Path) -> list[Path]:
    """Draw the suite of layers; nothing for another or where nothing was measured."""
    if report.suite != "layers":
        return []
    rows = [(f["title"], way, found) for way in PASSES for f in report.families
            if (found := _timed(report, f["key"], way))]  # fmt: skip
    if not rows:
        return []
    with _style.style():
        width, height = 8.8, TOP + BOTTOM + ROW * len(rows) + 0.3 * (len(PASSES) - 1)
        figure = Figure(figsize=(width, height))
        place = (LEFT / width, BOTTOM / height, 1 - (LEFT + RIGHT) / width,
                 1 - (TOP + BOTTOM) / height)  # fmt: skip
        _panel(figure.add_axes(place), rows)
        _style.caption(
            figure, "Layers: how many times as fast as the best other library",
            "float32 unless said; a dot a layer and batch size, a tick what its family must reach; "
            "red: another is ahead", report.machine,
        )  # fmt: skip
        return _style.save(figure, folder, "layers")


def _timed(report: Report[Result], family: str, way: str) -> list[Result]:
    found = [r for r in report.family(family) if r.direction == way]
    return [r for r in found if not r.failure and r.ratio is not None]


def _panel(axes: Any, rows: list[tuple[str, str, list[Result]]]) -> None:
    values = [r.ratio or 1.0 for _, _, found in rows for r in found]
    least, most = min(*values, 0.5) / 1.2, max(*values, 4.0) * 1.2
    height, before, labels = 0.0, rows[0][1], []
    for title, way, found in rows:
        height -= 1.6 if way != before else 1.0
        if way != before or height == -1.0:
            place = ("axes fraction", "data")
            axes.annotate(WORDS[way], (1, height + 0.55), xycoords=place, ha="right", va="center",
                          size=8, color=_style.FAINT, style="italic")  # fmt: skip
        before = way
        labels.append((height, title))
        _row(axes, height, found)
    axes.axvline(1, color=_style.INK, linewidth=0.9, zorder=1)
    axes.set(xscale="log", xlim=(least, most), ylim=(height - 0.7, 0.0))
    axes.set_yticks([h for h, _ in labels], [t for _, t in labels])
    ticks = [2.0**e for e in range(math.ceil(math.log2(least)), math.floor(math.log2(most)) + 1)]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: ratio(v) if v >= 1 else f"{v:g}"))
    axes.grid(axis="x", color=_style.RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.tick_params(axis="y", labelcolor=_style.INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _row(axes: Any, height: float, found: list[Result]) -> None:
    axes.axhline(height, color=_style.RULE, linewidth=0.6, zorder=0)
    for limit in {r.must for r in found}:
        axes.plot([limit, limit], [height - 0.28, height + 0.28], color=_style.LIMIT, linewidth=1.6)
    for result in found:
        value = result.ratio or 1.0
        axes.plot(value, height, "o", markersize=6, markeredgewidth=0.7,
                  color=_style.OURS if value >= 1 else _style.LOST,
                  markeredgecolor=_style.PAPER, alpha=0.85)  # fmt: skip
