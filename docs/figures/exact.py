"""Powers of 1 + x, exact however large: the coefficients' remainders."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

import multiconv as mc
from _style import Palette, draw, picture

ROWS = 125
MODULI = 2, 3, 5


@picture(7.4, 2.5)
def remainders(figure: Figure, palette: Palette) -> None:
    """Rows of binomial coefficients, by their remainders."""
    panels = figure.subplots(1, len(MODULI))
    figure.subplots_adjust(left=0.01, right=0.99, top=0.9, bottom=0.01, wspace=0.04)
    colours = palette.first, palette.second, palette.third
    for axes, modulus, colour in zip(panels, MODULI, colours, strict=True):
        shades = [palette.tint(colour, 0.04), palette.tint(colour, 0.45), colour]
        axes.imshow(_triangle(modulus), cmap=LinearSegmentedColormap.from_list("", shades),
                    interpolation="nearest")  # fmt: skip
        axes.set_title(rf"$(1+x)^n$ modulo {modulus}")
        axes.set_axis_off()


def _triangle(modulus: int) -> np.ndarray:
    """Row n: the coefficients of (1 + x)**n, in the middle; NaN beside them."""
    shown = np.full((ROWS, 2 * ROWS), np.nan)
    row = np.ones(1, dtype=np.int64)
    for n in range(ROWS):
        places = ROWS - 1 - n + 2 * np.arange(n + 1)
        shown[n, places] = shown[n, places + 1] = row
        row = mc.convolve_exact(row, [1, 1], modulus=modulus)
    return shown


if __name__ == "__main__":
    draw(remainders)
