"""Where the integrand f(t) g(x - t) lives: the pieces between all breakpoints, as rays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._quadrature import Ints, Rays
from multiconv.continuous._rule import EPS, MEETING, Floats
from multiconv.continuous._scout import Mesh

DEEPEST = 1e-100
"""Width, as part of a ray, at which the search for a singularity ends."""


@dataclass(frozen=True)
class OverlapRays(Rays):
    """Rays with their geometry: at ``u``, f is read at ``t + sign * u``, g at ``s - sign * u``.

    Each piece between neighbouring breakpoints makes two rays, one from each end. A ray that
    starts at a breakpoint of g has that very number as ``s``, with nothing rounded off, so that
    positions close to a singularity keep all their digits; f's likewise.

    ``f_low .. f_high`` and ``g_low .. g_high`` are the open cells of the breakpoints that the
    ray lies in; ``slip`` is the rounding error of the ray's start.
    """

    t: Floats
    s: Floats
    sign: Floats
    slip: Floats
    f_low: Floats
    f_high: Floats
    g_low: Floats
    g_high: Floats


def overlap_rays(x: Floats, f: Mesh, g: Mesh) -> OverlapRays:
    """The rays of all integrals at ``x``, shape (n,), owner i being ``x[i]``."""
    column = x[:, None]
    edges = np.concatenate([f.edges, g.edges])
    of_f = np.arange(edges.size) < f.edges.size
    rest = column - edges
    t = np.where(of_f, edges, rest)
    s = np.where(of_f, rest, edges)
    slip = np.where(of_f, 0.0, np.abs(_rounding(column, edges, rest)))
    order = np.argsort(t, axis=1, kind="stable")
    t, s, slip = (np.take_along_axis(a, order, axis=1) for a in (t, s, slip))

    low = np.maximum(f.edges[0], column - g.edges[-1])
    high = np.minimum(f.edges[-1], column - g.edges[0])
    keep = (t[:, :-1] >= low) & (t[:, 1:] <= high) & (t[:, 1:] > t[:, :-1])
    owner = np.nonzero(keep)[0]
    t0, s0, slip0 = (a[:, :-1][keep] for a in (t, s, slip))
    t1, s1, slip1 = (a[:, 1:][keep] for a in (t, s, slip))
    f_cell = _cell(f.edges, 0.5 * (t0 + t1))
    g_cell = _cell(g.edges, 0.5 * (s0 + s1))

    def both(left: Array, right: Array) -> Array:
        return np.concatenate([left, right])

    start_t, start_s = both(t0, t1), both(s0, s1)
    f_low, f_high = (both(end, end) for end in _open_ends(f.edges, f_cell))
    g_low, g_high = (both(end, end) for end in _open_ends(g.edges, g_cell))
    f_grain, f_growth = _singularity(start_t, f, both(f_cell, f_cell))
    g_grain, g_growth = _singularity(start_s, g, both(g_cell, g_cell))
    first = MEETING * (t1 - t0)
    length = both(first, (t1 - t0) - first)
    return OverlapRays(
        owner=both(owner, owner),
        length=length,
        grain=np.maximum(np.maximum(f_grain, g_grain), DEEPEST * length),
        growth=f_growth + g_growth,
        t=start_t,
        s=start_s,
        sign=both(np.ones(t0.size), -np.ones(t0.size)),
        slip=both(slip0, slip1),
        f_low=f_low,
        f_high=f_high,
        g_low=g_low,
        g_high=g_high,
    )


def _rounding(a: Floats, b: Floats, difference: Floats) -> Floats:
    """The exact error of ``difference = a - b`` (D. E. Knuth, TAOCP 2, section 4.2.2)."""
    b_part = a - difference
    return (a - (difference + b_part)) + (b_part - b)


def _cell(edges: Floats, point: Floats) -> Ints:
    return np.clip(np.searchsorted(edges, point, side="right") - 1, 0, edges.size - 2)


def _open_ends(edges: Floats, cell: Ints) -> tuple[Floats, Floats]:
    """The first and last floating-point numbers inside a cell."""
    return np.nextafter(edges[cell], np.inf), np.nextafter(edges[cell + 1], -np.inf)


def _singularity(start: Floats, mesh: Mesh, cell: Ints) -> tuple[Floats, Floats]:
    """Grain and growth of a function at the starts of rays in its cells; zero if it is tame there.

    The grain is a few units in the last place of the start.
    """
    near = 4 * EPS * np.abs(start)
    at_low = np.abs(start - mesh.edges[cell]) <= near
    at_high = np.abs(start - mesh.edges[cell + 1]) <= near
    growth = np.where(at_low, mesh.growth_low[cell], np.where(at_high, mesh.growth_high[cell], 0))
    return np.where(growth > 0, 4 * near, 0.0), growth
