"""Combs of Dirac impulses, and what they make of functions and of each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats
from multiconv.continuous._function import Operand
from multiconv.continuous._rule import EPS
from multiconv.continuous._source import Evaluation, Source, merged, products


class Comb:
    """A sum of Dirac impulses; made by `comb`, or by convolving two combs.

    Attributes
    ----------
    positions : ndarray of float64, shape (n,)
        Where they are, increasing.
    weights : ndarray of float64 or complex128, shape (n,)
        Their integrals.
    """

    def __init__(self, positions: Floats, weights: Array) -> None:
        self.positions, place = np.unique(positions, return_inverse=True)
        self.weights: Array = np.zeros(self.positions.size, dtype=weights.dtype)
        np.add.at(self.weights, place, weights)

    @property
    def support(self) -> tuple[float, float]:
        """The first and last position."""
        return float(self.positions[0]), float(self.positions[-1])

    def __repr__(self) -> str:
        return f"Comb({self.positions.size} impulses, support={self.support})"


def comb(positions: Any, weights: Any = 1.0) -> Comb:
    r"""Dirac impulses, as an operand of `convolve`: :math:`\sum_k w_k\,\delta(t - p_k)`.

    A function convolved with it is the sum of its copies, moved to the positions and multiplied by
    the weights; two combs convolve to a comb.

    Parameters
    ----------
    positions : array_like of float, shape (n,)
        Where the impulses are, finite, in any order; equal ones add up.
    weights : array_like of float or complex, shape (n,) or (), optional
        Their integrals.

    Returns
    -------
    Comb

    Raises
    ------
    TypeError
        If positions or weights are no numbers.
    ValueError
        If there is no position, one is not finite, or the weights are not as many.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv as mc
    >>> echo = mc.continuous.comb([0, 2], [1, 0.5])
    >>> decay = mc.continuous.convolve(echo, lambda t: np.exp(-t), support_g=(0, np.inf))
    >>> bool(abs(decay(3.0) - (np.exp(-3) + 0.5 * np.exp(-1))) <= decay.error(3.0) < 1e-15)
    True
    >>> mc.continuous.convolve(echo, echo).weights
    array([1.  , 1.  , 0.25])
    """
    places = _numbers(positions, "positions", "biuf").astype(np.float64)
    sizes = _numbers(weights, "weights", "biufc")
    if places.ndim != 1 or not places.size:
        raise ValueError(
            f"positions: shape {places.shape} is not allowed, give a sequence of at least one"
        )
    if sizes.shape not in ((), places.shape):
        raise ValueError(
            f"weights: shape {sizes.shape} is not allowed, give one, or one for each of the "
            f"{places.size} positions"
        )
    kind = np.complex128 if np.iscomplexobj(sizes) else np.float64
    return Comb(places, np.broadcast_to(sizes.astype(kind), places.shape))


def convolved_combs(f: Comb, g: Comb) -> Comb:
    """The comb of all sums of positions."""
    positions = (f.positions[:, None] + g.positions).ravel()
    return Comb(positions, (f.weights[:, None] * g.weights).ravel())


class Copies(Source):
    """The sum of weighted copies of a function, one at each impulse."""

    is_dear = False

    def __init__(self, impulses: Comb, f: Operand) -> None:
        self._comb, self._f = impulses, f
        first, last = impulses.support
        self.support = f.low + first, f.high + last
        sums = (impulses.positions[:, None] + f.edges[np.isfinite(f.edges)]).ravel()
        self.breakpoints = merged(sums)
        self.bulk = first + float(f.mesh.finite[0]), last + float(f.mesh.finite[-1])
        self.features = products(
            (impulses.positions, np.abs(impulses.weights)), (f.mesh.places, f.mesh.heights)
        )
        self.dtype = np.result_type(f.mesh.dtype, impulses.weights.dtype)

    def evaluate(self, points: Floats, rtol: float, atol: float) -> Evaluation:
        values, errors = np.zeros(points.size, dtype=self.dtype), np.zeros(points.size)
        for position, weight in zip(self._comb.positions, self._comb.weights, strict=True):
            value, error = self._copy(points - position, EPS * np.abs(points))
            values = values + weight * value
            errors += abs(weight) * (error + 4 * EPS * np.abs(value)) + EPS * np.abs(values)
        return values, errors

    def _copy(self, places: Floats, slip: Floats) -> Evaluation:
        """The function at places, and what it may be off where they are off by ``slip``."""
        value, error = self._inside(places)
        beside = [self._inside(places + side * slip) for side in (-1, 1)]
        swing = [np.abs(other - value) + doubt for other, doubt in beside]
        return value, np.maximum(error, np.maximum(*swing))

    def _inside(self, places: Floats) -> Evaluation:
        """Values and errors, zero outside the support and at its ends."""
        inside = (places > self._f.low) & (places < self._f.high)
        value, error = self._f.evaluate(places[inside])
        values, errors = np.zeros(places.size, dtype=value.dtype), np.zeros(places.size)
        values[inside], errors[inside] = value, error
        return values, errors


def _numbers(values: Any, name: str, kinds: str) -> Array:
    numbers = np.asarray(values)
    if numbers.dtype.kind not in kinds:
        wanted = "real numbers" if "c" not in kinds else "numbers"
        raise TypeError(f"{name}: {values!r} is not allowed, give {wanted}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: {values!r} is not allowed, they must be finite")
    return numbers
