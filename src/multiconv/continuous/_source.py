"""What a convolution is computed from: the integral of a product, or a sum of shifted copies."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats
from multiconv.continuous._rule import EPS

MOST_FEATURES = 4096
OCTAVES = 40
"""Doublings of the distance that series reach out to in infinite supports."""

Evaluation = tuple[Array, Floats]
"""Values, and bounds of their errors."""


class Source(ABC):
    """Values of a convolution, one way to get at them.

    Attributes
    ----------
    support
        Outside which the convolution is zero.
    breakpoints
        Where it may jump, have a kink or be singular; finite and increasing.
    bulk
        Between which it has what structure it has; finite.
    features
        Points that narrow features of it are close to, increasing, and how large these may be.
    dtype
        float64 or complex128, as far as is known.
    is_dear
        Whether series of the values pay.
    """

    support: tuple[float, float]
    breakpoints: Floats
    bulk: tuple[float, float]
    features: tuple[Floats, Floats]
    dtype: np.dtype[np.generic]
    is_dear: bool

    @abstractmethod
    def evaluate(self, points: Floats, rtol: float, atol: float) -> Evaluation:
        """Values and error bounds at points, shape (n,), inside the support."""

    def edges(self) -> Floats:
        """Breakpoints, and in infinite supports points at doubling distances from the bulk."""
        first, last = self.bulk
        unit = max(last - first, 16 * EPS * max(abs(first), abs(last)))
        steps: Floats = unit * 2.0 ** np.arange(-1.0, OCTAVES)
        parts = [self.breakpoints]
        if np.isinf(self.support).any():
            parts.append(np.array([first, last]))
        if np.isinf(self.support[0]):
            parts.append(first - steps)
        if np.isinf(self.support[1]):
            parts.append(last + steps)
        return np.unique(np.concatenate(parts))


def largest(places: Floats, sizes: Floats, most: int) -> tuple[Floats, Floats]:
    """The points with the largest sizes, increasing."""
    chosen = np.argsort(sizes, kind="stable")[::-1][:most]
    chosen = chosen[np.argsort(places[chosen], kind="stable")]
    return places[chosen], sizes[chosen]


def products(f: tuple[Floats, Floats], g: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Where features of two functions meet, and how large these may be then, the largest ones."""
    places = (f[0][:, None] + g[0]).ravel()
    with np.errstate(over="ignore"):
        sizes = (f[1][:, None] * g[1]).ravel()
    return largest(places, sizes, MOST_FEATURES)


def merged(points: Floats) -> Floats:
    """Increasing points; of those that differ by rounding errors only one, the ends unchanged."""
    points = np.unique(points)
    if points.size < 2:
        return points
    scale = max(abs(points[0]), abs(points[-1]))
    kept: Floats = points[np.concatenate([[True], np.diff(points) > 8 * EPS * scale])]
    kept[-1] = points[-1]
    return kept
