"""Numbers in boxes, on axes whose unit is one box and whose rows run downwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from _style import Palette, bare

MINUS = "\N{MINUS SIGN}"


def board(figure: Figure, width: float, height: float) -> Axes:
    """Axes over the whole figure, so many boxes wide and high."""
    axes = figure.add_axes((0, 0, 1, 1))
    bare(axes)
    axes.set(xlim=(0, width), ylim=(height, 0))
    return axes


def box(
    axes: Axes, palette: Palette, left: float, top: float, value: Any = "", colour: str = "",
    share: float = 0.16, size: float = 1, **text: Any,
) -> None:  # fmt: skip
    """One box with what it holds; without a colour only its outline."""
    edge = palette.tint(colour, 0.55) if colour else palette.rule
    face = palette.tint(colour, share) if colour else "none"
    side = 0.86 * size
    axes.add_patch(FancyBboxPatch(
        (left + 0.07 * size, top + 0.07 * size), side, side, facecolor=face, edgecolor=edge,
        boxstyle=f"round,pad=0,rounding_size={0.14 * size}", linewidth=0.9,
    ))  # fmt: skip
    text = {"color": palette.ink if colour else palette.faint, "size": 10} | text
    axes.text(left + size / 2, top + 0.51 * size, written(value), ha="center", va="center", **text)


def row(axes: Axes, palette: Palette, left: float, top: float, values: Iterable[Any],
        colour: str = "", **options: Any) -> None:  # fmt: skip
    """Boxes side by side."""
    for place, value in enumerate(values):
        box(axes, palette, left + place, top, value, colour, **options)


def grid(axes: Axes, palette: Palette, left: float, top: float, values: Any, colour: str = "",
         **options: Any) -> None:  # fmt: skip
    """Boxes in rows and columns."""
    for place, line in enumerate(np.asarray(values)):
        row(axes, palette, left, top + place, line, colour, **options)


def frame(axes: Axes, colour: str, left: float, top: float, width: float, height: float,
          **options: Any) -> None:  # fmt: skip
    """A line around some boxes."""
    options = {"linewidth": 1.8, "zorder": 4} | options
    axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=colour, **options))


def written(value: Any) -> str:
    """Numbers with a minus sign as long as a plus."""
    return f"{value:g}".replace("-", MINUS) if isinstance(value, (int, float, np.number)) else value
