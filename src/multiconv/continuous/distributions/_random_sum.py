"""The distribution of a sum of independent random variables."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from multiconv.continuous._checks import Floats
from multiconv.continuous._warnings import IntegrationWarning
from multiconv.continuous.distributions._density import Density, Masses
from multiconv.continuous.distributions._lattice import (
    FrozenLattice,
    Lattice,
    SumLattice,
)
from multiconv.continuous.distributions._mixed import weighted
from multiconv.continuous.distributions._positive import added
from multiconv.continuous.distributions._repeated import both, power
from multiconv.continuous.distributions._solve import solved
from multiconv.continuous.distributions._tables import lattice_quantile, lattice_tail, needed

PROBABILITY_RTOL = 1e-12
"""What SciPy's discrete probabilities and the rounding of their sums are taken to be worth."""
UNIT_MASS = 1e-8
"""How close to 1 the integral of a density must be to go without a warning."""


class RandomSum:
    """The distribution of a sum; made by `distribution_of_sum`.

    It has the methods of a frozen distribution, and can be added to another, to a frozen
    distribution or to a number with ``+``, which means the sum of independent variables.

    Attributes
    ----------
    rtol : float
        Bound of the relative error of `pdf` or `pmf`, `cdf` and `sf`, tails included, so far as
        the terms' own densities are exact. It holds where the density is above 1e-270
        times that of the bulk, and no closer to a finite end of the support than 1e-16 times the
        width of the bulk.
    is_discrete : bool
        Whether it has a `pmf` in place of a `pdf`.
    """

    def __init__(
        self, density: Density | None, lattice: Lattice | None, shift: float, draws: list[Any]
    ) -> None:
        self._density, self._lattice, self._shift = density, lattice, shift
        self._draws = draws
        self.is_discrete = density is None

    @property
    def rtol(self) -> float:
        """Bound of the relative error."""
        exact = len(self._draws) * PROBABILITY_RTOL if self._lattice else 0.0
        return exact + (self._density.rtol if self._density else 0.0)

    def pdf(self, x: Any) -> Any:
        """The probability density at ``x``; zero outside the support."""
        self._expect(discrete=False, name="pdf")
        return self._mapped(x, self._pdf)

    def logpdf(self, x: Any) -> Any:
        """The logarithm of the density, which goes on where the density itself is too small."""
        self._expect(discrete=False, name="logpdf")
        if self._lattice is None:
            return self._mapped(x, self._log_density)
        with np.errstate(divide="ignore"):
            return np.log(self.pdf(x))

    def pmf(self, k: Any) -> Any:
        """The probability of ``k``; zero off the lattice."""
        self._expect(discrete=True, name="pmf")
        return self._mapped(k, self._pmf)

    def cdf(self, x: Any) -> Any:
        """The probability of ``x`` or less."""
        return self._mapped(x, lambda points: self._tail(points, low=True))

    def sf(self, x: Any) -> Any:
        """The probability of more than ``x``, relatively exact where ``1 - cdf`` is not."""
        return self._mapped(x, lambda points: self._tail(points, low=False))

    def ppf(self, q: Any) -> Any:
        """The number that is not exceeded with probability ``q``; NaN if q is no probability."""
        return self._mapped(q, lambda mass: self._quantile(mass, low=True))

    def isf(self, q: Any) -> Any:
        """The number that is exceeded with probability ``q``."""
        return self._mapped(q, lambda mass: self._quantile(mass, low=False))

    def mean(self) -> float:
        """Sum of the terms' means: infinite or NaN if one of them is (NaN: undefined)."""
        return self._shift + self._added_up("mean")

    def var(self) -> float:
        """Sum of the terms' variances: infinite or NaN if one of them is."""
        return self._added_up("var")

    def std(self) -> float:
        """Square root of the variance."""
        return math.sqrt(self.var())

    def support(self) -> tuple[float, float]:
        """The ends of the support."""
        low = high = self._shift
        for draw, count in self._draws:
            ends = draw.support()
            low, high = low + count * float(ends[0]), high + count * float(ends[1])
        return low, high

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Random numbers: the terms' own, added up.

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result; one number if not given.
        random_state : int or Generator, optional
            Where the randomness comes from.
        """
        generator = np.random.default_rng(random_state)
        shape = () if size is None else size
        total = np.full(shape, self._shift)
        for draw, count in self._draws:
            for _ in range(count):
                total = total + draw.rvs(size=shape, random_state=generator)
        return total if np.ndim(total) else float(total)

    def _added_up(self, moment: str) -> float:
        return float(sum(count * _quiet(getattr(draw, moment)) for draw, count in self._draws))

    def __add__(self, other: Any) -> RandomSum:
        total = self._plus(as_random(other, "other"))
        total._check_mass()
        return total

    __radd__ = __add__

    def __repr__(self) -> str:
        kind = "discrete" if self.is_discrete else "continuous"
        number = sum(count for _, count in self._draws)
        return f"RandomSum({number} {kind} terms, support={self.support()}, rtol={self.rtol:.1e})"

    @cached_property
    def _masses(self) -> Masses | None:
        return Masses(self._density) if self._density else None

    def _check_mass(self) -> None:
        if self._masses and abs(self._masses.total - 1) > max(UNIT_MASS, self.rtol):
            warnings.warn(
                f"the density of the sum integrates to {self._masses.total:.12g}, not to 1",
                IntegrationWarning,
                stacklevel=3,
            )

    def _plus(self, other: RandomSum) -> RandomSum:
        return RandomSum(
            both(self._density, other._density, added),
            both(self._lattice, other._lattice, SumLattice),
            self._shift + other._shift,
            [*self._draws, *other._draws],
        )

    def _times(self, count: int) -> RandomSum:
        density, lattice = self._density, self._lattice
        return RandomSum(
            power(density, count, added) if density else None,
            power(lattice, count, SumLattice) if lattice else None,
            count * self._shift,
            [(draw, count * number) for draw, number in self._draws],
        )

    def _expect(self, discrete: bool, name: str) -> None:
        if self.is_discrete != discrete:
            has, lacks = ("pmf", "pdf") if self.is_discrete else ("pdf", "pmf")
            kind = "discrete" if self.is_discrete else "continuous"
            raise TypeError(f"{name}: a {kind} sum has no {lacks}, ask for its {has}")

    def _mapped(self, x: Any, function: Callable[[Floats], Floats]) -> Any:
        points = np.asarray(x)
        if points.dtype.kind not in "biuf":
            raise TypeError(f"x: {x!r} is not allowed, give real numbers")
        flat = points.astype(float).ravel()
        values = np.full(flat.size, np.nan)
        known = ~np.isnan(flat)
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            values[known] = function(flat[known])
        return values.reshape(points.shape)[()]

    def _pdf(self, x: Floats) -> Floats:
        if self._lattice is None:
            return np.exp(self._log_density(x))
        most = math.exp(self._density.highest) if self._density else 0.0
        return weighted(lambda y: np.exp(self._log_at(y)), most, self._lattice, x - self._shift)

    def _log_density(self, x: Floats) -> Floats:
        return self._log_at(x - self._shift)

    def _log_at(self, y: Floats) -> Floats:
        assert self._density is not None
        low, high = self._density.scale.support
        inside = (y > low) & (y < high)
        values = np.full(y.size, -np.inf)
        values[inside] = self._density.logarithm(self._density.scale.locate(y[inside]))
        return values

    def _pmf(self, k: Floats) -> Floats:
        assert self._lattice is not None
        place = k - self._shift - self._lattice.start
        near = np.round(place)
        on = (np.abs(place - near) <= 1e-9 * np.maximum(np.abs(place), 1)) & (near >= 0)
        on &= near <= self._lattice.last
        values = np.zeros(k.size)
        values[on] = self._lattice.weights(needed(near[on]))[near[on].astype(np.intp)]
        return values

    def _tail(self, x: Floats, low: bool) -> Floats:
        y = x - self._shift
        if self._lattice is None:
            return self._continuous_tail(y, low)
        if self._density is None:
            return lattice_tail(self._lattice, y, low)
        return weighted(lambda z: self._continuous_tail(z, low), 1.0, self._lattice, y)

    def _continuous_tail(self, y: Floats, low: bool) -> Floats:
        assert self._density is not None
        assert self._masses is not None
        scale = self._density.scale
        values = np.where(y <= scale.support[0], 0.0 if low else 1.0, 1.0 if low else 0.0)
        inside = (y > scale.support[0]) & (y < scale.support[1])
        u = scale.coordinate(scale.locate(y[inside]))
        values[inside] = self._masses.below(u) if low else self._masses.above(u)
        return np.minimum(values, 1.0)

    def _quantile(self, mass: Floats, low: bool) -> Floats:
        values = np.full(mass.size, np.nan)
        ends = self.support() if low else self.support()[::-1]
        values[mass == 0], values[mass == 1] = ends
        inner = (mass > 0) & (mass < 1)
        values[inner] = self._shift + self._inner_quantile(mass[inner], low)
        return values

    def _inner_quantile(self, mass: Floats, low: bool) -> Floats:
        if self._density is None:
            assert self._lattice is not None
            return lattice_quantile(self._lattice, mass, low)
        if self._lattice is None:
            return self._continuous_quantile(mass, low)
        return solved(
            lambda y: self._tail(y + self._shift, low),
            lambda y: self._pdf(y + self._shift),
            mass,
            low,
        )

    def _continuous_quantile(self, mass: Floats, low: bool) -> Floats:
        """From the smaller tail, which has more digits."""
        assert self._density is not None
        assert self._masses is not None
        small = mass <= 0.5
        u = np.empty(mass.size)
        u[small] = self._masses.quantile(mass[small], low)
        u[~small] = self._masses.quantile(1 - mass[~small], not low)
        return self._density.scale.number(self._density.scale.position(u))


def as_random(term: Any, name: str) -> RandomSum:
    from multiconv.continuous.distributions._frozen import check_frozen, density

    if isinstance(term, RandomSum):
        return term
    if isinstance(term, (int, float, np.integer, np.floating)):
        if not math.isfinite(term):
            raise ValueError(f"{name}: {term} is not allowed, constants must be finite")
        return RandomSum(None, None, float(term), [])
    if check_frozen(term, name):
        return RandomSum(density(term, name), None, 0.0, [(term, 1)])
    return RandomSum(None, FrozenLattice(term), 0.0, [(term, 1)])


def _quiet(moment: Callable[[], Any]) -> float:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return float(moment())
