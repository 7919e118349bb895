"""Sequences: flip and slide in numbers, two dice, noise made smooth."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import multiconv as mc
from _boxes import board, box, row, written
from _style import Palette, draw, picture, plain

X, H = np.array([1, 2, 3, 4]), np.array([2, 1, -1])
LEFT = 5.6
"""Where the first element of ``X`` stands."""


@picture(7.4, 4.5)
def slide(figure: Figure, palette: Palette) -> None:
    """One line for each output: where the flipped kernel stands, and the sum of products."""
    axes = board(figure, 17.4, 10.6)
    axes.text(LEFT - 0.5, 1.1, r"$x$", color=palette.first, size=14, ha="right", va="center")
    row(axes, palette, LEFT, 0.6, X, palette.first)
    for n, total in enumerate(mc.convolve(X, H)):
        top = 2.1 + 1.35 * n
        _step(axes, palette, n, top)
        box(axes, palette, 15.2, top, total, palette.third, share=0.3, weight="bold")
        axes.text(16.5, top + 0.5, rf"$y_{n}$", color=palette.third, size=12, va="center")
    for left, name, first, last in ((2.4, "full", 0, 5), (1.5, "same", 1, 4), (0.6, "valid", 2, 3)):
        _bracket(axes, palette, left, 2.1 + 1.35 * first, 3.1 + 1.35 * last, name)


def _step(axes: Axes, palette: Palette, n: int, top: float) -> None:
    terms = []
    for m, tap in enumerate(H):
        place = n - m
        inside = 0 <= place < len(X)
        box(axes, palette, LEFT + place, top, tap, palette.second if inside else "")
        if inside:
            terms.append(f"{X[place]}·{tap}" if tap > 0 else f"{X[place]}·({written(tap)})")
    axes.text(14.9, top + 0.5, " + ".join(terms[::-1]) + "  =", ha="right", va="center", size=9.5)


def _bracket(axes: Axes, palette: Palette, left: float, top: float, bottom: float,
             name: str) -> None:  # fmt: skip
    axes.plot([left + 0.25, left, left, left + 0.25], [top + 0.1, top + 0.1, bottom - 0.1,
              bottom - 0.1], color=palette.faint, linewidth=1)  # fmt: skip
    axes.text(left - 0.12, (top + bottom) / 2, name, rotation=90, ha="right", va="center",
              family="DejaVu Sans Mono", size=8.5, color=palette.faint)  # fmt: skip


@picture(7.4, 1.9)
def dice(figure: Figure, palette: Palette) -> None:
    """The frequencies of one die, of the sum of two and of three."""
    panels = figure.subplots(1, 3, width_ratios=(6, 11, 16))
    figure.subplots_adjust(left=0.03, right=0.985, top=0.86, bottom=0.14, wspace=0.12)
    faces = np.ones(6, int)
    counts, colours = faces, (palette.first, palette.second, palette.third)
    for number, (axes, colour) in enumerate(zip(panels, colours, strict=True), 1):
        places = np.arange(number, number + len(counts))
        axes.bar(places, counts, color=palette.tint(colour, 0.75), width=0.82)
        for place, count in zip(places, counts, strict=True):
            axes.text(place, count + counts.max() * 0.03, count, ha="center", size=7,
                      color=palette.faint)  # fmt: skip
        axes.set(xticks=places[:: 1 if number < 3 else 2], yticks=[], ylim=(0, counts.max() * 1.18))
        axes.set_title(" + ".join("⚅" * number), loc="left", size=11)
        plain(axes, "bottom")
        counts = mc.convolve(counts, faces)


@picture(7.4, 1.9)
def smooth(figure: Figure, palette: Palette) -> None:
    """A noisy signal, and what a Gaussian makes of it."""
    axes = figure.add_axes((0.02, 0.05, 0.965, 0.92))
    t = np.linspace(0, 1, 600)
    clean = np.sin(9 * t) + 0.6 * np.sin(31 * t) * t + (t > 0.62)
    noisy = clean + 0.45 * np.random.default_rng(8).standard_normal(len(t))
    kernel = mc.kernels.gaussian([7.0])
    axes.plot(t, noisy, color=palette.tint(palette.faint, 0.5), linewidth=0.7)
    axes.plot(t, mc.convolve(noisy, kernel, "same", boundary="symmetric"), color=palette.first,
              linewidth=2.2)  # fmt: skip
    corner = np.linspace(0.03, 0.15, len(kernel))
    bell = 20 * kernel - 1.6
    axes.fill_between(corner, -1.6, bell, color=palette.second, alpha=0.35, linewidth=0)
    axes.plot(corner, bell, color=palette.second, linewidth=1.4)
    axes.set(xlim=(0, 1), xticks=[], yticks=[])
    plain(axes)


if __name__ == "__main__":
    draw(slide, dice, smooth)
