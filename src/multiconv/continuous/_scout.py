"""Looks at a function before it is integrated, so that nothing narrow is stepped over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from multiconv._typing import Array
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
        Ends of the cells that it is smooth on, as far as is known; increasing.
    growth_low, growth_high
        For each cell, the exponent p if the function grows like ``distance**-p`` towards the
        cell's low or high end, else zero.
    peak
        The largest modulus seen.
    dtype
        float64 or complex128.
    """

    edges: Floats
    growth_low: Floats
    growth_high: Floats
    peak: float
    dtype: np.dtype[Any]


def scout(values: Values, edges: Floats, finest: int) -> Mesh:
    """Cut the given cells until two panels see the whole function on each.

    A cell stands if the integrals of its two halves are those of its fine parts, of which there
    are `finest` in all the support, and at least eight in a cell. What is narrower
    than the distance of a fine part's nodes, about a thousandth of the support, can still be
    missed: it needs a breakpoint.
    """
    cells = edges.size - 1
    parts = 2 ** max(int(np.log2(max(finest / cells, 1))), 3)
    corners = edges[:-1, None] + np.diff(edges)[:, None] * _uneven(np.arange(parts) / parts)
    corners = np.append(corners.ravel(), edges[-1])
    fine, moduli, seen = _integrals(values, corners[:-1], corners[1:])
    total, size = (np.append(0, np.cumsum(column)) for column in (fine, moduli))
    found = [edges]
    start = np.arange(cells) * parts
    while parts > 2 and start.size:
        middle, end = start + parts // 2, start + parts
        left, _, _ = _integrals(values, corners[start], corners[middle])
        right, _, _ = _integrals(values, corners[middle], corners[end])
        missed = np.abs(left + right - (total[end] - total[start]))
        bad = missed > AGREE * (size[end] - size[start]) + 1e-10 * size[-1]
        found.append(corners[middle[bad]])
        start = np.concatenate([start[bad], middle[bad]])
        parts //= 2
    edges = np.unique(np.concatenate(found))
    growth = _growth(values, edges, 1), _growth(values, edges, -1)
    return Mesh(edges, *growth, float(np.max(np.abs(seen))), seen.dtype)


def _uneven(fractions: Floats) -> Floats:
    """Fractions moved a little, 1/2 to `MEETING`; 0 and 1 stay."""
    moved: Floats = fractions + (4 * MEETING - 2) * fractions * (1 - fractions)
    return moved


def _integrals(values: Values, low: Floats, high: Floats) -> tuple[Array, Floats, Array]:
    """Integrals of the function and of its modulus over panels, and the values themselves."""
    half = 0.5 * (high - low)
    points = np.clip(low[:, None] + half[:, None] * (1 + NODES), low[:, None], high[:, None])
    seen = values(points)
    sums = weighted_sum(seen, WEIGHTS), weighted_sum(np.abs(seen), WEIGHTS)
    return half * sums[0], half * sums[1], seen


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
