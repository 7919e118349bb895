"""The density of a sum of two: an integral without cancellation.

All terms are positive, so that the relative error of the result is that of the factors, however
far out in the tail; a transform would lose what is smaller than its largest value times 1e-16.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from multiconv.continuous._checks import Floats
from multiconv.continuous._quadrature import Ints, Sampled, integrate
from multiconv.continuous._rule import with_ends
from multiconv.continuous.distributions._density import Density, in_chunks
from multiconv.continuous.distributions._overlap import overlap
from multiconv.continuous.distributions._pieces import DEPTH, FLOOR, TOLERANCE, Pieces, fit
from multiconv.continuous.distributions._scale import Position

RTOL = 1e-13
"""Relative error of the integrals."""
NOISE = 0.5
"""How much of the relative errors of the terms shows as roughness of the sum."""
FAR = 1e16
"""How far out, in units, a sum of power laws is the power law that it tends to."""
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


def _logarithm(f: Density, g: Density, at: Position) -> Floats:
    """Logarithm of the density of the sum at positions, shape (n,)."""
    rays = overlap(f, g, at)
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
