"""Several channels: each with its own slice of the kernel, added up; and which see which."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import multiconv as mc
from _boxes import board, box, row
from _style import Palette, bare, draw, picture

X = np.array([[1, 2, 0, 1, 3], [0, 1, 4, 2, 1], [2, 0, 1, 1, 0]])
W = np.array([[1, -1], [2, 1], [0, 3]])
BIAS = -2


@picture(7.4, 3.3)
def channels(figure: Figure, palette: Palette) -> None:
    """Three channels, three slices, three partial results, one sum."""
    axes = board(figure, 17.4, 7.8)
    colours = (palette.first, palette.second, palette.third)
    for c, colour in enumerate(colours):
        top = 0.5 + 1.5 * c
        row(axes, palette, 1.5, top, X[c], colour)
        row(axes, palette, 8.3, top, W[c], colour, share=0.38, weight="bold")
        row(axes, palette, 12.3, top, mc.correlate(X[c], W[c]), colour)
        for left, sign in ((7.35, r"$\star$"), (11.3, "$=$"), (11.3, "")):
            axes.text(left, top + 0.5, sign, size=14, ha="center", va="center")
        axes.text(1.1, top + 0.5, rf"$x_{c}$", color=colour, size=12, ha="right", va="center")
        axes.text(10.45, top + 0.5, rf"$w_{c}$", color=colour, size=12, va="center", ha="left")
        if c:
            axes.text(11.85, top + 0.5, "$+$", size=12, ha="center", va="center",
                      color=palette.faint)  # fmt: skip
    axes.plot([12.3, 16.3], [5.05, 5.05], color=palette.faint, linewidth=1)
    axes.text(12.0, 5.75, rf"$b={BIAS}$,  $\Sigma+b$", size=11, ha="right", va="center",
              color=palette.faint)  # fmt: skip
    total = mc.conv(X, W[None], [BIAS])[0]
    for place, value in enumerate(total):
        box(axes, palette, 12.3 + place, 5.25, value, palette.ink, share=0.12, weight="bold")
    axes.text(16.5, 5.75, r"$y$", size=13, va="center")
    for place, value in enumerate(np.maximum(total, 0)):
        box(axes, palette, 12.3 + place, 6.5, value, palette.ink if value else "", share=0.12)
    axes.text(12.0, 7.0, r"$\max(0,\,y)$", size=11, ha="right", va="center", color=palette.faint)


@picture(7.4, 1.9)
def groups(figure: Figure, palette: Palette) -> None:
    """Which input channels reach which outputs: all, those of a group, one each."""
    panels = figure.subplots(1, 3)
    figure.subplots_adjust(left=0, right=1, top=0.86, bottom=0.02, wspace=0)
    for axes, number in zip(panels, (1, 2, 4), strict=True):
        _wiring(axes, palette, number)
        axes.set_title(f"groups={number}", family="DejaVu Sans Mono", size=9.5)


def _wiring(axes: Axes, palette: Palette, number: int) -> None:
    size, colours = 4 // number, (palette.first, palette.second, palette.third, palette.faint)
    for source in range(4):
        for target in range(4):
            if source // size == target // size:
                axes.plot([0, 3], [source, target], color=colours[source // size if number > 1
                          else 0], linewidth=1.1, alpha=0.75, zorder=1)  # fmt: skip
    for side in (0, 3):
        for place in range(4):
            colour = colours[place // size if number > 1 else 0]
            axes.plot(side, place, "o", markersize=11, color=palette.tint(colour, 0.25),
                      markeredgecolor=colour, zorder=2)  # fmt: skip
    bare(axes)
    axes.set(xlim=(-0.7, 3.7), ylim=(3.6, -0.6))


if __name__ == "__main__":
    draw(channels, groups)
