"""The density of a sum of two: an integral without cancellation.

All terms are positive, so that the relative error of the result is that of the factors, however
far out in the tail; a transform would lose what is smaller than its largest value times 1e-16.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats
from multiconv.continuous._quadrature import Ints, Rays, Sampled, integrate
from multiconv.continuous._rule import with_ends
from multiconv.continuous.distributions._density import Density, in_chunks, plain_rays
from multiconv.continuous.distributions._pieces import DEPTH, FLOOR, TOLERANCE, Pieces, fit
from multiconv.continuous.distributions._scale import Position, Scale

RTOL = 1e-13
"""Relative error of the integrals."""
NOISE = 0.5
"""How much of the relative errors of the terms shows as roughness of the sum."""
RATIO = 4.0
"""Of the lengths of successive rays on the way out from a mark."""
FAR = 1e16
"""How far out, in units, a sum of power laws is the power law that it tends to."""
OUT = 1e12
"""How far out of all that matters the integral over a power law goes."""
LOOKS = np.array([0.05, 0.35, 0.65, 0.95])
"""Where on a ray its largest value is guessed from."""
CHUNK = 256
MOST_KINKS = 64
SCAN = 129


def added(f: Density, g: Density) -> Density:
    """The density of the sum of two independent variables."""
    scale = f.scale + g.scale
    kinks = _kink_sums(f, g)
    low, high = _range(f, g)
    ends = scale.coordinate(low)[0], scale.coordinate(high)[0]

    def logarithm(u: Floats) -> Floats:
        at = scale.position(u.ravel())
        return in_chunks(lambda part: _logarithm(f, g, part), at, CHUNK).reshape(u.shape)

    grid = np.linspace(*ends, SCAN)
    seen = logarithm(grid)
    per_u = seen + scale.log_slope(scale.position(grid))
    shown = np.flatnonzero(per_u > per_u.max() + FLOOR)
    first, last = max(shown[0] - 1, 0), min(shown[-1] + 1, SCAN - 1)
    inner = scale.coordinate(kinks)
    inner = inner[(inner > grid[first]) & (inner < grid[last])]
    corners = np.unique(np.concatenate([grid[[first, last]], inner]))
    inherited = f.rtol + g.rtol

    def noise(u: Floats, values: Floats) -> Floats:
        """More of it below the depth, where what the terms lack shows."""
        missing = DEPTH + per_u.max() - values - scale.log_slope(scale.position(u))
        return np.asarray((NOISE * inherited + RTOL) * np.exp(np.clip(missing, 0, 20)))

    found = fit(lambda u: (u, logarithm(u)), corners, noise)
    is_open = _stays_open(f, g)
    rtol = (1 + NOISE) * inherited + 2 * RTOL + found.error
    pieces = replace(found.pieces, slopes=_slopes(f, g, found.pieces))
    return Density(scale, pieces, kinks, is_open, rtol)


def _stays_open(f: Density, g: Density) -> tuple[bool, bool]:
    """Two power laws meet at a finite end; in an infinite tail one is enough."""
    low = [(h.open[0], h.scale.low_ends) for h in (f, g)]
    high = [(h.open[1], h.scale.high_ends) for h in (f, g)]
    first, last = (
        all(is_open for is_open, _ in side)
        if all(ends for _, ends in side)
        else any(is_open and not ends for is_open, ends in side)
        for side in (low, high)
    )
    return first, last


def _slopes(f: Density, g: Density, pieces: Pieces) -> tuple[float, float]:
    """Powers add up at a finite end, with one for the integral; the heavier tail is left."""
    found = []
    for k, sign in ((0, 1.0), (1, -1.0)):
        ends = [h.scale.low_ends if k == 0 else h.scale.high_ends for h in (f, g)]
        powers = [sign * h.pieces.slopes[k] for h in (f, g)]
        tails = [p for h, p, end in zip((f, g), powers, ends, strict=True) if h.open[k] and not end]
        if all(ends) and f.open[k] and g.open[k]:
            found.append(sign * (sum(powers) + 1))
        elif tails and not all(ends):
            found.append(sign * min(tails))
        else:
            found.append(pieces.slopes[k])
    return found[0], found[1]


def _kink_sums(f: Density, g: Density) -> Position:
    marks = [_corners(h) for h in (f, g)]
    p = (marks[0].p[:, None] + marks[1].p).ravel()
    q = (marks[0].q[:, None] + marks[1].q).ravel()
    scale = f.scale + g.scale
    order = np.argsort(p)
    p, q = p[order], q[order]
    near = 1e-14 * (np.abs(p) + np.abs(q))
    inside = np.diff(p, prepend=-np.inf) > near
    if scale.low_ends:
        inside &= p > near
    if scale.high_ends:
        inside &= q > near
    if np.count_nonzero(inside) > MOST_KINKS:
        inside[:] = False
    return Position(p[inside], q[inside])


def _corners(f: Density) -> Position:
    """The finite ends and the kinks."""
    p, q, width = [*f.kinks.p], [*f.kinks.q], f.scale.width
    if f.scale.low_ends:
        p, q = [*p, 0.0], [*q, width]
    if f.scale.high_ends:
        p, q = [*p, width], [*q, 0.0]
    return Position(np.array(p), np.array(q))


def _range(f: Density, g: Density) -> tuple[Position, Position]:
    """Beyond which the sum is a power law, or too small for float64."""
    scale = f.scale + g.scale
    unit = min(f.scale.unit, g.scale.unit)
    low, high = [h.reach[0].p for h in (f, g)], [h.reach[1].q for h in (f, g)]
    is_open = _stays_open(f, g)
    low_p = _range_end(low, is_open[0], scale.low_ends, unit)
    high_q = _range_end(high, is_open[1], scale.high_ends, unit)
    return Position(low_p, scale.width - low_p), Position(scale.width - high_q, high_q)


def _range_end(ends: list[Floats], is_open: bool, finite: bool, unit: float) -> Floats:
    """How far from the anchor; negative is outwards."""
    if not is_open:
        return np.asarray(sum(ends))
    if finite:
        return np.minimum(min(ends), unit / FAR)
    return 16 * np.minimum(min(ends), -unit * FAR)


@dataclass(frozen=True)
class _Overlap(Rays):
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


def _logarithm(f: Density, g: Density, at: Position) -> Floats:
    """Logarithm of the density of the sum at positions, shape (n,)."""
    rays = _overlap(f, g, at)
    result = np.full(at.p.size, -np.inf)
    if not rays.owner.size:
        return result

    def logs(ray: Ints, u: Floats) -> tuple[Floats, Floats, Floats | float]:
        t, s, slope = rays.positions(ray, u)
        return f.logarithm(t), g.logarithm(s), slope

    every = np.arange(rays.owner.size)
    in_f, in_g, _ = logs(every, rays.length[:, None] * LOOKS)
    seen = (in_f + in_g).max(axis=1)
    first = np.flatnonzero(np.diff(rays.owner, prepend=-1))
    peak = np.full(at.p.size, -np.inf)
    peak[rays.owner[first]] = np.maximum.reduceat(seen, first)

    def integrand(ray: Ints, low: Floats, high: Floats) -> Sampled:
        u = with_ends(low, high)[:, 1:-1]
        in_f, in_g, slope = logs(ray, u)
        value = slope * np.exp(in_f + in_g - peak[rays.owner[ray], None])
        doubt = value * (2 * TOLERANCE + 1e-15 * (np.abs(in_f) + np.abs(in_g)))
        return Sampled(value, doubt, np.zeros((ray.size, 2)))

    values, _ = integrate(integrand, rays, at.p.size, RTOL, 0)
    present = values > 0
    result[present] = np.log(values[present]) + peak[present]
    return result


def _overlap(f: Density, g: Density, at: Position) -> _Overlap:
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
) -> _Overlap:
    """Rays cut at the unit and at its multiples by powers of `RATIO`."""
    with np.errstate(divide="ignore"):
        cuts = np.ceil(np.maximum(np.log(length / unit) / np.log(RATIO), 0)).astype(np.intp)
    ray = np.repeat(np.arange(owner.size), cuts + 1)
    number = np.arange(ray.size) - np.repeat(np.cumsum(cuts + 1) - (cuts + 1), cuts + 1)
    start = np.where(number > 0, unit * RATIO ** (number - 1.0), 0.0)
    end = np.where(number == cuts[ray], length[ray], unit * RATIO**number)
    base = plain_rays(owner[ray], end - start)
    t_p, t_q, s_p, s_q, power = (column[ray] for column in columns)
    return _Overlap(
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
