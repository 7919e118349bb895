"""The functions of the integral's room: each a rule on a finite support."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from multiconv.continuous._checks import Floats

FINE = 50
"""Samples a unit of what is drawn; every support begins and ends on such a sample."""

REACH = 2
"""Functions live between minus this and this."""

NODES = 41
"""Values of a drawn function, evenly spaced; straight lines join them."""


@dataclass(frozen=True)
class Curve:
    """A function on a finite support.

    Parameters
    ----------
    rule : callable
        Its values inside the support.
    text : str
        The rule in Python, of ``t``.
    low, high : int
        The support.
    breakpoints : tuple of float
        Kinks inside the support.
    constants : str
        Lines that the rule in Python needs before it.
    """

    rule: Callable[[Floats], Floats] = field(compare=False)
    text: str
    low: int
    high: int
    breakpoints: tuple[float, ...] = ()
    constants: str = ""

    @property
    def support(self) -> tuple[int, int]:
        """Where it is not zero."""
        return self.low, self.high

    def fine(self) -> Floats:
        """Its values from end to end of the support, both included."""
        count = (self.high - self.low) * FINE + 1
        return self.rule(np.linspace(self.low, self.high, count))


NAMED = {
    "box": Curve(np.ones_like, "np.ones_like(t)", -1, 1),
    "triangle": Curve(lambda t: 1 - np.abs(t), "1 - np.abs(t)", -1, 1, (0.0,)),
    "ramp": Curve(lambda t: t / 2, "t / 2", 0, 2),
    "gaussian": Curve(lambda t: np.exp(-(t**2) / 0.32), "np.exp(-(t**2) / 0.32)", -2, 2),
    "exponential": Curve(lambda t: np.exp(-3 * t), "np.exp(-3 * t)", 0, 2),
    "burst": Curve(
        lambda t: np.sin(4 * np.pi * t) * np.cos(np.pi * t / 2) ** 2,
        "np.sin(4 * np.pi * t) * np.cos(np.pi * t / 2) ** 2", -1, 1,
    ),
}  # fmt: skip
"""What can be picked."""

DRAWN = "drawn"


def named_or_drawn(name: Any, drawn: Any, argument: str) -> Curve:
    """One of `NAMED`, or what the user drew.

    Raises
    ------
    ValueError
        If the name is not known, or what is drawn is not `NODES` numbers from -1 to 1.
    """
    if name == DRAWN:
        return _drawn(drawn, argument)
    if not isinstance(name, str) or name not in NAMED:
        words = ", ".join([*NAMED, DRAWN])
        raise ValueError(f"{argument}: {name!r} is not known, choose one of {words}")
    return NAMED[name]


def _drawn(values: Any, argument: str) -> Curve:
    numbers = isinstance(values, list) and all(type(v) in (int, float) for v in values)
    if not numbers or len(values) != NODES or any(abs(v) > 1 for v in values):
        raise ValueError(
            f"{argument}: what is drawn must be {NODES} numbers from -1 to 1, "
            f"{len(values) if isinstance(values, list) else 'no list'} came"
        )
    nodes, heights = np.linspace(-REACH, REACH, NODES).round(9), np.asarray(values, float)
    return Curve(
        lambda t: np.interp(t, nodes, heights),
        f"np.interp(t, np.linspace({-REACH}, {REACH}, {NODES}), drawn_{argument})",
        -REACH,
        REACH,
        tuple(nodes[1:-1].tolist()),
        f"drawn_{argument} = {values}\n",
    )
