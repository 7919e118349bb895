"""What the pictures have in common."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

INK, FAINT, RULE, PAPER = "#22262b", "#6c757d", "#d8dce0", "#ffffff"
OURS, PEER, LIMIT = "#0f766e", "#c2410c", "#9aa2ab"
LOST, EVEN, WON = "#b93a1e", "#f7f4ee", "#0f766e"
LETTERS = 18
"""Of the smallest print in an inch."""
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.edgecolor": RULE,
    "axes.labelcolor": FAINT, "axes.titlesize": 10, "axes.titleweight": "bold",
    "xtick.color": FAINT, "ytick.color": FAINT, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "svg.hashsalt": "multiconv", "figure.facecolor": PAPER,
}  # fmt: skip


def style() -> Any:
    """A context in which figures look alike."""
    return rc_context(SETTINGS)


def caption(figure: Figure, title: str, remark: str, machine: dict[str, Any]) -> None:
    """Title and remark above the panels, the machine below."""
    width, height = figure.get_size_inches()
    threads = machine["threads"]
    libraries = [f"{name} {version}" for name, version in machine["libraries"].items()]
    measured = [machine["cpu"], f"{threads} thread{'s' if threads > 1 else ''}", *libraries]
    left = 0.14 / width
    figure.text(left, 1 - 0.16 / height, title, va="top", size=13, weight="bold")
    figure.text(left, 1 - 0.44 / height, remark, va="top", size=9, color=FAINT)
    words = textwrap.fill(" · ".join(measured), int(width * LETTERS))
    figure.text(left, 0.1 / height, words, va="bottom", size=7, color=FAINT)


def power(value: float, base: int) -> str:
    """``10⁵``."""
    exponent = round(value)
    digits = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return f"{base}{str(exponent).translate(digits)}"


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write SVG and PNG."""
    paths = [folder / f"{name}.{kind}" for kind in ("svg", "png")]
    figure.savefig(paths[0], metadata={"Date": None})
    figure.savefig(paths[1], dpi=160)
    return paths
