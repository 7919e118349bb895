"""One page for each network: how it learned, what it confuses, what its first layer sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from _palette import palette
from _panels import title
from _training import Learner

WIDTHS = {"multiconv": 1.6, "torch": 3.2}
"""torch's curve is drawn first and wider: where both agree it shows as a seam."""
WIDTH, HEIGHT, MARGIN, INDENT = 13.0, 8.45, 0.55, 0.4
UPPER, LOWER = (3.7, 2.95), (0.45, 2.2)
"""In inches: where each row of panels begins, and how tall it is."""


@dataclass(frozen=True)
class Sheet:
    """The page, and the panels in its lower row that an example draws itself."""

    figure: Figure
    kernels: Axes
    sample: Axes
    maps: Axes


def sheet(learners: Sequence[Learner], goal: float, heading: str, remark: str,
          widths: tuple[float, float, float]) -> Sheet:  # fmt: skip
    """Draw everything but the lower row, whose panels are so many inches wide."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    figure.text(MARGIN / WIDTH, 1 - 0.38 / HEIGHT, heading, size=17, weight="bold", va="top")
    figure.text(MARGIN / WIDTH, 1 - 0.76 / HEIGHT, remark, size=10, color=palette().faint, va="top")
    loss, accuracy, confused = _row(figure, UPPER, (3.2, 3.2, 3.6), INDENT)
    _losses(loss, learners)
    _accuracies(accuracy, learners, goal)
    _confusion(confused, learners[0])
    return Sheet(figure, *_row(figure, LOWER, widths))


def _row(figure: Figure, where: tuple[float, float], widths: Sequence[float],
         indent: float = 0) -> list[Axes]:  # fmt: skip
    """Panels from margin to margin; the gaps are what is left."""
    bottom, high = where
    left, panels = MARGIN + indent, []
    gap = (WIDTH - MARGIN - left - sum(widths)) / (len(widths) - 1)
    for wide in widths:
        box = (left / WIDTH, bottom / HEIGHT, wide / WIDTH, high / HEIGHT)
        panels.append(figure.add_axes(box))
        left += wide + gap
    return panels


def _curves(axes: Axes, learners: Sequence[Learner], values: str) -> None:
    for learner in reversed(learners):
        known = getattr(learner, values)
        axes.plot(range(1, len(known) + 1), known, color=palette().engines[learner.engine],
                  lw=WIDTHS[learner.engine], alpha=0.95, solid_capstyle="round",
                  label=learner.engine, clip_on=False, zorder=3)  # fmt: skip
    axes.grid(axis="y", color=palette().rule, lw=0.6)
    axes.tick_params(length=0)
    axes.set_xlabel("epoch")
    axes.set_xlim(1, max(2, learners[0].epochs))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _losses(axes: Axes, learners: Sequence[Learner]) -> None:
    _curves(axes, learners, "losses")
    axes.set_ylim(bottom=0)
    handles, names = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], names[::-1], frameon=False, loc="upper right")
    title(axes, "Loss", "on the samples it learns from", INDENT)


def _accuracies(axes: Axes, learners: Sequence[Learner], goal: float) -> None:
    """Errors fall on a logarithmic scale, so that 99 % and 99.5 % are told apart."""
    _curves(axes, learners, "accuracies")
    least = 50 / len(learners[0].data.test)
    for line in axes.lines:
        line.set_ydata(np.maximum(100 - np.asarray(line.get_ydata()), least))
    axes.set_yscale("log")
    axes.set_ylim(100, least)
    steps = [e for e in (100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1) if e > 1.6 * least]
    axes.yaxis.set_major_locator(FixedLocator([*steps, least]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda e, _: f"{100 - e:g} %" if e > 1.01 * least else "100 %")
    )
    axes.axhline(100 - goal, color=palette().faint, lw=1, ls=(0, (4, 3)), zorder=2)
    axes.annotate(f"asked: {goal:g} %", (1, 100 - goal), (-2, 4), ("axes fraction", "data"),
                  "offset points", ha="right", size=8, color=palette().faint)  # fmt: skip
    reached = ", ".join(f"{x.engine} {x.accuracies[-1]:.2f} %" for x in learners)
    title(axes, "Held-out accuracy", f"at the end: {reached}", INDENT)


def _confusion(axes: Axes, learner: Learner) -> None:
    counts, classes, look = learner.confusion().numpy(), learner.data.classes, palette()
    shares = counts / counts.sum(1, keepdims=True)
    # Errors are few: the root makes a single one visible.
    axes.imshow(np.sqrt(shares), cmap=look.maps["heat"], vmin=0, vmax=1, aspect="auto")
    n, words = len(classes), max(len(c) for c in classes) > 2
    for row, column in zip(*counts.nonzero(), strict=True):
        axes.text(column, row, counts[row, column], ha="center", va="center", size=8,
                  color=look.paper if shares[row, column] > 0.2 else look.ink)  # fmt: skip
    slant = {"rotation": 40, "ha": "right"} if words else {}
    axes.set_xticks(range(n), classes, rotation_mode="anchor", **slant)
    axes.set_yticks(range(n), classes)
    axes.tick_params(length=0, pad=3)
    axes.set_xticks(np.arange(n - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(n - 1) + 0.5, minor=True)
    axes.grid(which="minor", color=look.paper, lw=1)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    wrong = int(counts.sum() - counts.trace())
    title(axes, "Confusion", f"a row for each true class, by {learner.engine}: "
          f"{wrong:,} of {counts.sum():,} wrong", INDENT)  # fmt: skip
