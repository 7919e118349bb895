"""The map of ratios: kernel size against data size, one panel a rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from multiconv._units import ratio

from . import _style
from ._results import Report, Result

LEAST, MOST = 1 / 32, 32.0
"""Ratios at which the colours end."""
COLOURS = LinearSegmentedColormap.from_list("ratio", [_style.LOST, _style.EVEN, _style.WON])
SCALE = Normalize(math.log2(LEAST), math.log2(MOST))
Cell = tuple[float, float, Result]


def draw(report: Report[Any], folder: Path) -> list[Path]:
    """Draw what `problems/` puts on the map; nothing where nothing was measured."""
    panels = _panels(report.drawn("map"))
    if not panels:
        return []
    with _style.style():
        columns = {rank: len({x for x, _, _ in cells}) for rank, cells in panels.items()}
        width = 2.2 + sum(0.62 * n + 0.75 for n in columns.values())
        figure = Figure(figsize=(max(width, 6.5), 4.8))
        _lay_out(figure, report, panels, columns)
        return _style.save(figure, folder, "ratios")


def _panels(results: Sequence[Result]) -> dict[int, list[Cell]]:
    """By rank, float32 alone: log10 of the samples, log10 of the taps on a side, the result."""
    found: dict[int, list[Cell]] = {}
    for result in results:
        problem = result.parsed()
        if result.ratio is not None and problem.x_dtype.name == "float32":
            cell = (math.log10(math.prod(problem.in_size)), math.log10(problem.kernel[0]), result)
            found.setdefault(problem.rank, []).append(cell)
    return dict(sorted(found.items()))


def _lay_out(
    figure: Figure, report: Report[Any], panels: dict[int, list[Cell]], columns: dict[int, int]
) -> None:
    width, height = figure.get_size_inches()
    left, bottom, top = 0.72, 0.78, 1.02
    room = width - left - 1.35 - 0.72 * (len(panels) - 1)
    for rank, cells in panels.items():
        wide = room * columns[rank] / sum(columns.values())
        axes = figure.add_axes(
            (left / width, bottom / height, wide / width, (height - bottom - top) / height)
        )
        _panel(axes, rank, cells)
        left += wide + 0.72
    _key(figure, (1 - 1.0 / width, bottom / height, 0.15 / width, (height - bottom - top) / height))
    _style.caption(
        figure, "How many times as fast as the best other library",
        "single channel, float32; the number is the ratio of times, the word who was best of "
        "the others", report.machine,
    )  # fmt: skip


def _panel(axes: Any, rank: int, cells: list[Cell]) -> None:
    columns, rows = sorted({c[0] for c in cells}), sorted({c[1] for c in cells})
    across, up = _edges(columns), _edges(rows)
    for x, y, result in cells:
        i, j = columns.index(x), rows.index(y)
        corner, size = (across[i], up[j]), (across[i + 1] - across[i], up[j + 1] - up[j])
        _cell(axes, corner, size, result)
    axes.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    # Labels belong to cells, whose middles are not quite where the sizes are.
    axes.set_xticks(_middles(across), [_size(10**x, rank) for x in columns])
    axes.set_yticks(_middles(up), [f"{round(10**y)}" for y in rows])
    axes.tick_params(length=0)
    axes.set_title(f"{rank}-D", loc="left")
    axes.set_xlabel("samples")
    if rank == 1:
        axes.set_ylabel("taps on a side")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cell(axes: Any, corner: tuple[float, float], size: tuple[float, float], r: Result) -> None:
    value = r.ratio or 1.0
    colour = COLOURS(SCALE(math.log2(min(max(value, LEAST), MOST))))
    axes.add_patch(
        Rectangle(corner, *size, facecolor=colour, edgecolor=_style.PAPER, linewidth=1.2)
    )
    luminance = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    ink = _style.PAPER if luminance < 0.55 else _style.INK
    middle = [c + s / 2 for c, s in zip(corner, size, strict=True)]
    axes.annotate(ratio(value), middle, (0, -1), textcoords="offset points", ha="center",
                  va="bottom", size=8.5, weight="bold", color=ink)  # fmt: skip
    axes.annotate((r.best_peer or "").removeprefix("scipy "), middle, (0, -3), ha="center",
                  textcoords="offset points", va="top", size=5.8, color=ink, alpha=0.8)  # fmt: skip


def _key(figure: Figure, place: tuple[float, float, float, float]) -> None:
    bar = figure.colorbar(ScalarMappable(SCALE, COLOURS), cax=figure.add_axes(place))
    ticks = [1 / 32, 1 / 8, 1 / 2, 1, 2, 8, 32]
    bar.set_ticks([math.log2(t) for t in ticks],
                  labels=["1/32", "1/8", "1/2", "1", "2", "8", "32"])  # fmt: skip
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.ax.set_title("times", size=8, loc="left", color=_style.FAINT, weight="normal")


def _edges(values: list[float]) -> list[float]:
    """Where cells meet: halfway between neighbours on the logarithmic axis."""
    if len(values) == 1:
        return [values[0] - 0.25, values[0] + 0.25]
    middles = _middles(values)
    return [2 * values[0] - middles[0], *middles, 2 * values[-1] - middles[-1]]


def _middles(values: list[float]) -> list[float]:
    return [(a + b) / 2 for a, b in pairwise(values)]


def _size(samples: float, rank: int) -> str:
    if rank == 1:
        return _style.power(math.log10(samples), 10)
    side = round(samples ** (1 / rank))
    return f"{side}{'²³'[rank - 2]}"
