"""Kernels drawn in the terminal, two taps to a character cell where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.style import Style
from rich.text import Text

Grid = NDArray[np.float64]
Colour = tuple[int, int, int]

# Readable on black and on white: neither end fades into either.
RISING: Sequence[Colour] = ((68, 34, 110), (59, 82, 139), (33, 145, 140), (94, 201, 98),
                            (240, 205, 40))  # fmt: skip
SIGNED: Sequence[Colour] = ((30, 110, 230), (70, 105, 160), (110, 110, 110), (190, 110, 70),
                            (250, 120, 30))  # fmt: skip
SHADES, ASCII_SHADES, NEGATIVE_SHADES = " ░▒▓█", " :+%@", " .-=#"
TALLEST_BAR = 20  # rows
LARGE_TAPS = 5  # up to this many rows a tap is a whole cell, two characters wide


def draw(
    taps: NDArray[Any], *, columns: int, lines: int, colour: bool, unicode: bool = True
) -> Text:
    """Draw a kernel.

    Parameters
    ----------
    taps : ndarray
        A kernel; of one with more than two axes, the slice through the middle.
    columns, lines : int
        The room there is; larger kernels are thinned out.
    colour : bool
        Whether the terminal has colours; shades of characters otherwise.
    unicode : bool
        Whether it has characters beyond ASCII, without which it gets no colours either.

    Returns
    -------
    Text
        Lines for rich to print.
    """
    colour = colour and unicode
    grid = np.real(taps).astype(np.float64)
    while grid.ndim > 2:
        grid = grid[grid.shape[0] // 2]
    rows, across = (2 * lines, columns) if colour else (lines, columns // 2)
    if grid.ndim == 1:
        grid = _bars(grid, min(rows, TALLEST_BAR), across)
    large = grid.shape[0] <= LARGE_TAPS and 2 * grid.shape[1] <= columns
    if not large:
        grid = _thinned(grid, rows, across)
    scale = float(np.nanmax(np.abs(grid), initial=0.0)) or 1.0
    signed = bool(np.nanmin(grid) < 0)
    grid = np.sign(grid) * np.sqrt(np.abs(grid) / scale)  # so that small taps are seen
    if not colour:
        return _shades(grid, SHADES if unicode else ASCII_SHADES)
    painted = _colours(grid, signed)
    return _cells(painted) if large else _half_blocks(painted)


def _bars(taps: Grid, rows: int, columns: int) -> Grid:
    """A curve as a picture: each column a bar from zero, NaN around it."""
    bins = _bins(taps, columns)
    values = np.take_along_axis(bins, np.abs(bins).argmax(axis=1)[:, None], axis=1)[:, 0]
    top, bottom = max(values.max(), 0.0), min(values.min(), 0.0)
    step = ((top - bottom) or 1.0) / rows
    middles = top - (np.arange(rows)[:, None] + 0.5) * step
    inside = (middles < np.maximum(values, 0)) & (middles > np.minimum(values, 0))
    return np.where(inside, values, np.nan)


def _bins(taps: Grid, columns: int) -> Grid:
    """Neighbours side by side in rows, few enough, the middle tap in the middle row."""
    width = -(-len(taps) // columns) | 1  # odd, so that symmetric stays symmetric
    spare = (width * (len(taps) % 2) - len(taps)) % (2 * width)
    return np.pad(taps, spare // 2).reshape(-1, width)


def _thinned(grid: Grid, rows: int, columns: int) -> Grid:
    """Every few taps, the middle one among them."""
    step = max(1, -(-grid.shape[0] // rows), -(-grid.shape[1] // columns))
    return grid[(grid.shape[0] // 2) % step :: step, (grid.shape[1] // 2) % step :: step]


def _colours(grid: Grid, signed: bool) -> list[list[Color | None]]:
    stops = np.array(SIGNED if signed else RISING, dtype=float)
    places = np.linspace(-1 if signed else 0, 1, len(stops))

    def paint(value: float) -> Color | None:
        if np.isnan(value):
            return None
        red, green, blue = (round(float(np.interp(value, places, s))) for s in stops.T)
        return Color.from_rgb(red, green, blue)

    return [[paint(value) for value in row] for row in grid.tolist()]


def _cells(painted: list[list[Color | None]]) -> Text:
    rows = [Text.assemble(*(("██", Style(color=c)) for c in row)) for row in painted]
    return Text("\n").join(rows)


def _half_blocks(painted: list[list[Color | None]]) -> Text:
    rows = []
    for i in range(0, len(painted), 2):
        upper = painted[i]
        lower = painted[i + 1] if i + 1 < len(painted) else [None] * len(upper)
        rows.append(Text.assemble(*(_pair(a, b) for a, b in zip(upper, lower, strict=True))))
    return Text("\n").join(rows)


def _pair(upper: Color | None, lower: Color | None) -> tuple[str, Style]:
    if upper is None:
        return ("▄", Style(color=lower)) if lower is not None else (" ", Style())
    return "▀", Style(color=upper, bgcolor=lower)


def _shades(grid: Grid, positive: str) -> Text:
    def shade(value: float) -> str:
        if np.isnan(value):
            return "  "
        return 2 * (NEGATIVE_SHADES if value < 0 else positive)[round(abs(value) * 4)]

    return Text("\n".join("".join(map(shade, row)) for row in grid.tolist()))
