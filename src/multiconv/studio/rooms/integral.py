"""The integral: f stands still, g is flipped and slid, the product's area is the result."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

import multiconv as mc
from multiconv.continuous._checks import Floats
from multiconv.studio._room import Message, Room
from multiconv.studio.rooms._integral_code import programs
from multiconv.studio.rooms._integral_functions import FINE, REACH, Curve, named_or_drawn

room = Room("integral")

COUNTS = (32, 24, 16, 12, 8, 6, 4, 3, 2)
"""Samples a unit that the integral can be replaced by; each fits every support."""

RULES = ("midpoint", "left")

ROUNDING = 1e-12
"""Errors below this are of rounding, not of the sum."""

SECONDS_A_PIECE = 2e-5
"""What the integral at one point takes for each smooth piece of the functions."""

FINELY = 4 * REACH * FINE + 1
"""Positions of the result that the page shows."""

COMPARED = 32
"""Positions at which a sum is compared with the integral to find the order, about."""


def _price(points: int) -> Callable[[Message], float]:
    def price(question: Message) -> float:
        pieces = sum(len(curve.breakpoints) + 1 for curve in _curves(question.values))
        return SECONDS_A_PIECE * points * pieces

    return price


@room.action(_price(FINELY))
def curves(question: Message) -> Message:
    """Both functions and their convolution, finely sampled; ``error`` bounds the latter's."""
    f, g = _curves(question.values)
    t = (np.arange(FINELY) - FINELY // 2) / FINE
    result, error = _exact(f, g).evaluate(t)
    return Message(
        {"f": f.support, "g": g.support, "error": float(error.max()), "fine": FINE},
        {"f": f.fine(), "g": g.fine(), "t": t, "result": result},
    )


@room.action(_price(4 * REACH * COUNTS[0]))
def sums(question: Message) -> Message:
    """The sum that takes the integral's place, and the integral at the same positions."""
    f, g = _curves(question.values)
    rule, step = _rule(question.values), 1 / _count(question.values, COUNTS)
    grid, summed = _sums(f, g, step, rule)
    samples = [mc.continuous.sample(h.rule, h.support, step, rule=rule)[1] for h in (f, g)]
    exact = _exact(f, g).evaluate(grid)[0]
    return Message(
        {"step": step},
        {"t": grid, "result": summed, "exact": exact, "f": samples[0], "g": samples[1]},
    )


@room.action(_price(len(COUNTS) * COMPARED))
def convergence(question: Message) -> Message:
    """The largest error for each step, and the power of the step that it falls with."""
    errors, order = _convergence(*_curves(question.values), _rule(question.values))
    return Message({"steps": [1 / n for n in COUNTS], "errors": errors, "order": order})


@room.action(_price(1))
def code(question: Message) -> Message:
    """The number or the sums on the page, in several libraries."""
    values = question.values
    f, g = _curves(values)
    count = _count(values, (0, *COUNTS))
    return Message(programs(f, g, float(values["t"]), count, _rule(values)))


def _curves(values: dict[str, Any]) -> tuple[Curve, Curve]:
    f = named_or_drawn(values["f"], values.get("fDrawn"), "f")
    return f, named_or_drawn(values["g"], values.get("gDrawn"), "g")


def _rule(values: dict[str, Any]) -> str:
    if values["rule"] not in RULES:
        raise ValueError(f"rule: {values['rule']!r} is not known, choose midpoint or left")
    return str(values["rule"])


def _count(values: dict[str, Any], allowed: tuple[int, ...]) -> int:
    if values["n"] not in allowed:
        words = ", ".join(map(str, allowed))
        raise ValueError(f"n: {values['n']!r} samples a unit are not allowed, choose of {words}")
    return int(values["n"])


@lru_cache(maxsize=64)
def _exact(f: Curve, g: Curve) -> mc.continuous.Convolution:
    return mc.continuous.convolve(
        f.rule, g.rule, support_f=f.support, support_g=g.support,
        breakpoints_f=f.breakpoints, breakpoints_g=g.breakpoints,
    )  # fmt: skip


def _sums(f: Curve, g: Curve, step: float, rule: str) -> tuple[Floats, Floats]:
    return mc.continuous.discrete(f.rule, g.rule, f.support, g.support, step, rule=rule)


@lru_cache(maxsize=64)
def _convergence(f: Curve, g: Curve, rule: str) -> tuple[list[float], float | None]:
    errors = []
    for count in COUNTS:
        grid, summed = _sums(f, g, 1 / count, rule)
        some = slice(None, None, -(-grid.size // COMPARED))
        exact = _exact(f, g).evaluate(grid[some])[0]
        errors.append(float(np.abs(summed[some] - exact).max()))
    return errors, _order(np.array(errors))


def _order(errors: Floats) -> float | None:
    """The slope of the errors over the steps, both as logarithms; None where they are rounding."""
    seen = errors > ROUNDING
    if np.count_nonzero(seen) < 3:
        return None
    return float(np.polyfit(-np.log(np.array(COUNTS)[seen]), np.log(errors[seen]), 1)[0])
