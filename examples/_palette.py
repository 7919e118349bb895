"""Colours of the pictures, for light pages and for dark ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap


@dataclass(frozen=True)
class Palette:
    """Colours for one kind of page; a ramp begins at ``ground``, or has it in its middle."""

    name: str
    paper: str
    ground: str
    ink: str
    faint: str
    rule: str
    engines: dict[str, str]
    low: str
    high: str
    ramp: tuple[str, ...]

    @property
    def maps(self) -> dict[str, LinearSegmentedColormap]:
        """Colours of numbers by kind."""
        ramps = {
            "signed": [self.low, self.ground, self.high],
            "heat": [self.ground, *self.ramp],
            "grey": [self.ground, self.ink],
        }
        ramp = LinearSegmentedColormap.from_list
        return {name: ramp(name, colours) for name, colours in ramps.items()}


LIGHT = Palette(
    "light", paper="#ffffff", ground="#f7f6f2", ink="#22262b", faint="#6c757d", rule="#d8dce0",
    engines={"multiconv": "#0f766e", "torch": "#e07b39"},
    low="#b4441c", high="#0b5f59", ramp=("#7fb8b0", "#0f766e", "#06302d"),
)  # fmt: skip
DARK = Palette(
    "dark", paper="#131416", ground="#1e2124", ink="#e4e7eb", faint="#959ea8", rule="#3b4148",
    engines={"multiconv": "#2bb7a8", "torch": "#c9652a"},
    low="#f2774f", high="#37c9b9", ramp=("#1d6a63", "#2bb7a8", "#b4eee6"),
)  # fmt: skip
_chosen: ContextVar[Palette] = ContextVar("palette", default=LIGHT)


def palette() -> Palette:
    """The one that is drawn in."""
    return _chosen.get()


@contextmanager
def drawn_in(colours: Palette) -> Iterator[None]:
    """Draw in these colours, all pages alike."""
    before = _chosen.set(colours)
    try:
        with rc_context(_settings(colours)):
            yield
    finally:
        _chosen.reset(before)


def _settings(colours: Palette) -> dict[str, Any]:
    return {
        "font.family": "DejaVu Sans", "font.size": 9, "text.color": colours.ink,
        "axes.edgecolor": colours.rule, "axes.labelcolor": colours.faint,
        "axes.facecolor": colours.paper, "xtick.color": colours.faint,
        "ytick.color": colours.faint, "xtick.labelsize": 8, "ytick.labelsize": 8,
        "axes.spines.top": False, "axes.spines.right": False,
        "figure.facecolor": colours.paper, "savefig.dpi": 110,
    }  # fmt: skip
