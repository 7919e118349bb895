"""Probabilities on evenly spaced numbers, and their sums: exact but for rounding, term by term."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from multiconv._api import convolve
from multiconv.continuous._checks import Floats

LONGEST = 2**17
"""Probabilities that are followed, from the low end."""
TINY = 1e-300


class Lattice(Protocol):
    """Probabilities of ``start``, ``start + 1``, ...

    Attributes
    ----------
    start : float
        The smallest number.
    last : float
        Index of the largest number, or infinity.
    """

    start: float
    last: float

    def weights(self, count: int) -> Floats:
        """The first probabilities."""

    def below(self, count: int) -> Floats:
        """Probabilities of each of the first numbers or less."""

    def above(self, count: int) -> Floats:
        """Probabilities of more than each of the first numbers."""


class FrozenLattice:
    """A frozen discrete distribution."""

    def __init__(self, frozen: Any) -> None:
        low, high = (float(end) for end in frozen.support())
        self._frozen = frozen
        self.start = low if np.isfinite(low) else _effective_low(frozen)
        self.last = high - self.start

    def weights(self, count: int) -> Floats:
        """See `Lattice`."""
        return np.asarray(self._frozen.pmf(self._numbers(count)))

    def below(self, count: int) -> Floats:
        """Sums of probabilities: SciPy's own are at times differences from 1."""
        return np.cumsum(self.weights(count))

    def above(self, count: int) -> Floats:
        """The same from the far end, where that is within reach."""
        far = count
        while far <= min(self.last, LONGEST) and self._frozen.pmf(self.start + far) > TINY:
            far *= 2
        far = max(int(min(far, self.last + 1)), count)
        beyond = float(self._frozen.sf(self.start + far - 1)) if far > LONGEST else 0.0
        weights = np.append(self.weights(far)[1:], beyond)
        return np.cumsum(weights[::-1])[::-1][:count]

    def _numbers(self, count: int) -> Floats:
        return np.arange(count, dtype=float) + self.start


class SumLattice:
    """The sum of two: every probability is a sum of products, without subtraction."""

    def __init__(self, f: Lattice, g: Lattice) -> None:
        self._f, self._g = f, g
        self.start, self.last = f.start + g.start, f.last + g.last
        self._known: dict[str, Floats] = {}

    def weights(self, count: int) -> Floats:
        """See `Lattice`."""
        return self._remembered("weights", count)

    def below(self, count: int) -> Floats:
        """See `Lattice`."""
        return self._remembered("below", count)

    def above(self, count: int) -> Floats:
        """Either the first term alone is more, or it is not and the second makes it so."""
        return self._remembered("above", count)

    def _remembered(self, what: str, count: int) -> Floats:
        known = self._known.get(what, np.zeros(0))
        if known.size < count:
            count = max(count, min(2 * known.size, LONGEST))
            second: Floats = getattr(self._g, what)(count)
            known = convolve(self._f.weights(count), second, precision="highest")[:count]
            if what == "above":
                known = np.asarray(known + self._f.above(count), dtype=float)
            self._known[what] = known
        return known[:count]


def _effective_low(frozen: Any) -> float:
    """A number below which all probabilities are too small for float64."""
    middle, step = float(frozen.ppf(0.5)), 1.0
    while frozen.pmf(middle - step) > TINY:
        step *= 2
        if step > LONGEST:
            raise ValueError(
                f"terms: the probabilities of {frozen.dist.name} fall off too slowly below "
                f"{middle}: more than {LONGEST} of them would be needed"
            )
    return middle - step
