"""A formula, piece by piece."""

import numpy as np
from matplotlib.figure import Figure
from sympy import Heaviside, Piecewise, expand, lambdify, latex, symbols

import multiconv as mc
from _style import Palette, draw, picture, plain

X = symbols("x", real=True)
BOX = Heaviside(X) - Heaviside(X - 1)
LABELS = (0.36, 0.3), (1.28, 0.56), (2.3, 0.45)


@picture(7.4, 2.5)
def formula(figure: Figure, palette: Palette) -> None:
    """The quadratic B-spline, each piece with its own polynomial."""
    axes = figure.add_axes((0.02, 0.12, 0.96, 0.86))
    convolve = mc.continuous.symbolic.convolve
    spline = convolve(convolve(BOX, BOX, X), BOX, X)
    colours = palette.first, palette.second, palette.third
    for start, colour, place in zip(range(3), colours, LABELS, strict=True):
        piece = _piece(spline, start)
        everywhere = np.linspace(-0.4, 3.4, 200)
        values = lambdify(X, piece)(everywhere)
        axes.plot(everywhere, values, color=colour, linewidth=0.9, alpha=0.45)
        inside = np.linspace(start, start + 1, 60)
        axes.plot(inside, lambdify(X, piece)(inside), color=colour, linewidth=2.6)
        axes.text(*place, f"${latex(piece)}$", color=colour, size=14)
    axes.set(xlim=(-0.4, 3.4), ylim=(-0.08, 0.95), yticks=[], xticks=range(4))
    plain(axes, "bottom")


def _piece(spline: Piecewise, start: int) -> object:
    """The polynomial between two whole numbers."""
    return expand(next(e for e, c in spline.args if c.subs(X, start + 0.5) == True))  # noqa: E712  # SymPy's truth is no bool


if __name__ == "__main__":
    draw(formula)
