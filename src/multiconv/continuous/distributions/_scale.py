"""A stretched coordinate in which densities are easy: ends and tails at minus and plus infinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from multiconv.continuous._checks import Floats


class Position(NamedTuple):
    """Where points lie: ``p`` above the low anchor, ``q`` below the high one.

    Both are kept, for close to an end only one of them has all its digits.
    """

    p: Floats
    q: Floats


@dataclass(frozen=True)
class Scale:
    """A support with its coordinate u, in which power laws at ends and in tails are straight lines.

    Attributes
    ----------
    low, high
        Anchors: the ends of the support where these are finite, else any point of the bulk.
    low_ends, high_ends
        Whether the support ends at the anchor.
    width
        ``high - low``, as the sum that it is.
    unit
        The width of the bulk.
    """

    low: float
    high: float
    low_ends: bool
    high_ends: bool
    width: float
    unit: float

    def __add__(self, other: Scale) -> Scale:
        """The scale of a sum: anchors add up, so that positions do."""
        return Scale(
            self.low + other.low,
            self.high + other.high,
            self.low_ends and other.low_ends,
            self.high_ends and other.high_ends,
            self.width + other.width,
            float(np.hypot(self.unit, other.unit)),
        )

    @property
    def support(self) -> tuple[float, float]:
        """The ends, infinite ones included."""
        return self.low if self.low_ends else -np.inf, self.high if self.high_ends else np.inf

    def locate(self, x: Floats) -> Position:
        """Positions of numbers."""
        return Position(x - self.low, self.high - x)

    def number(self, at: Position) -> Floats:
        """Numbers at positions, from the nearer anchor."""
        return np.where(at.p <= at.q, self.low + at.p, self.high - at.q)

    def coordinate(self, at: Position) -> Floats:
        """The coordinate u of positions inside the support."""
        if self.low_ends and self.high_ends:
            return np.asarray(np.log(at.p) - np.log(at.q))
        if self.low_ends:
            return np.asarray(np.log(at.p) - np.log(self.unit))
        if self.high_ends:
            return np.asarray(np.log(self.unit) - np.log(at.q))
        return np.asarray(np.arcsinh(at.p / self.unit))

    def position(self, u: Floats) -> Position:
        """The positions that have coordinates u."""
        if self.low_ends and self.high_ends:
            return Position(self.width * _logistic(u), self.width * _logistic(-u))
        if self.high_ends:
            q = self.unit * np.exp(-u)
            return Position(self.width - q, q)
        p = self.unit * (np.exp(u) if self.low_ends else np.sinh(u))
        return Position(p, self.width - p)

    def log_slope(self, at: Position) -> Floats:
        """The logarithm of dp/du."""
        if self.low_ends and self.high_ends:
            return np.asarray(np.log(at.p) + np.log(at.q) - np.log(self.width))
        if self.low_ends or self.high_ends:
            return np.asarray(np.log(at.p if self.low_ends else at.q))
        return np.asarray(np.log(np.hypot(at.p, self.unit)))


def _logistic(u: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-u)))
