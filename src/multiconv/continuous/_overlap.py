"""Where the integrand f(t) g(x - t) lives: the pieces between all breakpoints, as rays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._quadrature import Ints, Rays
from multiconv.continuous._rule import EPS, MEETING, Floats
from multiconv.continuous._scout import Mesh
from multiconv.continuous._substitution import ROOTED, Substitutions, substitutions

DEEPEST = 1e-100
"""Width, as part of a ray, at which the search for a singularity ends."""


@dataclass(frozen=True)
class OverlapRays(Rays):
    """Rays with their geometry: f is read at ``t + sign * d(u)``, g at ``s - sign * d(u)``.

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
    substitutions: Substitutions
    f_low: Floats
    f_high: Floats
    g_low: Floats
    g_high: Floats


def overlap_rays(x: Floats, f: Mesh, g: Mesh) -> OverlapRays:
    """The rays of all integrals at ``x``, shape (n,), owner i being ``x[i]``."""
    pieces = _pieces(x, f, g)
    owner, (t0, s0, slip0), (t1, s1, slip1) = pieces
    f_cell = _cell(f.edges, 0.5 * (t0 + t1))
    g_cell = _cell(g.edges, 0.5 * (s0 + s1))
    up, down = np.isinf(t1), np.isinf(t0)
    start_t, start_s = (
        _both(np.where(down, t1, t0), np.where(up, t0, t1)),
        _both(np.where(down, s1, s0), np.where(up, s0, s1)),
    )
    sign = _both(np.where(down, -1.0, 1.0), np.where(up, 1.0, -1.0))
    cells = _both(f_cell, f_cell), _both(g_cell, g_cell)
    unit = np.minimum(_unit(start_t, f, cells[0]), _unit(start_s, g, cells[1]))
    inverted = _both(down, up)
    f_grain, f_growth = _singularity(start_t, f, cells[0])
    g_grain, g_growth = _singularity(start_s, g, cells[1])
    growth = f_growth + g_growth
    ways = substitutions(_halves(t0, t1), unit, growth, inverted, _both(down | up, down | up))
    growth = np.where(ways.shape == ROOTED, 1 - ways.power * (1 - growth), growth)
    outer = growth_at_infinity(f, g)[(sign > 0).astype(int)]
    share = np.maximum(f_grain, g_grain) / np.where(inverted, np.inf, ways.length)
    grain = ways.length * np.maximum(share ** (1 / ways.power), DEEPEST)
    f_low, f_high = _open_ends(f.edges, cells[0])
    g_low, g_high = _open_ends(g.edges, cells[1])
    return OverlapRays(
        owner=_both(owner, owner),
        length=ways.length,
        grain=grain,
        growth=np.where(inverted, outer, np.maximum(growth, 0)),
        t=start_t,
        s=start_s,
        sign=sign,
        slip=_both(np.where(down, slip1, slip0), np.where(up, slip0, slip1)),
        substitutions=ways,
        f_low=f_low,
        f_high=f_high,
        g_low=g_low,
        g_high=g_high,
    )


End = tuple[Array, ...]
"""t, s and slip of one end of pieces."""


def _pieces(x: Floats, f: Mesh, g: Mesh) -> tuple[Ints, End, End]:
    """Owners and ends of the pieces between neighbouring breakpoints, in the order of t."""
    column = x[:, None]
    edges = np.concatenate([f.edges, g.edges])
    of_f = np.arange(edges.size) < f.edges.size
    rest = column - edges
    t = np.where(of_f, edges, rest)
    s = np.where(of_f, rest, edges)
    with np.errstate(invalid="ignore"):
        rounding = np.nan_to_num(np.abs(_rounding(column, edges, rest)))
    slip = np.where(of_f, 0.0, rounding)
    order = np.argsort(t, axis=1, kind="stable")
    t, s, slip = (np.take_along_axis(a, order, axis=1) for a in (t, s, slip))
    low = np.maximum(f.edges[0], column - g.edges[-1])
    high = np.minimum(f.edges[-1], column - g.edges[0])
    keep = (t[:, :-1] >= low) & (t[:, 1:] <= high) & (t[:, 1:] > t[:, :-1])
    left, right = (tuple(a[:, part][keep] for a in (t, s, slip))
                   for part in (slice(None, -1), slice(1, None)))  # fmt: skip
    return np.nonzero(keep)[0], left, right


def growth_at_infinity(f: Mesh, g: Mesh) -> Floats:
    """The exponents of growth of inverted integrands towards t = -inf and t = inf, in that order.

    Without an integral from 1 on; zero where the supports do not overlap that far out.
    """
    pairs = (f.low, g.high), (f.high, g.low)
    return np.array([max(2 - (a.decay + b.decay), 0.0) if a and b else 0.0 for a, b in pairs])


def _both(left: Array, right: Array) -> Array:
    return np.concatenate([left, right])


def _halves(t0: Floats, t1: Floats) -> Floats:
    """Lengths of the two rays of each piece."""
    first = MEETING * (t1 - t0)
    with np.errstate(invalid="ignore"):
        return _both(first, (t1 - t0) - first)


def _unit(start: Floats, mesh: Mesh, cell: Ints) -> Floats:
    """The scale of a function at the starts of rays; infinite where it need not be known."""
    unit = np.full(start.size, np.inf)
    for reach, at, edge in ((mesh.low, 0, 1), (mesh.high, mesh.edges.size - 2, -2)):
        if reach:
            scale = reach.unit + np.abs(start - mesh.edges[edge])
            unit = np.where(cell == at, scale, unit)
    return unit


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
