"""Piecewise Chebyshev series of a function that is dear to evaluate, grown where it is asked for.

A piece is one series if that meets the tolerances, or is as good as the function's own noise
lets it be, else it is cut in halves; close to singularities, where that does not end, the
function itself is evaluated. Which of these a point gets depends on nothing but the point, so
that it has the same bits in every call.

The scheme is that of L. N. Trefethen, *Approximation Theory and Approximation Practice*, SIAM,
2013, chapters 3, 8 and 15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from multiconv._typing import Array
from multiconv.continuous._checks import Floats
from multiconv.continuous._rule import EPS
from multiconv.continuous._source import largest

Ints = NDArray[np.intp]
Evaluation = tuple[Array, Floats]
Evaluate = Callable[[Floats], Evaluation]

DEGREE = 32
NODES = -np.cos(np.pi * np.arange(DEGREE + 1) / DEGREE)
FROM_VALUES = np.linalg.inv(chebyshev.chebvander(NODES, DEGREE))
SLOPES = np.arange(DEGREE + 1.0) ** 2
"""Largest slopes of the Chebyshev polynomials on (-1, 1)."""


def _growths() -> Floats:
    """How much errors at the nodes can grow between them, by the degree that a series is cut to."""
    between = chebyshev.chebvander(np.cos(np.linspace(0, np.pi, 20 * DEGREE)), DEGREE)
    lagrange = np.cumsum(between[:, :, None] * FROM_VALUES, axis=1)
    return np.asarray(1.01 * np.abs(lagrange).sum(axis=2).max(axis=0))


GROWTH = _growths()
NEGLIGIBLE = 0.01
"""Of the doubt about the values: coefficients not above it are cut off."""
LAST, CAUTION = 6, 8.0
"""Coefficients that tell how large the sum of those is that are missing, and a factor for it."""
CHECKS = 8
"""Points of each piece at which the series is held against the function,"""
MOST_FEATURES = 40
"""and points more where it may have narrow features."""
DEEPEST = 10
"""Halvings of a piece at most."""
WORSE = 2 * float(GROWTH[-1])
"""How many times as uncertain as the function a series of it may be, with some to spare."""
SHARE = 1 / 8
"""Share of the tolerances that the function is evaluated to for a series."""

UNSEEN, CUT, SERIES, DIRECT = 0, 1, 2, 3


@dataclass(frozen=True)
class _Tree:
    """All pieces, the first ones side by side; the halves of a cut one are child and child + 1."""

    low: Floats
    high: Floats
    depth: Ints
    state: Ints
    child: Ints
    error: Floats
    coefficients: Array


class PiecewiseSeries:
    """A function of one number that remembers its values as series.

    Parameters
    ----------
    fine, direct
        Evaluate the function and bounds of its errors: for a series, and in its place.
    edges
        Between which the function is smooth, as far as is known; increasing.
    features
        Points, increasing, that narrow features are close to, and how large these may be.
    rtol, atol
        Errors wanted.
    settle
        How many times the errors wanted the function's noise must be for the series to be taken
        as it is; below, the function itself is asked, whose errors are smaller.
    """

    def __init__(
        self, fine: Evaluate, direct: Evaluate, edges: Floats, features: tuple[Floats, Floats],
        rtol: float, atol: float, settle: float = 1.0,
    ) -> None:  # fmt: skip
        self._fine, self._direct = fine, direct
        self._edges, self._features = edges, features
        self._rtol, self._atol, self._settle = rtol, atol, settle
        self._tree = _leaves(edges[:-1], edges[1:], np.zeros(edges.size - 1, dtype=np.intp))

    def evaluate(self, points: Floats) -> Evaluation:
        """Values and error bounds at points, shape (n,)."""
        tree, piece = self._located(points)
        is_series = np.asarray((piece >= 0) & (tree.state[piece] == SERIES))
        summed = _summed(tree, piece[is_series], points[is_series])
        if is_series.all():
            return summed
        direct = self._direct(points[~is_series])
        values = np.zeros(points.size, dtype=np.result_type(summed[0], direct[0]))
        errors = np.zeros(points.size)
        values[is_series], errors[is_series] = summed
        values[~is_series], errors[~is_series] = direct
        return values, errors

    def _located(self, points: Floats) -> tuple[_Tree, Ints]:
        """The tree, grown as far as these points ask for, and their pieces; -1 for none.

        A grown tree takes the place of the other at once, so that threads do no harm.
        """
        tree = self._tree
        piece = np.searchsorted(self._edges, points, side="right") - 1
        piece[(points < self._edges[0]) | (points >= self._edges[-1])] = -1
        while True:
            known = piece >= 0
            unseen = np.unique(piece[known & (tree.state[piece] == UNSEEN)])
            if unseen.size:
                tree = self._tree = self._grown(tree, unseen)
            cut = np.flatnonzero(known & (tree.state[piece] == CUT))
            if not cut.size:
                return tree, piece
            child = tree.child[piece[cut]]
            piece[cut] = child + (points[cut] >= tree.low[child + 1])

    def _grown(self, tree: _Tree, chosen: Ints) -> _Tree:
        """The tree with the chosen pieces seen."""
        low, high, depth = tree.low[chosen], tree.high[chosen], tree.depth[chosen]
        coefficients, error, good, hopeless = self._fitted(low, high)
        middle = 0.5 * (low + high)
        hopeless |= (depth >= DEEPEST) | (middle <= low) | (middle >= high)
        cut = ~good & ~hopeless
        state, child, errors = tree.state.copy(), tree.child.copy(), tree.error.copy()
        state[chosen] = np.where(good, SERIES, np.where(cut, CUT, DIRECT))
        child[chosen[cut]] = state.size + 2 * np.arange(np.count_nonzero(cut))
        errors[chosen] = error
        every = tree.coefficients.astype(np.result_type(tree.coefficients, coefficients))
        every[:, chosen] = coefficients
        halves = _leaves(
            np.stack([low[cut], middle[cut]], axis=1).ravel(),
            np.stack([middle[cut], high[cut]], axis=1).ravel(),
            np.repeat(depth[cut] + 1, 2),
        )
        return _joined(
            replace(tree, state=state, child=child, error=errors, coefficients=every), halves
        )

    def _fitted(self, low: Floats, high: Floats) -> tuple[Array, Floats, Array, Array]:
        """Series on pieces, their errors, which of them are good, and which no halves improve."""
        nodes = _points(low, high, NODES)
        checks = self._checks(low, high)
        points = np.concatenate([nodes, checks], axis=1)
        values, doubts = (a.reshape(points.shape) for a in self._fine(points.ravel()))
        usable = np.asarray(np.isfinite(values + doubts).all(axis=1))
        values, doubts = np.where(usable[:, None], values, 0), np.where(usable[:, None], doubts, 0)
        coefficients = np.einsum("kn,pn->kp", FROM_VALUES, values[:, : DEGREE + 1])
        fit = chebyshev.chebval(_inner(low, high, checks).T, coefficients[:, None, :], tensor=False)
        misfit = np.abs(fit.T - values[:, DEGREE + 1 :]).max(axis=1)
        missing = CAUTION * np.abs(coefficients[-LAST:]).max(axis=0)
        coefficients, noise = _cut(coefficients, doubts.max(axis=1))
        error = np.maximum(missing, misfit) + noise + _rounding(low, high, coefficients)
        sizes = np.abs(values)
        good = usable & (error <= np.maximum(self._atol, self._rtol * sizes.min(axis=1)))
        mildest = np.maximum(self._atol, self._rtol * sizes.max(axis=1))
        noisy = usable & (noise > mildest) & (np.maximum(missing, misfit) <= noise)
        settled = noisy & (noise > self._settle * mildest)
        return coefficients, error, good | settled, noisy & ~settled

    def _checks(self, low: Floats, high: Floats) -> Floats:
        """Points to check a piece at: some at no special place, and the largest features in it.

        A row that is shorter than others is filled up with its own points.
        """
        plain = _points(low, high, np.cos(np.pi * (np.arange(CHECKS) + 0.4) / CHECKS))
        ends = _points(low, high, np.array([-1.0, 1.0]))
        rows = [np.append(row, self._inside(*span)) for row, span in zip(plain, ends, strict=True)]
        longest = max(row.size for row in rows)
        return np.stack([np.resize(row, longest) for row in rows])

    def _inside(self, low: float, high: float) -> Floats:
        places, sizes = self._features
        part = slice(*np.searchsorted(places, [low, high]))
        return largest(places[part], sizes[part], MOST_FEATURES)[0]


def _cut(coefficients: Array, doubt: Floats) -> tuple[Array, Floats]:
    """Series without what only rounding put there, and bounds of the noise in their values."""
    small = np.abs(coefficients) <= NEGLIGIBLE * doubt
    beyond = np.logical_and.accumulate(small[::-1], axis=0)[::-1]
    degree = np.maximum(DEGREE - beyond.sum(axis=0), 0)
    lost = np.abs(np.where(beyond, coefficients, 0)).sum(axis=0)
    return np.where(beyond, 0, coefficients), GROWTH[degree] * doubt + lost


def _leaves(low: Floats, high: Floats, depth: Ints) -> _Tree:
    none = np.zeros(low.size, dtype=np.intp)
    coefficients = np.zeros((DEGREE + 1, low.size))
    return _Tree(low, high, depth, none, none, np.zeros(low.size), coefficients)


def _joined(first: _Tree, second: _Tree) -> _Tree:
    columns = vars(first)
    return _Tree(**{n: np.concatenate([a, vars(second)[n]], axis=-1) for n, a in columns.items()})


def _summed(tree: _Tree, piece: Ints, points: Floats) -> Evaluation:
    """The series at points, in whatever pieces they are."""
    inner = _inner(tree.low[piece], tree.high[piece], points)
    values = chebyshev.chebval(inner, tree.coefficients[:, piece], tensor=False)
    return np.asarray(values), tree.error[piece]


def _points(low: Floats, high: Floats, places: Floats) -> Floats:
    """Points at places of (-1, 1) in pieces; never the ends themselves, which may be singular."""
    middle, half = 0.5 * (low + high), _half(low, high)
    points: Floats = middle[:, None] + half[:, None] * places
    return points


def _inner(low: Floats, high: Floats, points: Floats) -> Floats:
    """Places in (-1, 1) of points in pieces, one piece for each row of points."""
    middle, half = 0.5 * (low + high), _half(low, high)
    shape = (-1,) + (1,) * (points.ndim - 1)
    places: Floats = (points - middle.reshape(shape)) / half.reshape(shape)
    return places


def _half(low: Floats, high: Floats) -> Floats:
    """Half the width of pieces, but for a few units in the last place."""
    margin = 4 * EPS * np.maximum(np.abs(low), np.abs(high))
    half: Floats = 0.5 * (high - low) * (1 - 4 * EPS) - np.minimum(margin, 0.25 * (high - low))
    return half


def _rounding(low: Floats, high: Floats, coefficients: Array) -> Floats:
    """What the sum of a series is off by rounding, of its terms and of the place."""
    sizes = np.abs(coefficients)
    place = EPS * (1 + np.maximum(np.abs(low), np.abs(high)) / _half(low, high))
    rounding: Floats = 4 * EPS * sizes.sum(axis=0) + place * (SLOPES @ sizes)
    return rounding
