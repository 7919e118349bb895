"""Logarithms of densities as piecewise Chebyshev series in the coordinate of their `Scale`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from multiconv._typing import Array
from multiconv.continuous._checks import Floats

COUNT = 18
"""Chebyshev nodes of a piece."""
TOLERANCE = 1e-13
"""Error of a logarithm that is good enough, above the rounding error of the logarithm itself."""
ROUNDING = 6e-16
"""Relative error of a logarithm and of the sums that make a series of it."""
MOST = 2000
"""Pieces at which bisection gives up."""
DEEPEST = 2.0**-30
"""Relative width of a piece at which the search for a kink ends."""
DEPTH = -640.0
"""Logarithm, relative to the peak, down to which densities are to be accurate."""
FLOOR = -700.0
"""The same, down to which they are followed."""

_ANGLES = np.pi * (np.arange(COUNT) + 0.5) / COUNT
INNERMOST = 1e-9
"""How far from the ends of a piece it is looked at once more, where kinks hide from the nodes."""
NODES_AND_ENDS = np.array([-1 + INNERMOST, *-np.cos(_ANGLES), 1 - INNERMOST])
SWAY = 4.0
"""How much larger the noise of a series may be at its ends."""

Noise = Callable[[Floats, Floats], Floats]
"""Rounding errors of the function, given where it was looked at and what it was there."""
Samples = Callable[[Floats], tuple[Floats, Floats]]
"""Looks at a function near given points: where it was looked at, and what it was there."""


@dataclass(frozen=True)
class Pieces:
    """The series, with straight lines beyond the first and the last.

    Attributes
    ----------
    edges : ndarray, shape (m + 1,)
        Increasing.
    series : ndarray, shape (COUNT, m)
        Chebyshev coefficients of each piece.
    slopes : (float, float)
        Of the straight lines.
    """

    edges: Floats
    series: Floats
    slopes: tuple[float, float]

    def __call__(self, u: Floats) -> Floats:
        """The logarithm at any u."""
        inside = np.clip(u, self.edges[0], self.edges[-1])
        beyond = u - inside
        values = self._inside(inside)
        if beyond.any():
            below, above = self.slopes
            values = values + np.where(beyond < 0, below, above) * beyond
        return values

    def _inside(self, u: Floats) -> Floats:
        flat = u.ravel()
        piece = np.clip(np.searchsorted(self.edges, flat, side="right") - 1, 0, self.edges.size - 2)
        low, high = self.edges[piece], self.edges[piece + 1]
        y = (2 * flat - low - high) / (high - low)
        ahead = np.zeros(flat.size)
        after = np.zeros(flat.size)
        for k in range(COUNT - 1, 0, -1):
            ahead, after = self.series[k][piece] + 2 * y * ahead - after, ahead
        values: Floats = self.series[0][piece] + y * ahead - after
        return values.reshape(u.shape)


@dataclass(frozen=True)
class Fit:
    """Pieces, and what is wrong with them.

    Attributes
    ----------
    pieces
        The series.
    kinks : ndarray
        Where bisection went on to the deepest: kinks or jumps that no corner marked.
    blurred : ndarray, shape (2, k)
        Places where it did, and the width times the relative error there.
    error : float
        Of the logarithm everywhere else.
    """

    pieces: Pieces
    kinks: Floats
    blurred: Floats
    error: float


def fit(samples: Samples, corners: Floats, noise: Noise) -> Fit:
    """Bisect until the series converge on every piece.

    Parameters
    ----------
    samples
        Looks at the logarithm.
    corners
        Where pieces must end, the outermost ones first and last; increasing.
    noise
        Its rounding errors.

    Returns
    -------
    Fit
    """
    low, high = corners[:-1], corners[1:]
    smallest = DEEPEST * max(corners[-1] - corners[0], 1.0)
    edges: list[Floats] = []
    series: list[Floats] = []
    blurred: list[Floats] = []
    error = 0.0
    while low.size:
        found, rest, converged = _tried(samples, low, high, noise)
        middle, half = (low + high) / 2, (high - low) / 2
        tiny = half <= smallest
        kink = tiny & ~converged
        blurred.append(np.stack([middle, 2 * half * np.minimum(rest, 1)])[:, kink])
        full = low.size + sum(part.size for part in edges) > MOST
        error = max(error, rest.max()) if full else error
        stop = converged | tiny | full
        edges.append(low[stop])
        series.append(found[:, stop])
        low, high = _halves(low[~stop], middle[~stop], high[~stop])
    pieces = _in_order(np.concatenate(edges), np.concatenate(series, axis=1), corners[-1])
    error += TOLERANCE + ROUNDING * float(np.abs(pieces.series[0]).max())
    places = np.concatenate(blurred, axis=1)
    return Fit(pieces, _thinned(np.sort(places[0]), 16 * smallest), places, error)


def _tried(
    samples: Samples, low: Floats, high: Floats, noise: Noise
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Series on intervals, what they miss, and whether that is little enough."""
    middle, half = (low + high) / 2, (high - low) / 2
    nodes = middle + half * NODES_AND_ENDS[:, None]
    places, values = samples(nodes)
    basis = np.polynomial.chebyshev.chebvander(((places - middle) / half).T, COUNT - 1)
    inner = np.linalg.solve(basis[:, 1:-1], values.T[:, 1:-1, None])
    series = np.asarray(inner[:, :, 0].T, dtype=float)
    ends = np.abs(basis[:, [0, -1]] @ inner - values.T[:, [0, -1], None]).max(axis=(1, 2))
    enough = TOLERANCE + ROUNDING * np.abs(values).max(axis=0) + noise(nodes, values).min(axis=0)
    tail = np.abs(series[-3:]).max(axis=0)
    return series, np.maximum(tail, ends), (tail <= enough) & (ends <= SWAY * enough)


def _in_order(starts: Floats, series: Floats, end: float) -> Pieces:
    order = np.argsort(starts)
    edges, series = np.append(starts[order], end), series[:, order]
    squares, signs = np.arange(COUNT) ** 2.0, -((-1.0) ** np.arange(COUNT))
    low = float((signs * squares) @ series[:, 0] * 2 / (edges[1] - edges[0]))
    high = float(squares @ series[:, -1] * 2 / (edges[-1] - edges[-2]))
    return Pieces(edges, series, (low, high))


def _halves(low: Floats, middle: Floats, high: Floats) -> tuple[Floats, Floats]:
    return np.concatenate([low, middle]), np.concatenate([middle, high])


def _thinned(points: Array, distance: float) -> Floats:
    """One point of each cluster."""
    if not points.size:
        return points
    apart = np.append(True, np.diff(points) > distance)
    kept: Floats = np.asarray(points[apart], dtype=float)
    return kept
