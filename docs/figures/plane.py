"""Two dimensions: a window in numbers, a whole layer, and what stride and dilation change."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

import multiconv as mc
from _boxes import board, box, frame, grid
from _style import Palette, draw, picture

X = np.array([[1, 2, 0, 1, 1], [0, 1, 3, 1, 0], [2, 1, 0, 0, 1], [1, 0, 2, 3, 1], [0, 1, 1, 0, 2]])
W = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])


@picture(7.4, 3.1)
def plane(figure: Figure, palette: Palette) -> None:
    """A padded picture, the kernel over one window, and the output this window gives."""
    axes = board(figure, 17.8, 7.45)
    padding = np.where(np.pad(np.ones_like(X), 1), "", "0")
    grid(axes, palette, 0.2, 0.2, padding)
    grid(axes, palette, 1.2, 1.2, X, palette.first)
    grid(axes, palette, 8.6, 2.2, W, palette.second, share=0.3)
    result = mc.conv(X[None], W[None, None], padding=1)[0]
    grid(axes, palette, 12.5, 1.2, result, palette.third)
    frame(axes, palette.second, 3.2, 2.2, 3, 3)
    frame(axes, palette.third, 15.5, 3.2, 1, 1)
    for left, sign in ((7.9, r"$\star$"), (12.05, "$=$")):
        axes.text(left, 3.7, sign, size=15, ha="center", va="center")


@picture(7.4, 2.6)
def layer(figure: Figure, palette: Palette) -> None:
    """Three channels in, six kernels of three slices each, six channels out."""
    axes = board(figure, 17.4, 6.1)
    colours = (palette.first, palette.second, palette.third)
    for depth, colour in enumerate(colours):
        _sheet(axes, palette, 0.7 + 0.55 * depth, 1.7 + 0.4 * depth, 2.5, colour)
    for kernel in range(6):
        left, top = 6.7 + 1.75 * (kernel % 3), 0.95 + 2.35 * (kernel // 3)
        for depth, colour in enumerate(colours):
            _sheet(axes, palette, left + 0.28 * depth, top + 0.2 * depth, 0.85, colour, lines=3)
    for depth in range(6):
        _sheet(axes, palette, 12.9 + 0.35 * depth, 1.2 + 0.27 * depth, 2.5, palette.faint)
    for place, sign in ((5.75, r"$\star$"), (12.35, "$=$")):
        axes.text(place, 3.1, sign, size=15, ha="center", va="center")
    for left, text in ((2.5, r"$3\times H\times W$"), (8.95, r"$6\times 3\times 3\times 3$"),
                       (15.0, r"$6\times H\times W$")):  # fmt: skip
        axes.text(left, 5.75, text, size=11, ha="center", va="center", color=palette.faint)


def _sheet(axes: Axes, palette: Palette, left: float, top: float, size: float, colour: str,
           lines: int = 0) -> None:  # fmt: skip
    corners = np.add([(0, 0), (size, 0), (size, size), (0, size)], (left, top))
    axes.add_patch(Polygon(corners, facecolor=palette.tint(colour, 0.22), edgecolor=colour,
                           linewidth=1, joinstyle="round"))  # fmt: skip
    for place in size / lines * np.arange(1, lines) if lines else ():
        axes.plot([left + place] * 2, [top, top + size], color=colour, linewidth=0.5)
        axes.plot([left, left + size], [top + place] * 2, color=colour, linewidth=0.5)


@picture(7.4, 2.5)
def steps(figure: Figure, palette: Palette) -> None:
    """Three windows: next to each other, two apart, and with gaps inside."""
    axes = board(figure, 24, 8.1)
    for panel, (text, stride, dilation) in enumerate((
        ("stride=1", 1, 1), ("stride=2", 2, 1), ("dilation=2", 1, 2),
    )):  # fmt: skip
        left = 0.5 + 8 * panel
        _windows(axes, palette, left, stride, dilation)
        axes.text(left + 3.5, 0.45, text, family="DejaVu Sans Mono", size=9.5, ha="center",
                  va="center")  # fmt: skip


def _windows(axes: Axes, palette: Palette, left: float, stride: int, dilation: int) -> None:
    """The first window's taps, its frame, and the next window's."""
    taps = dilation * np.arange(3)
    for i in range(7):
        for j in range(7):
            colour = palette.second if i in taps and j in taps else ""
            box(axes, palette, left + j, 1 + i, "", colour, share=0.3)
    span = taps[-1] + 1
    frame(axes, palette.second, left, 1, span, span)
    frame(axes, palette.third, left + stride, 1, span, span, linestyle=(0, (4, 2)))


if __name__ == "__main__":
    draw(plane, layer, steps)
