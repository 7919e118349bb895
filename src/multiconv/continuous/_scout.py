"""Looks at a function before it is integrated, so that nothing narrow is stepped over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._reach import Reach, reach
from multiconv.continuous._rule import MEETING, NODES, WEIGHTS, Floats, weighted_sum

AGREE = 1e-4
"""Relative difference up to which two panels are as good as the fine parts below them."""

Values = Callable[[Floats], Array]


@dataclass(frozen=True)
class Mesh:
    """What is known of a function.

    Attributes
    ----------
    edges
        Ends of the cells that it is smooth on, as far as is known; increasing. The first and last
        may be infinite, the others are not.
    growth_low, growth_high
        For each cell, the exponent p if the function grows like ``distance**-p`` towards the
        cell's low or high end, else zero.
    low, high
        What its infinite ends are like; None for finite ones.
    places, heights
        Where the largest modulus was seen in each finite cell, and that modulus.
    dtype
        float64 or complex128.
    """

    edges: Floats
    growth_low: Floats
    growth_high: Floats
    low: Reach | None
    high: Reach | None
    places: Floats
    heights: Floats
    dtype: np.dtype[Any]

    @property
    def peak(self) -> float:
        """The largest modulus seen."""
        return float(self.heights.max())

    @property
    def finite(self) -> Floats:
        """The edges that are finite, at least two."""
        edges: Floats = self.edges[np.isfinite(self.edges)]
        return edges


def scout(values: Values, edges: Floats, finest: int) -> Mesh:
    """Cut the given cells until two panels see the whole function on each.

    A cell stands if the integrals of its two halves are those of its fine parts, of which there
    are `finest` in all the support, and at least eight in a cell. What is narrower
    than the distance of a fine part's nodes, about a thousandth of the support, can still be
    missed: it needs a breakpoint. Infinite ends get marks first, at distances that suit the
    function.
    """
    inner, low, high = _marked(values, edges)
    found, points, seen = _cut(values, inner, finest)
    places, heights = _peaks(found, points.ravel(), np.abs(seen).ravel())
    growth = [_growth(values, found, 1), _growth(values, found, -1)]
    for at, end in ((0, low), (-1, high)):
        if end:
            place = 0 if at == 0 else found.size
            found = np.insert(found, place, edges[at])
            growth = [np.insert(g, 0 if at == 0 else g.size, 0.0) for g in growth]
    return Mesh(found, growth[0], growth[1], low, high, places, heights, seen.dtype)


def _marked(values: Values, edges: Floats) -> tuple[Floats, Reach | None, Reach | None]:
    """The finite edges and those that infinite ends need, and what these ends are like."""
    finite = edges[np.isfinite(edges)]
    finite = finite if finite.size else np.zeros(1)
    parts: list[Floats] = [finite]
    ends: list[Reach | None] = []
    for base, sign, end in ((finite[0], -1, edges[0]), (finite[-1], 1, edges[-1])):
        if np.isfinite(end):
            ends.append(None)
            continue
        distances, found = reach(values, float(base), sign)
        parts.append(base + sign * distances)
        ends.append(found)
    return np.unique(np.concatenate(parts)), ends[0], ends[1]


def _cut(values: Values, edges: Floats, finest: int) -> tuple[Floats, Floats, Array]:
    """More edges, where panels need them, and the points and values seen."""
    cells = edges.size - 1
    parts = 2 ** max(int(np.log2(max(finest / cells, 1))), 3)
    corners = edges[:-1, None] + np.diff(edges)[:, None] * _uneven(np.arange(parts) / parts)
    corners = np.append(corners.ravel(), edges[-1])
    points = _points(corners[:-1], corners[1:])
    seen = values(points)
    half = 0.5 * np.diff(corners)
    fine, moduli = (half * weighted_sum(v, WEIGHTS) for v in (seen, np.abs(seen)))
    total, size = (np.append(0, np.cumsum(column)) for column in (fine, moduli))
    found = [edges]
    start = np.arange(cells) * parts
    while parts > 2 and start.size:
        middle, end = start + parts // 2, start + parts
        left = _integral(values, corners[start], corners[middle])
        right = _integral(values, corners[middle], corners[end])
        missed = np.abs(left + right - (total[end] - total[start]))
        bad = missed > AGREE * (size[end] - size[start]) + 1e-10 * size[-1]
        found.append(corners[middle[bad]])
        start = np.concatenate([start[bad], middle[bad]])
        parts //= 2
    return np.unique(np.concatenate(found)), points, seen


def _peaks(edges: Floats, points: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """Where in each cell a function is largest, and how large."""
    cell = np.clip(np.searchsorted(edges, points, side="right") - 1, 0, edges.size - 2)
    order = np.lexsort((sizes, cell))
    last = order[np.flatnonzero(np.diff(cell[order], append=-1))]
    return points[last], sizes[last]


def _uneven(fractions: Floats) -> Floats:
    """Fractions moved a little, 1/2 to `MEETING`; 0 and 1 stay."""
    moved: Floats = fractions + (4 * MEETING - 2) * fractions * (1 - fractions)
    return moved


def _points(low: Floats, high: Floats) -> Floats:
    """The nodes of panels."""
    half = 0.5 * (high - low)
    points: Floats = low[:, None] + half[:, None] * (1 + NODES)
    return np.clip(points, low[:, None], high[:, None])


def _integral(values: Values, low: Floats, high: Floats) -> Array:
    """Integrals of the function over panels."""
    return 0.5 * (high - low) * weighted_sum(values(_points(low, high)), WEIGHTS)


def _growth(values: Values, edges: Floats, sign: int) -> Floats:
    """The exponents of growth towards the low (1) or high (-1) ends of the cells.

    Positive at every singularity that floating-point numbers can tell from a large finite value.
    """
    ends = edges[:-1] if sign > 0 else edges[1:]
    width, grain = np.diff(edges), np.spacing(np.abs(ends))
    near = np.maximum(2.0**-60 * width, 64 * grain)
    far = 16 * near
    at_near, at_far = (np.abs(values(ends + sign * d)) for d in (near, far))
    growing = (at_near > 1.01 * at_far) & (at_far > 0)
    ratio = np.divide(at_near, at_far, out=np.ones_like(near), where=growing)
    exponents: Floats = np.log(ratio) / np.log(16)
    return exponents
