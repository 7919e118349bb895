"""Whole models: one bar a network, one panel a form of use, by the ratio of times."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from multiconv._units import ratio

from . import _style
from ._model_result import ModelResult
from ._results import Report

ROW, WIDE, LABEL = 0.42, 2.3, 1.45
"""Inches: a row's height, a panel's width, and that of the words at its right."""
LEFT, RIGHT, TOP, BOTTOM = 1.25, 0.1, 1.15, 0.85
THICK, TICK = 0.5, 0.36
"""Of a bar, and half of a limit's mark, in rows."""
TICKS = 7
"""At most."""


def draw(report: Report[Any], folder: Path) -> list[Path]:
    """Draw the suite of models; nothing for another or where nothing was measured."""
    panels = [f for f in report.families if any(map(_drawn, report.family(f["key"])))]
    if report.suite != "models" or not panels:
        return []
    names = list(dict.fromkeys(r.name for r in report.results))
    with _style.style():
        width = LEFT + RIGHT + (WIDE + LABEL) * len(panels)
        height = TOP + BOTTOM + ROW * len(names)
        figure = Figure(figsize=(max(width, 7.8), height))
        for number, family in enumerate(panels):
            axes = _axes(figure, LEFT + number * (WIDE + LABEL))
            axes.set_title(family["title"], loc="left", size=9)
            _panel(axes, {r.name: r for r in report.family(family["key"])}, names)
            axes.set_yticks(range(len(names)), [] if number else names)
        _style.caption(
            figure, "Whole models: how many times as fast as the best other library",
            "float32; a line is what must be reached, dots the aim; red: another is ahead",
            report.machine,
        )  # fmt: skip
        return _style.save(figure, folder, "models")


def _axes(figure: Figure, left: float) -> Any:
    width, height = figure.get_size_inches()
    return figure.add_axes(
        (left / width, BOTTOM / height, WIDE / width, 1 - (TOP + BOTTOM) / height)
    )


def _drawn(result: ModelResult) -> bool:
    return not result.failure and result.ratio is not None


def _panel(axes: Any, found: dict[str, ModelResult], names: list[str]) -> None:
    for height, name in enumerate(names):
        result = found.get(name)
        if result is not None and _drawn(result):
            _bar(axes, height, result, result.ratio or 1.0)
        elif result is not None:
            _words(axes, height, "failed" if result.failure else "no peer", "", _style.LOST)
    axes.axvline(1, color=_style.INK, linewidth=0.9, zorder=3)
    drawn = filter(_drawn, found.values())
    values = [v for r in drawn for v in (r.ratio or 1.0, r.must, r.aim or 1.0)]
    axes.set(xscale="log", xlim=(min(*values, 0.6) / 1.2, max(*values, 2.0) * 1.2),
             ylim=(len(names) - 0.5, -0.5))  # fmt: skip
    _ticks(axes)
    axes.grid(axis="x", color=_style.RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.tick_params(axis="y", labelcolor=_style.INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _ticks(axes: Any) -> None:
    """Powers of 2, or of 4 where there are many, 1 among them."""
    low, high = (math.log2(v) for v in axes.get_xlim())
    step = math.ceil((high - low) / TICKS)
    exponents = range(step * math.ceil(low / step), math.floor(high) + 1, step)
    axes.xaxis.set_major_locator(FixedLocator([2.0**e for e in exponents]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def _bar(axes: Any, height: int, result: ModelResult, value: float) -> None:
    colour = _style.OURS if value >= 1 else _style.LOST
    axes.barh(height, value - 1, THICK, left=1, color=colour, linewidth=0)
    for limit, dashes in ((result.must, "-"), (result.aim, (0, (1, 1)))):
        if limit:
            axes.plot([limit, limit], [height - TICK, height + TICK], linestyle=dashes,
                      color=_style.FAINT, linewidth=1.4, zorder=4)  # fmt: skip
    _words(axes, height, ratio(value), result.best_peer or "", colour)


def _words(axes: Any, height: int, figure: str, remark: str, colour: str) -> None:
    """At the right of a panel: the figure, and who is the best peer."""
    right = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    axes.annotate(figure, (1, height), (30, 0), ha="right", size=8, weight="bold", color=colour,
                  **right)  # fmt: skip
    axes.annotate(remark, (1, height), (34, 0), size=7, color=_style.FAINT, **right)
