"""What the pictures of these pages have in common: each is drawn for light pages and for dark ones.

A script names its pictures with `picture` and ends in ``draw(...)``. Run by itself it writes
``NAME-light.svg`` and ``NAME-dark.svg``, or jpg for photographs, to ``docs/images`` or to the
folder that it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure

IMAGES = Path(__file__).parents[1] / "images"


@dataclass(frozen=True)
class Palette:
    """Colours for one kind of page."""

    name: str
    paper: str
    ink: str
    faint: str
    rule: str
    first: str
    second: str
    third: str

    def tint(self, colour: str, share: float) -> str:
        """``colour`` mixed with the paper."""
        pairs = zip(to_rgb(colour), to_rgb(self.paper), strict=True)
        return to_hex([share * c + (1 - share) * p for c, p in pairs])

    @property
    def signed(self) -> LinearSegmentedColormap:
        """From the second colour over the paper's to the first: negative, zero, positive."""
        middle = self.tint(self.rule, 0.35)
        return LinearSegmentedColormap.from_list("signed", [self.second, middle, self.first])


LIGHT = Palette(
    "light", paper="#ffffff", ink="#22262b", faint="#6c757d", rule="#d8dce0",
    first="#0f766e", second="#c2410c", third="#5b4fc4",
)  # fmt: skip
DARK = Palette(
    "dark", paper="#131416", ink="#e4e7eb", faint="#959ea8", rule="#3b4148",
    first="#2bb7a8", second="#f0813f", third="#9d92f5",
)  # fmt: skip


def picture(width: float, height: float, kind: str = "svg") -> Callable[[Any], Any]:
    """Mark a function of a figure and a palette as a picture of this size in inches."""

    def mark(function: Any) -> Any:
        function.size, function.kind = (width, height), kind
        return function

    return mark


def draw(*pictures: Any) -> None:
    """Write all of these in both palettes, to the folder that the command line names."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    for function in pictures:
        name = function.__name__.replace("_", "-")
        for palette in (LIGHT, DARK):
            with rc_context(_settings(palette)):
                figure = Figure(figsize=function.size)
                function(figure, palette)
                _save(figure, palette, folder / f"{name}-{palette.name}.{function.kind}")


def plain(axes: Axes, *sides: str) -> None:
    """Leave only these sides of the frame, and no ticks' marks."""
    axes.tick_params(length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in sides)


def bare(axes: Axes) -> None:
    """No frame, no ticks, equal scales."""
    axes.set_axis_off()
    axes.set_aspect("equal")


def _settings(palette: Palette) -> dict[str, Any]:
    return {
        "font.family": "DejaVu Sans", "font.size": 9, "text.color": palette.ink,
        "mathtext.fontset": "stix", "axes.edgecolor": palette.rule, "axes.facecolor": "none",
        "axes.labelcolor": palette.faint, "axes.titlesize": 9, "axes.titlecolor": palette.ink,
        "xtick.color": palette.faint, "ytick.color": palette.faint, "xtick.labelsize": 8,
        "ytick.labelsize": 8, "figure.facecolor": "none", "savefig.facecolor": "none",
        "lines.solid_capstyle": "round", "svg.hashsalt": "multiconv", "image.interpolation": "none",
    }  # fmt: skip


def _save(figure: Figure, palette: Palette, path: Path) -> None:
    if path.suffix == ".svg":
        figure.savefig(path, metadata={"Date": None})
    else:  # a photograph's file is small only where it has a background
        figure.savefig(path, dpi=200, facecolor=palette.paper, pil_kwargs={"quality": 87})
