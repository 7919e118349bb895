"""Where the densities of two variables that add up to a number both live, as rays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats
from multiconv.continuous._quadrature import Ints, Rays
from multiconv.continuous.distributions._density import Density, plain_rays
from multiconv.continuous.distributions._scale import Position, Scale

RATIO = 4.0
"""Of the lengths of successive rays on the way out from a mark."""
OUT = 1e12
"""How far out of all that matters the integral over a power law goes."""


@dataclass(frozen=True)
class Overlap(Rays):
    """Rays from marks; f is read ``sign * v`` on from ``t`` and g as far back from ``s``.

    With a power of 1, v is u; other powers take out a singularity at ``u = 0``.
    """

    t: Position
    s: Position
    sign: Floats
    start: Floats
    power: Floats

    def positions(self, ray: Ints, u: Floats) -> tuple[Position, Position, Floats | float]:
        """Where f and g are read, and dv/du."""
        slope: Floats | float = 1.0
        power = self.power[ray, None]
        if (power > 1).any():
            share = u / self.length[ray, None]
            slope = power * share ** (power - 1)
            u = u * share ** (power - 1)
        move = self.sign[ray, None] * (self.start[ray, None] + u)
        t, s = (Position(h.p[ray, None], h.q[ray, None]) for h in (self.t, self.s))
        return Position(t.p + move, t.q - move), Position(s.p - move, s.q + move), slope


def overlap(f: Density, g: Density, at: Position) -> Overlap:
    """Where both densities live, cut at all marks, in rays that grow away from them."""
    t, s, low_ends, high_ends = _starts(f, g, at)
    powers = np.concatenate([_powers(f), _powers(g)])
    order = _order(t, s, f.scale + g.scale)
    columns = [np.take_along_axis(a, order, axis=1) for a in (t.p, t.q, s.p, s.q)]
    length = _lengths(columns, _rounding(f, g, at)[:, np.arange(at.p.size)[:, None], order])
    rank, piece = np.argsort(order, axis=1), np.arange(length.shape[1])
    keep = (piece >= rank[:, low_ends].max(axis=1)[:, None]) & (length > 0)
    keep &= piece < rank[:, high_ends].min(axis=1)[:, None]
    lefts, rights = [c[:, :-1][keep] for c in columns], [c[:, 1:][keep] for c in columns]

    owner, half = np.nonzero(keep)[0], 0.5 * length[keep]
    both = [np.stack(pair, axis=1).ravel() for pair in zip(lefts, rights, strict=True)]
    both.append(np.stack([powers[order][:, :-1][keep], powers[order][:, 1:][keep]], axis=1).ravel())
    sign = np.tile([1.0, -1.0], owner.size)
    owner, length = np.repeat(owner, 2), np.repeat(half, 2)
    return _graded(owner, length, both, sign, min(f.scale.unit, g.scale.unit))


def _order(t: Position, s: Position, scale: Scale) -> Ints:
    """The order of the marks, by the coordinates with the most digits at the nearer end."""
    from_high = np.zeros((t.p.shape[0], 1), dtype=bool)
    if scale.high_ends:
        from_high |= (t.q + s.q < t.p + s.p)[:, :1] | (not scale.low_ends)
    first = np.where(from_high, -t.q, t.p)
    second = np.where(from_high, s.q, -s.p)
    order: Ints = np.lexsort((second, first), axis=1)
    return order


def _rounding(f: Density, g: Density, at: Position) -> Floats:
    """Sizes of what was rounded in the positions of the marks, shape (4, n, marks)."""
    exact, sizes = [], []
    for h in (f, g):
        marks = _marks(h, np.ones(at.p.size))
        exact.append(np.zeros_like(marks.p))
        sizes.append([np.abs(m) + np.abs(x)[:, None] for m, x in zip(marks, at, strict=True)])
    return np.stack(
        [np.concatenate([exact[0], sizes[1][k]], axis=1) for k in (0, 1)]
        + [np.concatenate([sizes[0][k], exact[1]], axis=1) for k in (0, 1)]
    )


def _lengths(columns: list[Array], rounding: Floats) -> Floats:
    """Distances of neighbouring marks, by the coordinate that has the most digits for each."""
    ways = np.stack([np.abs(np.diff(c, axis=1)) for c in columns])
    best = np.argmin(rounding[:, :, 1:] + rounding[:, :, :-1], axis=0)
    lengths: Floats = np.take_along_axis(ways, best[None], axis=0)[0]
    return lengths


def _graded(
    owner: Ints, length: Floats, columns: list[Array], sign: Floats, unit: float
) -> Overlap:
    """Rays cut at the unit and at its multiples by powers of `RATIO`."""
    with np.errstate(divide="ignore"):
        cuts = np.ceil(np.maximum(np.log(length / unit) / np.log(RATIO), 0)).astype(np.intp)
    ray = np.repeat(np.arange(owner.size), cuts + 1)
    number = np.arange(ray.size) - np.repeat(np.cumsum(cuts + 1) - (cuts + 1), cuts + 1)
    start = np.where(number > 0, unit * RATIO ** (number - 1.0), 0.0)
    end = np.where(number == cuts[ray], length[ray], unit * RATIO**number)
    base = plain_rays(owner[ray], end - start)
    t_p, t_q, s_p, s_q, power = (column[ray] for column in columns)
    return Overlap(
        base.owner, base.length, base.grain, base.growth,
        Position(t_p, t_q), Position(s_p, s_q), sign[ray], start, np.where(number > 0, 1.0, power),
    )  # fmt: skip


def _starts(
    f: Density, g: Density, at: Position
) -> tuple[Position, Position, list[int], list[int]]:
    """Positions in f and g of all marks, shape (n, marks), and which marks bound the overlap."""
    far = OUT * (np.abs(np.where(at.p <= at.q, at.p, at.q)) + f.scale.unit + g.scale.unit)
    of_f, of_g = _marks(f, far), _marks(g, far)
    p, q = at.p[:, None], at.q[:, None]
    t = Position(
        np.concatenate([of_f.p, p - of_g.p], axis=1), np.concatenate([of_f.q, q - of_g.q], axis=1)
    )
    s = Position(
        np.concatenate([p - of_f.p, of_g.p], axis=1), np.concatenate([q - of_f.q, of_g.q], axis=1)
    )
    count = of_f.p.shape[1]
    return t, s, [0, count + 1], [1, count]


def _marks(f: Density, far: Floats) -> Position:
    """Low end, high end, middle and kinks, shape (n, 3 + kinks); infinite ends far enough out."""
    width, count = f.scale.width, far.size
    (first, last), is_open = f.bounds, f.open
    low = np.zeros(count) if f.scale.low_ends else -far if is_open[0] else first.p
    high = np.zeros(count) if f.scale.high_ends else -far if is_open[1] else last.q
    low, high = (np.broadcast_to(end, count) for end in (low, high))
    middle = f.scale.position(np.array([f.peak]))
    inner_p, inner_q = (np.append(m, k) for m, k in zip(middle, f.kinks, strict=True))
    p = np.column_stack([low, width - high, np.tile(inner_p, (count, 1))])
    q = np.column_stack([width - low, high, np.tile(inner_q, (count, 1))])
    return Position(p, q)


def _powers(f: Density) -> Floats:
    """Of the substitutions at the marks: more than 1 at an end where the density is infinite."""
    low, high = f.pieces.slopes
    growth = np.zeros(3 + f.kinks.p.size)
    growth[0] = min(low, 0.0) if f.scale.low_ends else 0.0
    growth[1] = min(-high, 0.0) if f.scale.high_ends else 0.0
    powers: Floats = 1 / np.maximum(1 + growth, 1e-3)
    return powers
