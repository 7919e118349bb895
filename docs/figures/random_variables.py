"""Sums of random variables: tails that stay right, and a sum of a hundred."""

import numpy as np
from _style import Palette, draw, picture, plain
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import signal, stats

import multiconv as mc

sum_of = mc.continuous.distribution_of_sum


@picture(7.4, 2.7)
def tails(figure: Figure, palette: Palette) -> None:
    """Twelve uniforms and four lognormals, far out; a transform beside them."""
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.88, bottom=0.16, wspace=0.2)
    x, values = _by_transform()
    left.plot(x, np.maximum(values, 1e-60), color=palette.second, linewidth=0.7)
    x = np.linspace(0, 12, 601)[1:-1]
    left.plot(x, sum_of(stats.uniform(), copies=12).pdf(x), color=palette.first, linewidth=2)
    left.text(3.6, 1e-22, "by a transform", color=palette.second)
    left.text(0.55, 1e-8, "term by term", color=palette.first, ha="left")
    left.set(yscale="log", ylim=(1e-32, 30), xlim=(0, 12), xticks=range(0, 13, 3))
    left.set(title="twelve uniform variables", yticks=[1e-30, 1e-20, 1e-10, 1])
    total, x = sum_of(stats.lognorm(1), copies=4), np.geomspace(0.3, 1e6, 400)
    right.loglog(x, total.pdf(x), color=palette.first, linewidth=2)
    right.loglog(x, 4 * stats.lognorm(1).pdf(x), color=palette.faint, linewidth=1, linestyle="--")
    right.text(1.5e3, 1e-11, "four of them", color=palette.first)
    right.text(0.4, 1e-36, "four times the density of one", color=palette.faint)
    right.set(title="lognormal variables", xlim=(x[0], x[-1]), ylim=(1e-50, 30))
    right.set(yticks=[1e-48, 1e-32, 1e-16, 1])
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
    """Sums of one to a hundred, on their own scales: they all become normal."""
    panels = figure.subplots(1, 3)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.87, bottom=0.12, wspace=0.08)
    terms = (("uniform", stats.uniform()), ("exponential", stats.expon()),
             ("arcsine", stats.arcsine()))  # fmt: skip
    for axes, (name, term) in zip(panels, terms, strict=True):
        _standardised(axes, palette, term)
        axes.set_title(name)


def _standardised(axes: Axes, palette: Palette, term: object) -> None:
    z = np.linspace(-3.2, 3.2, 641)
    for count, share in ((1, 0.3), (2, 0.5), (4, 0.75), (16, 1.0)):
        total = sum_of(term, copies=count)
        values = total.std() * total.pdf(total.mean() + total.std() * z)
        axes.plot(z, values, color=palette.tint(palette.first, share), linewidth=1.5)
    axes.plot(z, stats.norm.pdf(z), color=palette.second, linewidth=1, linestyle=(0, (3, 2)))
    axes.set(xlim=(z[0], z[-1]), ylim=(0, 0.85), yticks=[], xticks=range(-3, 4))
    plain(axes, "bottom")


if __name__ == "__main__":
    draw(tails, growing)
