"""Cost growth: time per sample against size, with what the machine allows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from . import _style
from ._growth import Curve, growths, limits
from ._results import Report

ACROSS = 2


def draw(report: Report[Any], folder: Path) -> list[Path]:
    """One panel for each kernel of the families that grow; nothing where none was measured."""
    curves = growths(report.drawn("growth"))
    within = max((f["within"] for f in report.families if f["picture"] == "growth"), default=0.0)
    if not curves:
        return []
    with _style.style():
        down = math.ceil(len(curves) / ACROSS)
        width, height = 8.8, 1.15 + 2.65 * down
        figure = Figure(figsize=(width, height))
        bottom, top = _range(curves, report.machine)
        for number, curve in enumerate(curves):
            row, column = divmod(number, ACROSS)
            axes = figure.add_axes((
                (0.62 + 4.15 * column) / width, (height - 0.98 - 2.65 * row - 2.1) / height,
                3.75 / width, 2.1 / height,
            ))  # fmt: skip
            axes.set(xscale="log", yscale="log", ylim=(bottom, top))
            _panel(axes, curve, limits(curve, report.machine), within)
            if column == 0:
                axes.set_ylabel("ns a sample")
            if number + ACROSS >= len(curves):
                axes.set_xlabel("samples")
        _style.caption(
            figure, "Time per sample against size",
            "float32; grey: out of reach of any call that reads and writes memory; green: within "
            f"{within:g} times our best", report.machine,
        )  # fmt: skip
        return _style.save(figure, folder, "growth")


def _range(curves: list[Curve], machine: dict[str, Any]) -> tuple[float, float]:
    """The same for all panels: nanoseconds from below the limit to above the slowest."""
    slowest = [t for c in curves for t in (*c.ours, *c.peer) if math.isfinite(t)]
    floor = min(limits(c, machine)["memory bandwidth"] for c in curves)
    return floor * 1e9 / 2.5, max(slowest) * 1e9 * 2.5


def _panel(axes: Any, curve: Curve, limit: dict[str, float], within: float) -> None:
    samples = curve.samples
    axes.set_xlim(samples[0] / 1.6, samples[-1] * 1.6)
    axes.set_title(curve.title, loc="left")
    memory, direct = (value * 1e9 for value in limit.values())
    bottom, top = axes.get_ylim()
    axes.axhspan(bottom, memory, color=_style.LIMIT, alpha=0.22, linewidth=0)
    _level(axes, memory, "memory bandwidth", solid=True)
    if memory < direct < top:
        _level(axes, direct, "direct sum at peak", solid=False)
    if within:
        least = 1e9 * curve.least
        axes.axhspan(least, within * least, color=_style.OURS, alpha=0.1, linewidth=0)
    ahead = [math.log(p / o) for o, p in zip(curve.ours, curve.peer, strict=True)]
    known = [i for i, gap in enumerate(ahead) if math.isfinite(gap)]
    inner = [i for i in known if 0.2 <= i / len(samples) <= 0.75] or known
    place = max(inner, key=lambda i: abs(ahead[i]), default=len(samples) // 2)
    below = not known or ahead[place] > 0
    _line(axes, samples, curve.ours, _style.OURS, "multiconv", place, below=below)
    if known:
        _line(axes, samples, curve.peer, _style.PEER, "best other", place, below=not below)
    exponents = [e for e in range(0, 64, 3) if samples[0] <= 2**e <= samples[-1]]
    axes.xaxis.set_major_locator(FixedLocator([2**e for e in exponents]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _style.power(math.log2(v), 2)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.grid(axis="y", color=_style.RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")


def _level(axes: Any, value: float, text: str, *, solid: bool) -> None:
    axes.axhline(value, color=_style.LIMIT, linewidth=1, linestyle="-" if solid else (0, (3, 3)))
    side, offset = ("top", -2) if solid else ("bottom", 2)
    end = ("right", 1, -3) if solid else ("left", 0, 3)  # where curves are fewest
    label = axes.annotate(text, (end[1], value), xycoords=("axes fraction", "data"),
                  xytext=(end[2], offset), textcoords="offset points", ha=end[0], va=side, size=7,
                  zorder=4, color=_style.FAINT)  # fmt: skip
    if not solid:  # curves may cross it
        label.set_path_effects([withStroke(linewidth=2.5, foreground=_style.PAPER)])


def _line(
    axes: Any, samples: list[int], seconds: list[float], colour: str, name: str, place: int,
    *, below: bool,
) -> None:  # fmt: skip
    values = [1e9 * s for s in seconds]
    axes.plot(samples, values, color=colour, linewidth=1.8, marker="o", markersize=3.2,
              solid_capstyle="round")  # fmt: skip
    text = axes.annotate(name, (samples[place], values[place]), (0, -6 if below else 6),
                  textcoords="offset points", ha="center", va="top" if below else "bottom", size=8,
                  weight="bold", color=colour)  # fmt: skip
    text.set_path_effects([withStroke(linewidth=2.5, foreground=_style.PAPER)])
