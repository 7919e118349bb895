"""Quantiles of whatever has a distribution function and a density."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from multiconv.continuous._checks import Floats

STEPS = 100
"""Most steps to a quantile."""


def solved(
    tail: Callable[[Floats], Floats], density: Callable[[Floats], Floats], mass: Floats, low: bool
) -> Floats:
    """Solve ``tail(x) == mass``, by Newton's method between bounds."""
    sign = 1.0 if low else -1.0

    def excess(x: Floats) -> Floats:
        return np.asarray(sign * (tail(x) - mass))

    left, right = -np.ones(mass.size), np.ones(mass.size)
    while (short := excess(right) < 0).any() and right.max() < 1e300:
        right = np.where(short, 4 * right, right)
    while (long := excess(left) > 0).any() and left.min() > -1e300:
        left = np.where(long, 4 * left, left)
    x = 0.5 * (left + right)
    for _ in range(STEPS):
        miss = excess(x)
        left, right = np.where(miss <= 0, x, left), np.where(miss >= 0, x, right)
        with np.errstate(all="ignore"):
            step = x - miss / density(x)
        inside = (step > left) & (step < right)
        before, x = x, np.where(inside, step, 0.5 * (left + right))
        if (np.abs(x - before) <= 4e-16 * np.abs(x)).all():
            break
    return x
