"""SciPy's frozen distributions as densities and as weights on a lattice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from multiconv.continuous._checks import Floats
from multiconv.continuous._rule import MEETING
from multiconv.continuous.distributions._density import Density
from multiconv.continuous.distributions._pieces import FLOOR, fit
from multiconv.continuous.distributions._scale import Position, Scale

SCAN = np.linspace(-700.0, 700.0, 22401)
"""The u to look for the range in."""
STRAIGHT = 1e-12
ENOUGH = 40.0
"""The u at which ends and tails are the power laws that they tend to."""
LONG = 100.0
"""Distance in u from which a slope is exact."""
TRUSTED = 100.0
"""The u up to which no density may be NaN; beyond, its parts may over- and underflow."""
NEAREST = 2.0**-40
"""Distance from an end other than zero, by its size, up to which numbers have digits enough."""


def check_frozen(term: Any, name: str) -> bool:
    """Whether a frozen distribution is continuous; discrete is the other kind."""
    from scipy import stats

    kind = getattr(term, "dist", None)
    if isinstance(term, (stats.rv_continuous, stats.rv_discrete)):
        raise TypeError(f"{name}: {term.name} is not frozen, give its parameters: {term.name}(...)")
    if not isinstance(kind, (stats.rv_continuous, stats.rv_discrete)):
        raise TypeError(
            f"{name}: {term!r} is not allowed, give a frozen distribution of scipy.stats, a "
            "RandomSum or a number"
        )
    if any(np.ndim(value) for value in (*term.args, *term.kwds.values())):
        raise ValueError(f"{name}: array parameters are not allowed, give one number for each")
    if np.isnan(term.support()).any():
        raise ValueError(f"{name}: {kind.name} does not allow {term.args} {term.kwds}")
    return isinstance(kind, stats.rv_continuous)


def density(frozen: Any, name: str) -> Density:
    """The density of a frozen continuous distribution, moved and scaled from its standard form."""
    loc, size, standard = _standard(frozen)
    base = _standard_density(standard, name)
    s = base.scale
    scale = Scale(
        loc + size * s.low, loc + size * s.high, s.low_ends, s.high_ends, size * s.width,
        size * s.unit,
    )  # fmt: skip
    series = base.pieces.series.copy()
    series[0] -= np.log(size)
    pieces = replace(base.pieces, series=series)
    kinks = Position(size * base.kinks.p, size * base.kinks.q)
    return Density(scale, pieces, kinks, base.open, base.rtol)


def _standard(frozen: Any) -> tuple[float, float, Any]:
    """Location and scale, and the distribution without them: its ends have more digits."""
    shapes, rest = frozen.args[: frozen.dist.numargs], frozen.args[frozen.dist.numargs :]
    words = dict(frozen.kwds)
    loc = words.pop("loc", rest[0] if rest else 0.0)
    size = words.pop("scale", rest[1] if len(rest) > 1 else 1.0)
    return float(loc), float(size), frozen.dist(*shapes, **words)


def _standard_density(standard: Any, name: str) -> Density:
    scale = _scale(standard, name)

    def logarithm(x: Floats) -> Floats:
        with np.errstate(all="ignore"):
            values = np.asarray(standard.logpdf(x), dtype=float)
        return np.asarray(np.maximum(values, 4 * FLOOR))

    def samples(u: Floats) -> tuple[Floats, Floats]:
        """At numbers that float64 has."""
        x = scale.number(scale.position(u))
        values = logarithm(x)
        if np.isnan(values).any():
            first = float(x.flat[np.argmax(np.isnan(values))])
            raise ValueError(f"{name}: its density at {first!r}, inside its support, is NaN")
        return scale.coordinate(scale.locate(x)), values

    def noise(u: Floats, _: Floats) -> Floats:
        """By what values at three close points differ from those on a straight line."""
        (a, low), (b, middle), (c, high) = (samples(u + step) for step in (-1e-8, 0.0, 1e-8))
        with np.errstate(divide="ignore", invalid="ignore"):
            bend = middle - low - (high - low) * np.nan_to_num((b - a) / (c - a))
        return np.broadcast_to(4 * np.median(np.abs(bend), axis=0), u.shape)

    corners, is_open, slopes = _range(logarithm, scale, name)
    found = fit(samples, corners, noise)
    inner = np.linspace(corners[0], corners[-1], SCAN.size)[1:-1]
    roughness = float(np.quantile(noise(inner[None], inner), 0.9))
    pieces, (places, blur) = found.pieces, found.blurred
    known = [
        new if np.isfinite(new) else old for new, old in zip(slopes, pieces.slopes, strict=True)
    ]
    pieces = replace(pieces, slopes=(known[0], known[1]))
    missing = np.exp(pieces(places) + scale.log_slope(scale.position(places))) @ blur
    # A piece across a jump may miss more than its samples show.
    rtol = found.error + roughness + 4 * float(missing)
    return Density(scale, pieces, scale.position(found.kinks), is_open, rtol)


def _scale(standard: Any, name: str) -> Scale:
    low, high = (float(end) for end in standard.support())
    try:
        lower, middle, upper = (float(x) for x in standard.ppf([0.25, 0.5, 0.75]))
    except ValueError as error:
        raise ValueError(f"{name}: its quartiles cannot be found: {error}") from error
    if not lower < upper:
        raise ValueError(f"{name}: its quartiles are {lower} and {upper}, they must differ")
    low_ends, high_ends = bool(np.isfinite(low)), bool(np.isfinite(high))
    first = low if low_ends else high if high_ends else middle
    last = high if high_ends else first
    return Scale(first, last, low_ends, high_ends, last - first, upper - lower)


Range = tuple[Floats, tuple[bool, bool], tuple[float, float]]


def _range(logarithm: Any, scale: Scale, name: str) -> Range:
    """Ends of the u to cover, whether the density is a power law beyond, and which."""
    at = scale.position(SCAN)
    usable = np.isfinite(at.p) & np.isfinite(at.q)
    if scale.low_ends:
        usable &= at.p > NEAREST * abs(scale.low)
    if scale.high_ends:
        usable &= at.q > NEAREST * abs(scale.high)
    grid = SCAN[usable]
    seen = logarithm(scale.number(scale.position(grid)))
    if np.isnan(seen[np.abs(grid) <= TRUSTED]).any():
        raise ValueError(f"{name}: its density is NaN inside its support {scale.support}")
    seen = np.nan_to_num(seen, nan=4 * FLOOR)
    per_u = seen + scale.log_slope(scale.position(grid))
    shown = np.flatnonzero((per_u > per_u.max() + FLOOR) & (seen > FLOOR))
    if not shown.size:
        raise ValueError(f"{name}: its density is zero or NaN on all of its support")
    first, last = shown[0], shown[-1]
    bent = np.abs(np.diff(seen, 2)) > STRAIGHT + 2e-15 * np.abs(seen[1:-1])
    turns = np.flatnonzero(bent[first : last - 1]) + first + 1
    low = min(grid[turns[0] - 1] if turns.size else 0.0, -ENOUGH)
    high = max(grid[turns[-1] + 1] if turns.size else 0.0, ENOUGH)
    is_open = low > grid[first] or first == 0, high < grid[last] or last == grid.size - 1
    low, high = np.clip([low, high], grid[first], grid[last])
    below, above = np.searchsorted(grid, [low, high])
    slopes = (
        _slope(grid[[first, below]], seen[[first, below]]) if is_open[0] else np.nan,
        _slope(grid[[above, last]], seen[[above, last]]) if is_open[1] else np.nan,
    )
    return np.array([low, low + MEETING * (high - low), high]), is_open, slopes


def _slope(u: Floats, logarithms: Floats) -> float:
    """Of a power law from far apart, or NaN from too near."""
    return float(np.diff(logarithms)[0] / np.diff(u)[0]) if u[1] - u[0] > LONG else np.nan
