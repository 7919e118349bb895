"""Substitutions along rays: over many scales, in from infinity, and out of singularities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from multiconv.continuous._quadrature import Ints
from multiconv.continuous._rule import Floats

NEAR = 2.0
"""In units: where a ray to infinity takes over."""
LONG = 8.0
"""In units: the length from which a ray is stretched."""
PLAIN, STRETCHED, INVERTED, ROOTED = 0, 1, 2, 3
POWERS = np.arange(2, 9)
"""Powers that may take out a singularity; 2 does for ``u**-0.5``."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Substitutions:
    """The distances d that the coordinates u of rays stand for.

    Attributes
    ----------
    length
        Of the rays, in u.
    shape
        ``d = u``, ``unit * expm1(u / unit)``, ``unit**2 / u`` or ``u * (u / length)**(power - 1)``.
    unit, power
        As above.
    """

    length: Floats
    shape: Ints
    unit: Floats
    power: Floats

    def distances(self, ray: Ints, u: Floats) -> tuple[Floats, Floats]:
        """The distances of the nodes of panels, and their slopes dd/du."""
        shape, unit = self.shape[ray], self.unit[ray, None]
        if not shape.any():
            return u, np.ones((1, u.shape[1]))
        distance, slope = u.copy(), np.ones_like(u)
        rows = shape == STRETCHED
        if rows.any():
            share = u[rows] / unit[rows]
            distance[rows], slope[rows] = unit[rows] * np.expm1(share), np.exp(share)
        rows = shape == INVERTED
        if rows.any():
            far = np.full(u[rows].shape, np.inf)
            np.divide(unit[rows], u[rows], out=far, where=u[rows] > 0)
            distance[rows], slope[rows] = unit[rows] * far, far * far
        rows = shape == ROOTED
        if rows.any():
            power = self.power[ray[rows], None]
            shrink = (u[rows] / self.length[ray[rows], None]) ** (power - 1)
            distance[rows], slope[rows] = u[rows] * shrink, power * shrink
        return distance, slope


def substitutions(
    length: Floats, unit: Floats, growth: Floats, inverted: Bools, infinite: Bools
) -> Substitutions:
    """Choose them by the lengths d, the functions' scales and their growth at the rays' starts."""
    unit = np.where(infinite, NEAR * unit, unit)
    length = np.where(infinite, unit, length)
    long = ~infinite & (length > LONG * unit)
    unit = np.where(inverted | long, unit, 1.0)
    length = np.where(long, unit * np.log1p(length / unit), length)
    rooted = ~inverted & ~long & (growth > 0) & (growth < 1)
    power = np.where(rooted, _powers(np.where(rooted, growth, 0)), 1.0)
    shape = np.select([inverted, long, rooted], [INVERTED, STRETCHED, ROOTED], PLAIN)
    return Substitutions(length, shape, unit, power)


def _powers(growth: Floats) -> Floats:
    """The power after which ``u**-growth`` is closest to a whole power again, not below 0."""
    wholes = POWERS * (1 - growth[:, None])
    miss = np.abs(wholes - np.maximum(np.round(wholes), 1)) + 1e-6 * POWERS
    best: Floats = POWERS[np.argmin(miss, axis=1)].astype(float)
    return best
