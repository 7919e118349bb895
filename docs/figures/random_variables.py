"""Sums of random variables: tails that stay right, and how sums become normal."""

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import signal, stats

import multiconv as mc
from _style import Palette, draw, picture, plain

TERMS = {"uniform": stats.uniform(), "exponential": stats.expon(), "lognormal": stats.lognorm(0.6)}
COUNTS = {1: 0.3, 2: 0.5, 4: 0.75, 16: 1.0}
"""Of variables, and how much colour their sum gets."""


@cache
def sum_of(name: str, count: int) -> mc.continuous.RandomSum:
    """The same for both kinds of page."""
    return mc.continuous.distribution_of_sum(TERMS[name], copies=count)


@picture(7.4, 2.7)
def tails(figure: Figure, palette: Palette) -> None:
    """Twelve uniforms and four lognormals, far out; a transform beside them."""
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.88, bottom=0.16, wspace=0.2)
    x, values = _by_transform()
    left.loglog(x, np.maximum(values, 1e-60), color=palette.second, linewidth=0.8)
    x = np.geomspace(1e-2, 11.5, 400)
    left.plot(x, sum_of("uniform", 12).pdf(x), color=palette.first, linewidth=2)
    left.text(0.012, 1e-14, "by a transform", color=palette.second)
    left.text(0.5, 1e-19, "term by term", color=palette.first)
    left.set(title="twelve uniform variables", ylim=(1e-31, 30), xlim=(0.01, 12))
    left.set_yticks([1e-30, 1e-20, 1e-10, 1])
    left.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    x = np.geomspace(0.3, 1e6, 400)
    right.loglog(x, sum_of("lognormal", 4).pdf(x), color=palette.first, linewidth=2)
    right.plot(x, 4 * TERMS["lognormal"].pdf(x), color=palette.faint, linewidth=1, linestyle="--")
    right.text(3e2, 1e-12, "the sum of four", color=palette.first)
    right.text(0.5, 1e-75, "four times the density of one", color=palette.faint)
    right.set(title="lognormal variables", xlim=(x[0], x[-1]), ylim=(1e-120, 1e4))
    right.set_yticks([1e-120, 1e-80, 1e-40, 1])
    for axes in (left, right):
        axes.minorticks_off()
        plain(axes, "bottom", "left")


def _by_transform() -> tuple[np.ndarray, np.ndarray]:
    step = 2.0**-9
    box = np.ones(2**9)
    total = box
    for _ in range(11):
        total = signal.fftconvolve(total, box) * step
    return step * (np.arange(total.size) + 6), np.abs(total)


@picture(7.4, 2.3)
def growing(figure: Figure, palette: Palette) -> None:
    """Sums of one to sixteen, on their own scales: they all become normal."""
    panels = figure.subplots(1, 3)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.87, bottom=0.12, wspace=0.08)
    for axes, name in zip(panels, TERMS, strict=True):
        _standardised(axes, palette, name)
        axes.set_title(name)


def _standardised(axes: Axes, palette: Palette, name: str) -> None:
    z = np.linspace(-3.2, 3.2, 641)
    for count, share in COUNTS.items():
        total = sum_of(name, count)
        values = total.std() * total.pdf(total.mean() + total.std() * z)
        axes.plot(z, values, color=palette.tint(palette.first, share), linewidth=1.5)
    axes.plot(z, stats.norm.pdf(z), color=palette.second, linewidth=1, linestyle=(0, (3, 2)))
    axes.set(xlim=(z[0], z[-1]), ylim=(0, 0.9), yticks=[], xticks=range(-3, 4))
    plain(axes, "bottom")


if __name__ == "__main__":
    draw(tails, growing)
