"""A probability density that keeps its relative accuracy in the tails."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from multiconv.continuous._checks import Floats
from multiconv.continuous._quadrature import Ints, Rays, Sampled, integrate
from multiconv.continuous._rule import COUNT, with_ends
from multiconv.continuous.distributions._pieces import FLOOR, Pieces
from multiconv.continuous.distributions._scale import Position, Scale

LEAST = 1e-300
"""The smallest distance from an end that is told from zero."""
LOOKS = 4001
"""Where to look for the bulk."""
STEPS = 60
"""Most Newton or bisection steps of a quantile."""


@dataclass(frozen=True)
class Density:
    """The logarithm of a density over a `Scale`.

    Attributes
    ----------
    kinks
        Positions inside the support where it is not smooth.
    open
        Whether it goes on as a power law beyond its reach, low and high, or is as good as zero.
    rtol
        Relative error of the density, and of the integrals over it.
    """

    scale: Scale
    pieces: Pieces
    kinks: Position
    open: tuple[bool, bool]
    rtol: float

    def logarithm(self, at: Position) -> Floats:
        """Its logarithm at positions inside the support."""
        p = np.maximum(at.p, LEAST) if self.scale.low_ends else at.p
        q = np.maximum(at.q, LEAST) if self.scale.high_ends else at.q
        return self.pieces(self.scale.coordinate(Position(p, q)))

    def log_per_u(self, u: Floats) -> Floats:
        """The logarithm of the density of u."""
        return self.pieces(u) + self.scale.log_slope(self.scale.position(u))

    @cached_property
    def reach(self) -> tuple[Position, Position]:
        """Positions of the first and the last edge of the pieces."""
        first, last = (self.scale.position(self.pieces.edges[[k]]) for k in (0, -1))
        return first, last

    @cached_property
    def bounds(self) -> tuple[Position, Position]:
        """Like `reach`, so much farther that nothing of a sum is missed within its own reach."""
        edges, (below, above) = self.pieces.edges[[0, -1]], self.pieces.slopes
        steps = np.array([FLOOR / max(below, 1.0), -FLOOR / max(-above, 1.0)])
        first, last = (self.scale.position(edges[[k]] + steps[k]) for k in (0, 1))
        return first, last

    @cached_property
    def highest(self) -> float:
        """The largest logarithm within reach."""
        return float(self.pieces(self._looks).max())

    @cached_property
    def peak(self) -> float:
        """The u around which the probability lies."""
        return float(self._looks[np.argmax(self.log_per_u(self._looks))])

    @cached_property
    def _looks(self) -> Floats:
        return np.linspace(self.pieces.edges[0], self.pieces.edges[-1], LOOKS)


class Masses:
    """The integrals of a density from either side."""

    def __init__(self, density: Density) -> None:
        self._density = density
        edges = density.pieces.edges
        masses = self._between(edges[:-1], edges[1:])
        below, above = self._beyond(edges[[0]])[0][0], self._beyond(edges[[-1]])[1][0]
        self._below = np.cumsum(np.append(below, masses))
        self._above = np.cumsum(np.append(above, masses[::-1]))[::-1]
        self.total = float(self._below[-1] + above)

    def below(self, u: Floats) -> Floats:
        """The mass below each u, shape (n,)."""
        return self._masses(u, True)

    def above(self, u: Floats) -> Floats:
        """The mass above each u, shape (n,)."""
        return self._masses(u, False)

    def quantile(self, mass: Floats, low: bool) -> Floats:
        """The u with that mass, in (0, total), below it (or above it)."""
        edges, density = self._density.pieces.edges, self._density
        known = self._below if low else -self._above
        wanted = mass if low else -mass
        after = np.searchsorted(known, wanted)
        left = edges[np.clip(after - 1, 0, edges.size - 1)].copy()
        right = edges[np.clip(after, 0, edges.size - 1)].copy()
        u = (left + right) / 2
        active = np.flatnonzero(right > left)
        for _ in range(STEPS):
            if not active.size:
                break
            here = u[active]
            found = self.below(here) if low else self.above(here)
            miss = found - mass[active] if low else mass[active] - found
            right[active] = np.where(miss >= 0, here, right[active])
            left[active] = np.where(miss <= 0, here, left[active])
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                step = here - miss / np.exp(density.log_per_u(here))
            inside = (step > left[active]) & (step < right[active])
            u[active] = np.where(inside, step, (left[active] + right[active]) / 2)
            fine = np.abs(u[active] - here) <= 4e-16 * np.maximum(np.abs(here), 1)
            active = active[~fine]
        return self._quantile_beyond(u, mass, low, after, edges)

    def _quantile_beyond(
        self, u: Floats, mass: Floats, low: bool, after: Ints, edges: Floats
    ) -> Floats:
        rates = _rates(self._density)
        for outside, k in ((after == 0, 0), (after == edges.size, -1)):
            if outside.any():
                there = self._masses(edges[[k]], low)
                u[outside] = edges[k] + np.log(mass[outside] / there) / rates[k]
        return u

    def _masses(self, u: Floats, low: bool) -> Floats:
        edges = self._density.pieces.edges
        piece = np.clip(np.searchsorted(edges, u, side="right") - 1, 0, edges.size - 2)
        inside = np.clip(u, edges[0], edges[-1])
        if low:
            masses = self._below[piece] + self._between(edges[piece], inside)
        else:
            masses = self._above[piece + 1] + self._between(inside, edges[piece + 1])
        beyond = self._beyond(u)
        before, behind = u < edges[0], u > edges[-1]
        total = self.total
        masses = np.where(before, beyond[0] if low else total - beyond[0], masses)
        return np.where(behind, total - beyond[1] if low else beyond[1], masses)

    def _between(self, low: Floats, high: Floats) -> Floats:
        def integrand(ray: Ints, start: Floats, end: Floats) -> Sampled:
            u = low[ray, None] + with_ends(start, end)[:, 1:-1]
            return exact(np.exp(self._density.log_per_u(u)))

        return integrate(
            integrand, plain_rays(np.arange(low.size), high - low), low.size, 1e-13, 0
        )[0]

    def _beyond(self, u: Floats) -> tuple[Floats, Floats]:
        """Masses of the power laws below and above u."""
        rates = _rates(self._density)
        with np.errstate(over="ignore", invalid="ignore"):
            density = np.exp(self._density.log_per_u(u))
        return (
            density / rates[0] if rates[0] > 0 else np.full(u.shape, np.inf),
            density / -rates[1] if rates[1] < 0 else np.full(u.shape, np.inf),
        )


def plain_rays(owner: Ints, length: Floats) -> Rays:
    """Rays without singularities."""
    zeros = np.zeros(length.size)
    return Rays(owner, length, zeros, zeros)


def exact(values: Floats) -> Sampled:
    """Samples without doubt, shape (p, 21)."""
    rows = values.shape[0]
    return Sampled(values, np.zeros((rows, COUNT)), np.zeros((rows, 2)))


def _rates(density: Density) -> tuple[float, float]:
    """How the logarithm of the density of u falls off beyond the reach."""
    low, high = density.pieces.slopes
    scale = density.scale
    return low + (1 if scale.low_ends else -1), high + (-1 if scale.high_ends else 1)


def in_chunks(function: Callable[[Position], Floats], at: Position, size: int) -> Floats:
    """A function of positions, shape (n,), some at a time, which bounds the scratch memory."""
    count = max(math.ceil(at.p.size / size), 1)
    parts = zip(np.array_split(at.p, count), np.array_split(at.q, count), strict=True)
    return np.concatenate([function(Position(p, q)) for p, q in parts])
