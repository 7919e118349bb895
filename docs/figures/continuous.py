"""Functions convolved: pairs of them, the errors' bounds, splines, and how sums come close."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import multiconv as mc
from _style import Palette, draw, picture, plain

convolve = mc.continuous.convolve
INF = math.inf


def box(t):
    """One wherever its support is."""
    return np.ones_like(t)


def decay(t):
    """An exponential."""
    return np.exp(-t)


def normal(t):
    """The standard normal density."""
    return np.exp(-0.5 * t * t) / math.sqrt(2 * math.pi)


def cauchy(t):
    """The standard Cauchy density."""
    return 1 / (math.pi * (1 + t * t))


@picture(7.4, 2.2)
def pairs(figure: Figure, palette: Palette) -> None:
    """Three pairs and what they make."""
    panels = figure.subplots(1, 3)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.86, bottom=0.12, wspace=0.1)
    root = convolve(lambda t: t**-0.5, box, support_f=(0, 1), support_g=(0, 0.5))
    waiting = convolve(decay, lambda t: np.exp(2 * t), support_f=(0, INF), support_g=(-INF, 0))
    echo = convolve(mc.continuous.comb([0, 1.5], [1, 0.6]), decay, support_g=(0, INF))
    x = np.linspace(-0.2, 1.7, 380)
    inside = (x > 0) & (x < 1)
    _curves(panels[0], palette, x, np.where(inside, np.abs(x) ** -0.5, 0),
            np.where((x > 0) & (x < 0.5), 1.0, 0), root(x), 2.6)  # fmt: skip
    panels[0].set_title(r"$t^{-1/2}$ and a box")
    x = np.linspace(-3, 4, 281)
    _curves(panels[1], palette, x, np.where(x > 0, np.exp(-x), 0),
            np.where(x < 0, np.exp(2 * x), 0), waiting(x), 1.12)  # fmt: skip
    panels[1].set_title(r"$e^{-t}$ and $e^{2t}$, either side of 0")
    x = np.linspace(-0.4, 4, 281)
    _curves(panels[2], palette, x, np.where(x > 0, np.exp(-x), 0), None, echo(x), 1.12)
    panels[2].vlines([0, 1.5], 0, [1, 0.6], color=palette.second, linewidth=1.4)
    panels[2].plot([0, 1.5], [1, 0.6], "^", color=palette.second, markersize=5)
    panels[2].set_title(r"$e^{-t}$ and two impulses")


def _curves(axes: Axes, palette: Palette, x, f, g, h, top: float) -> None:
    for values, colour in ((f, palette.first), (g, palette.second)):
        if values is not None:
            axes.plot(x, values, color=colour, linewidth=1.2)
            axes.fill_between(x, values, color=colour, alpha=0.08, linewidth=0)
    axes.plot(x, h, color=palette.third, linewidth=2.2)
    axes.set(xlim=(x[0], x[-1]), ylim=(0, top), yticks=[])
    axes.locator_params("x", nbins=5)
    plain(axes, "bottom")


@picture(7.4, 2.6)
def bounds(figure: Figure, palette: Palette) -> None:
    """True errors below their bounds."""
    panels = figure.subplots(1, 4, sharey=True)
    figure.subplots_adjust(left=0.075, right=0.99, top=0.88, bottom=0.13, wspace=0.12)
    for axes, (name, h, exact, x) in zip(panels, _known(), strict=True):
        floor = 1e-18
        true = np.maximum(np.abs(h(x) - exact(x)), floor)
        bound = np.maximum(h.error(x), floor)
        wanted = np.maximum(h.atol, h.rtol * np.abs(h(x)))
        axes.plot(x, wanted, color=palette.faint, linewidth=1, linestyle=(0, (3, 2)))
        axes.plot(x, bound, color=palette.third, linewidth=1.8, drawstyle="steps-mid")
        axes.plot(x, true, ".", color=palette.first, markersize=1.6)
        axes.set(yscale="log", ylim=(3e-19, 3e-9), xlim=(x[0], x[-1]), title=name)
        axes.set_yticks([1e-18, 1e-15, 1e-12, 1e-9])
        axes.minorticks_off()
        axes.locator_params("x", nbins=4)
        plain(axes, "bottom", "left")
    panels[0].text(-2.8, 1.2e-10, "wanted", color=palette.faint, size=8)
    panels[0].text(-2.8, 3e-14, "bound", color=palette.third, size=8)
    panels[0].text(-2.8, 8e-18, "true", color=palette.first, size=8)


def _known():
    line = np.linspace(-3, 3, 181)
    rise = np.linspace(0.003, 2.997, 181)
    return (
        ("Gaussian, Gaussian", convolve(normal, normal), lambda x: _normal(x, math.sqrt(2)), line),
        ("Cauchy, Cauchy", convolve(cauchy, cauchy), lambda x: 2 / (math.pi * (4 + x * x)), line),
        ("two exponentials", convolve(decay, decay, support_f=(0, INF), support_g=(0, INF)),
         lambda x: x * np.exp(-x), rise),
        ("box, box", convolve(box, box, support_f=(0, 1.5), support_g=(0, 1.5)),
         lambda x: np.maximum(1.5 - np.abs(x - 1.5), 0), rise),
    )  # fmt: skip


def _normal(x, s):
    return np.exp(-0.5 * (x / s) ** 2) / (s * math.sqrt(2 * math.pi))


@picture(7.4, 2.3)
def splines(figure: Figure, palette: Palette) -> None:
    """B-splines of order 1 to 8."""
    axes = figure.add_axes((0.02, 0.13, 0.96, 0.85))
    axes.plot([0, 0, 1, 1], [0, 1, 1, 0], color=palette.first, linewidth=1.6)
    axes.text(0.5, 1.03, "1", color=palette.first, ha="center")
    spline = convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    for order in range(2, 9):
        if order > 2:
            spline = convolve(spline, box, support_g=(0, 1))
        share = (order - 1) / 7
        colour = palette.tint(palette.third, 0.35 + 0.65 * share)
        x = np.linspace(0, order, 40 * order + 1)
        axes.plot(x, spline(x), color=colour, linewidth=1.6)
        axes.text(order / 2, spline(order / 2) + 0.03, str(order), color=colour, ha="center")
    axes.set(xlim=(-0.05, 8.05), ylim=(0, 1.13), yticks=[], xticks=range(9))
    plain(axes, "bottom")


@picture(5.2, 2.7)
def orders(figure: Figure, palette: Palette) -> None:
    """The error of the sum against the step."""
    axes = figure.add_axes((0.13, 0.17, 0.83, 0.79))
    exact = convolve(np.exp, np.cos, support_f=(0, 1), support_g=(0, 2))
    steps = 0.5 ** np.arange(1, 11)
    for rule, colour, power in (("left", palette.second, 1), ("midpoint", palette.first, 2)):
        errors = []
        for step in steps:
            x, sums = mc.continuous.discrete(np.exp, np.cos, (0, 1), (0, 2), step, rule=rule)
            errors.append(np.abs(sums - exact(x)).max())
        axes.loglog(steps, errors, "o-", color=colour, markersize=4, linewidth=1.4)
        label = rf"{rule}, $\Delta^{power}$" if power > 1 else rf"{rule}, $\Delta$"
        axes.annotate(label, (steps[5], errors[5]), (0, 9 if power == 1 else -9), color=colour,
                      textcoords="offset points", ha="right" if power == 1 else "left",
                      va="bottom" if power == 1 else "top")  # fmt: skip
    axes.set_xlabel(r"step $\Delta$")
    axes.set_ylabel("largest error")
    axes.minorticks_off()
    plain(axes, "bottom", "left")


if __name__ == "__main__":
    draw(pairs, bounds, splines, orders)
