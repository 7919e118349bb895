"""Two functions, one turned round and slid over the other; and the sums that come close."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import multiconv as mc
from _style import Palette, draw, picture, plain

PLACES = (0.5, 1.5, 2.6)
STEPS = (0.5, 0.25, 0.0625)
T = np.linspace(-1.2, 3.4, 116)


def f(t):
    """A box from 0 to 2."""
    return np.where((t >= 0) & (t <= 2), 1.0, 0.0)


def g(t):
    """A ramp that falls from 1 to 0."""
    return np.where((t >= 0) & (t <= 1), 1.0 - t, 0.0)


def exact() -> mc.continuous.Convolution:
    """Their convolution."""
    return mc.continuous.convolve(lambda t: 1.0, lambda t: 1.0 - t, support_f=(0, 2),
                                  support_g=(0, 1))  # fmt: skip


@picture(7.4, 3.5)
def integral(figure: Figure, palette: Palette) -> None:
    """The product's area at three places, and all areas as a curve."""
    grid = figure.add_gridspec(2, 3, left=0.045, right=0.985, top=0.93, bottom=0.1, hspace=0.42,
                               wspace=0.1, height_ratios=(1, 1.1))  # fmt: skip
    result = exact()
    for column, (x, label) in enumerate(zip(PLACES, (1.35, 0.4, 0.8), strict=True)):
        _overlap(figure.add_subplot(grid[0, column]), palette, x, label)
    curve = figure.add_subplot(grid[1, :])
    curve.plot(T, result(T), color=palette.third, linewidth=2)
    for x in PLACES:
        curve.vlines(x, 0, result(x), color=palette.third, linewidth=1, linestyle=(0, (2, 2)))
        curve.plot(x, result(x), "o", color=palette.third, markersize=6)
    curve.text(2.78, 0.27, r"$(f*g)(x)$", color=palette.third, size=12)
    curve.set(xlim=(T[0], T[-1]), ylim=(0, 0.62), yticks=[0, 0.25, 0.5], xticks=range(-1, 4))
    curve.set_xlabel(r"$x$", size=11, labelpad=0)
    plain(curve, "bottom")


def _overlap(axes: Axes, palette: Palette, x: float, label: float) -> None:
    t = _with_jumps(0, 2, x)
    for values, colour in ((f(t), palette.first), (g(x - t), palette.second)):
        axes.fill_between(t, values, color=colour, alpha=0.1, linewidth=0)
        axes.plot(t, values, color=colour, linewidth=1.6)
    axes.fill_between(t, f(t) * g(x - t), color=palette.third, alpha=0.55, linewidth=0)
    axes.text(label, 0.5, r"$f(t)$", color=palette.first, size=11, ha="center", va="center")
    axes.text(x, 1.09, r"$g(x-t)$", color=palette.second, size=11, ha="center")
    axes.set(xlim=(T[0], T[-1]), ylim=(0, 1.3), yticks=[], xticks=[x], xticklabels=[rf"$x={x:g}$"])
    axes.tick_params("x", labelsize=10)
    plain(axes, "bottom")


def _with_jumps(*places: float) -> np.ndarray:
    """Times that stand close on both sides of every jump."""
    return np.sort([*T, *(p + side for p in places for side in (-1e-9, 1e-9))])


@picture(7.4, 1.9)
def sampled(figure: Figure, palette: Palette) -> None:
    """The sum in place of the integral, of finer and finer samples."""
    panels = figure.subplots(1, 3, sharey=True)
    figure.subplots_adjust(left=0.045, right=0.985, top=0.86, bottom=0.14, wspace=0.1)
    result = exact()
    for axes, step in zip(panels, STEPS, strict=True):
        places, sums = mc.continuous.discrete(f, g, (0, 2), (0, 1), step, rule="left")
        axes.plot(T, result(T), color=palette.third, linewidth=1.6)
        axes.vlines(places, 0, sums, color=palette.first, linewidth=min(1.4, 20 * step))
        axes.plot(places, sums, "o", color=palette.first, markersize=5 if step > 0.1 else 2.4)
        worst = np.abs(sums - result(places)).max()
        axes.set_title(rf"$\Delta={step:g}$,   $|\varepsilon|\leq{worst:.3g}$", loc="left", size=10)
        axes.set(xlim=(-0.3, 3.3), ylim=(0, 0.82), xticks=range(4), yticks=[0, 0.5])
        plain(axes, "bottom")


if __name__ == "__main__":
    draw(integral, sampled)
