"""A photograph and what kernels make of it; the kernels; what lies beyond the edge."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from skimage import data

import multiconv as mc
from _boxes import board, row
from _style import Palette, draw, picture

Image = np.ndarray
ROWS, COLUMNS = slice(20, 220), slice(60, 360)


def photograph() -> Image:
    """A cat from scikit-image, in colours from 0 to 1."""
    return data.chelsea()[ROWS, COLUMNS] / 255


def grey(colours: Image) -> Image:
    """Its luminance."""
    return colours @ [0.2126, 0.7152, 0.0722]


@picture(7.4, 3.5, "jpg")
def filters(figure: Figure, palette: Palette) -> None:
    """Six pictures from one."""
    cat = photograph()
    shades, options = grey(cat), {"boundary": "symmetric"}
    shown: tuple[tuple[str, Image], ...] = (
        ("photograph", cat),
        ("gaussian(sigma=3)", mc.filters.gaussian(cat, 3, channel_axis=-1, **options)),
        ("sharpen", mc.filters.unsharp(cat, 1.5, amount=1.5, channel_axis=-1, **options)),
        ("sobel(axis=1)", mc.filters.sobel(shades, 1, **options)),
        ("gradient_magnitude", mc.filters.gradient_magnitude(shades, **options)),
        ("gaussian_laplace(sigma=2)", mc.filters.gaussian_laplace(shades, 2, **options)),
    )
    panels = figure.subplots(2, 3).ravel()
    figure.subplots_adjust(left=0.005, right=0.995, top=0.995, bottom=0.065, wspace=0.025,
                           hspace=0.17)  # fmt: skip
    for axes, (name, image) in zip(panels, shown, strict=True):
        axes.imshow(image.clip(0, 1) if image.ndim == 3 else image, **_look(name, image, palette))
        axes.set_axis_off()
        axes.text(0, -0.055, name, transform=axes.transAxes, va="top", size=8, color=palette.faint,
                  family="DejaVu Sans Mono")  # fmt: skip


def _look(name: str, image: Image, palette: Palette) -> dict[str, Any]:
    """Lengths from black to white, slopes with their sign."""
    if image.ndim == 3:
        return {}
    high = np.quantile(np.abs(image), 0.995)
    if name == "gradient_magnitude":
        return {"cmap": "grey", "vmin": 0, "vmax": high}
    return {"cmap": palette.signed, "vmin": -high, "vmax": high}


@picture(7.4, 1.75)
def kernels(figure: Figure, palette: Palette) -> None:
    """Seven kernels as pictures: one colour adds, the other subtracts."""
    make: tuple[tuple[str, Callable[[], Image]], ...] = (
        ("box", lambda: mc.kernels.box((7, 7))),
        ("gaussian", lambda: mc.kernels.gaussian([1.5, 1.5], truncate=2.4)),
        ("sobel", lambda: mc.kernels.sobel(1)),
        ("laplace", lambda: mc.kernels.laplace()),
        ("sharpen", lambda: mc.kernels.sharpen()),
        ("gabor", lambda: mc.kernels.gabor(wavelength=6, angle=30, truncate=2)),
        ("motion", lambda: mc.kernels.motion(9, 45)),
    )  # fmt: skip
    panels = figure.subplots(1, len(make))
    figure.subplots_adjust(left=0.01, right=0.99, top=0.9, bottom=0.12, wspace=0.14)
    for axes, (name, kernel) in zip(panels, make, strict=True):
        taps = kernel()
        high = np.abs(taps).max()
        axes.pcolormesh(taps, cmap=palette.signed, vmin=-high, vmax=high,
                        edgecolors=palette.paper, linewidth=0.6)  # fmt: skip
        axes.set(aspect="equal", xticks=[], yticks=[])
        axes.invert_yaxis()
        axes.set_axis_off()
        axes.set_title(name, family="DejaVu Sans Mono", size=8, color=palette.faint)


@picture(7.4, 2.5)
def boundaries(figure: Figure, palette: Palette) -> None:
    """How the samples 1 to 4 go on to both sides."""
    axes = board(figure, 17.4, 5.9)
    samples = np.arange(1, 5)
    for line, mode in enumerate(("constant", "edge", "symmetric", "reflect", "wrap")):
        top = 0.15 + 1.13 * line
        padded = np.pad(samples, 3, mode)
        row(axes, palette, 4.6, top, padded[:3], palette.second if mode != "constant" else "")
        row(axes, palette, 8.0, top, samples, palette.first)
        row(axes, palette, 12.4, top, padded[-3:], palette.second if mode != "constant" else "")
        axes.text(3.9, top + 0.5, mode, ha="right", va="center", size=9.5,
                  family="DejaVu Sans Mono")  # fmt: skip


if __name__ == "__main__":
    draw(filters, kernels, boundaries)
