"""A density plus a lattice: the density, moved to every number of the lattice and weighted."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from multiconv.continuous._checks import Floats
from multiconv.continuous._warnings import IntegrationWarning
from multiconv.continuous.distributions._lattice import Lattice

FIRST = 64
LONGEST = 2**14
ENOUGH = 1e-16
ENTRIES = 2**20
"""Which bounds the scratch memory."""


def weighted(
    function: Callable[[Floats], Floats], most: float, lattice: Lattice, x: Floats
) -> Floats:
    """Add up ``weight * function(x - number)`` over the lattice.

    Parameters
    ----------
    function
        Not negative.
    most
        The largest value of the function, which bounds what is left out.
    lattice
        Numbers and weights.
    x : ndarray, shape (n,)
        Where to look.
    """
    total, done, count = np.zeros(x.size), 0, FIRST
    while True:
        count = int(min(count, lattice.last + 1))
        weights = lattice.weights(count)[done:]
        numbers = np.arange(done, count, dtype=float) + lattice.start
        total += _block(function, numbers, weights, x)
        rest = lattice.above(count)[-1] * most
        if count > lattice.last or (rest <= ENOUGH * total).all():
            return total
        if count >= LONGEST:
            _warn(rest, total)
            return total
        done, count = count, 4 * count


def _block(
    function: Callable[[Floats], Floats], numbers: Floats, weights: Floats, x: Floats
) -> Floats:
    rows = max(ENTRIES // max(numbers.size, 1), 1)
    parts = [
        function((part[:, None] - numbers).ravel()).reshape(part.size, -1) @ weights
        for part in np.split(x, range(rows, x.size, rows))
    ]
    return np.concatenate(parts)


def _warn(rest: float, total: Floats) -> None:
    warnings.warn(
        f"{LONGEST} numbers of the discrete part are not enough: up to {rest:.3g} is missing "
        f"from a value of {total.min():.3g}",
        IntegrationWarning,
        stacklevel=4,
    )
