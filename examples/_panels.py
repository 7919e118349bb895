"""Panels of a page: pictures, curves and letters, alike in look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from _palette import palette

LABELS = 0.8
"""Inches for the names on the left of a panel."""


def title(axes: Axes, words: str, remark: str, indent: float = 0) -> None:
    """A heading above a panel, so many inches to the left of it."""
    heading, smaller = {"size": 11, "weight": "bold"}, {"size": 8.5, "color": palette().faint}
    for text, height, looks in ((words, 24, heading), (remark, 10, smaller)):
        place = (-72 * indent, height)
        axes.annotate(text, (0, 1), place, "axes fraction", "offset points", **looks)


def bare(axes: Axes) -> None:
    """No frame and no ticks, and the panel's upper left corner stays where it is."""
    axes.set(xticks=[], yticks=[], anchor="NW")
    axes.spines[:].set_visible(False)


def mosaic(axes: Axes, images: Tensor, columns: int, colours: str) -> None:
    """Images side by side, all on one scale; signed ones are white at zero."""
    stack = np.asarray(images, float)
    high, wide = stack.shape[1:]
    finer = -(-40 // max(high, wide))  # so that a gap may be narrower than a pixel
    gap = round(0.14 * finer * max(high, wide)) if len(stack) > 1 else 0
    stack = stack.repeat(finer, 1).repeat(finer, 2)
    rows = -(-len(stack) // columns)
    high, wide = high * finer, wide * finer
    whole = np.full((rows * (high + gap) - gap, columns * (wide + gap) - gap), np.nan)
    for i, image in enumerate(stack):
        top, left = i // columns * (high + gap), i % columns * (wide + gap)
        whole[top : top + high, left : left + wide] = image
    reach = np.abs(stack).max()
    low = -reach if colours == "signed" else stack.min()
    axes.imshow(whole, cmap=palette().maps[colours], vmin=low, vmax=reach, interpolation="nearest")
    bare(axes)


def waves(axes: Axes, lines: Tensor, columns: int) -> None:
    """Curves side by side, each as tall as its place."""
    curves = np.asarray(lines, float)
    rows, colour = -(-len(curves) // columns), palette().engines["multiconv"]
    for i, curve in enumerate(curves):
        left, top = 1.15 * (i % columns), 1.2 * (rows - 1 - i // columns)
        along = left + np.linspace(0, 1, len(curve))
        axes.plot(along, top + 0.5 * curve / np.abs(curve).max(), color=colour,
                  lw=0.9 if columns > 1 else 0.5)  # fmt: skip
    axes.set(xlim=(0, 1.15 * columns - 0.15), ylim=(-0.52, 1.2 * rows - 0.68))
    bare(axes)


def heats(axes: Axes, maps: dict[str, Tensor]) -> None:
    """Maps of different kinds side by side, each on its own scale."""
    bare(axes)
    share = 1 / len(maps)
    for i, (words, values) in enumerate(maps.items()):
        part = axes.inset_axes((i * share, 0.09, share - 0.02 * (i + 1 < len(maps)), 0.91))
        part.imshow(values, cmap=palette().maps["heat"], aspect="auto", interpolation="nearest")
        bare(part)
        below = ((0, 0), (0, -13), "axes fraction", "offset points")
        part.annotate(words, *below, size=8, color=palette().faint)


Snippet = tuple[str, Sequence[float]]
"""Some letters, and how much a kernel likes each: 1 at most."""


def snippets(axes: Axes, cells: Sequence[Sequence[Snippet]], columns: int) -> None:
    """For each kernel the letters that excite it most; a letter is as dark as it counts."""
    rows, high, wide = -(-len(cells) // columns), len(cells[0]), len(cells[0][0][0])
    look, heat = palette(), palette().maps["heat"]
    bare(axes)
    axes.set(xlim=(0, columns * (wide + 1.5) - 0.5), ylim=(rows * (high + 0.8) - 0.4, 0))
    for i, cell in enumerate(cells):
        left, top = i % columns * (wide + 1.5), i // columns * (high + 0.8)
        axes.add_patch(Rectangle((left, top), wide + 1, high + 0.4, color=look.ground))
        for line, (letters, likes) in enumerate(cell):
            for place, (letter, like) in enumerate(zip(letters, likes, strict=True)):
                axes.text(left + place + 1, top + line + 0.75, letter.replace(" ", "␣"), size=9.5,
                          color=heat(0.25 + 0.75 * max(like, 0)), ha="center", va="center",
                          family="DejaVu Sans Mono", weight="bold")  # fmt: skip


def bars(axes: Axes, shares: Tensor, names: Sequence[str]) -> None:
    """How sure of each class."""
    values, look = np.asarray(shares, float), palette()
    axes.barh(range(len(names)), values, color=look.engines["multiconv"], height=0.7)
    axes.barh(range(len(names)), 1, color=look.ground, height=0.7, zorder=0)
    axes.set(yticks=range(len(names)), yticklabels=names, xticks=[], xlim=(0, 1))
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _shift(axes, LABELS)


def rows(axes: Axes, maps: Tensor, names: Sequence[str], line: str) -> None:
    """One row for each map, with a line of text above them."""
    axes.imshow(maps, cmap=palette().maps["heat"], aspect="auto", interpolation="nearest")
    bare(axes)
    for place, letter in enumerate(line):
        axes.text(place, -1, letter, ha="center", va="center", family="DejaVu Sans Mono", size=9)
    axes.set_ylim(len(maps) - 0.5, -1.6)
    axes.set_yticks(range(len(names)), names, family="DejaVu Sans Mono")
    axes.tick_params(length=0)
    _shift(axes, LABELS)


def _shift(axes: Axes, inches: float) -> None:
    """Room on the left."""
    box, wide = axes.get_position(), axes.figure.get_figwidth()
    axes.set_position((box.x0 + inches / wide, box.y0, box.width - inches / wide, box.height))
