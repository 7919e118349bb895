"""Tails and quantiles of a lattice, from tables of its first numbers."""

from __future__ import annotations

import numpy as np

from multiconv.continuous._checks import Floats
from multiconv.continuous.distributions._lattice import LONGEST, Lattice


def needed(places: Floats) -> int:
    """How many numbers reach as far as these places."""
    most = places.max(initial=0)
    if most >= LONGEST:
        raise ValueError(
            f"x: {most:.6g} numbers above the low end of the sum, at most {LONGEST} are followed"
        )
    return int(most) + 1


def lattice_tail(lattice: Lattice, y: Floats, low: bool) -> Floats:
    """The probability of ``y`` or less, or of more."""
    place = y - lattice.start
    place = np.floor(place + 1e-9 * np.maximum(np.abs(place), 1))
    values = np.where(place < 0, 0.0 if low else 1.0, 1.0 if low else 0.0)
    inside = (place >= 0) & (place < lattice.last)
    count = needed(place[inside])
    table = lattice.below(count) if low else lattice.above(count)
    values[inside] = table[place[inside].astype(np.intp)]
    return values


def lattice_quantile(lattice: Lattice, mass: Floats, low: bool) -> Floats:
    """The first number with enough below, or little enough above."""
    count = 64
    while True:
        count = int(min(count, lattice.last + 1))
        table = lattice.below(count) if low else -lattice.above(count)
        wanted = mass * (1 - 1e-14) if low else -mass * (1 + 1e-14)
        place = np.searchsorted(table, wanted)
        if count > lattice.last or (place < count).all():
            return lattice.start + np.minimum(place, lattice.last)
        if count >= LONGEST:
            raise ValueError(f"q: the quantile is more than {LONGEST} numbers above the low end")
        count = min(4 * count, LONGEST)
