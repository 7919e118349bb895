"""The integrand f(t) g(x - t) on panels, and all that is uncertain about it."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats
from multiconv.continuous._function import Operand
from multiconv.continuous._overlap import OverlapRays
from multiconv.continuous._quadrature import Ints, Sampled
from multiconv.continuous._rule import EPS, end_misfit


def sampled_product(f: Operand, g: Operand, rays: OverlapRays, ray: Ints, u: Floats) -> Sampled:
    """Sample the product at the nodes ``u``, shape (p, 23), of panels on some of the rays."""
    distance, slope = rays.substitutions.distances(ray, u)
    move = rays.sign[ray, None] * distance
    t = rays.t[ray, None] + move
    s = rays.s[ray, None] - move
    slope = slope[:, 1:-1]
    f_value, f_doubt, f_misfit = _sampled(f, t, rays.f_low[ray], rays.f_high[ray])
    g_value, g_doubt, g_misfit = _sampled(g, s, rays.g_low[ray], rays.g_high[ray])
    value = slope * _times(f_value, g_value, t, s)
    f_size, g_size = np.abs(f_value), np.abs(g_value)
    slip = _share(rays.slip, rays.length)[ray, None] * f_size * g_size
    doubt = f_doubt * g_size + f_size * g_doubt + slip
    misfit = f_misfit * g_size.max(axis=1, keepdims=True)
    misfit += g_misfit * f_size.max(axis=1, keepdims=True)
    return Sampled(value, slope * doubt, slope[:, [0, -1]] * misfit)


def _sampled(
    function: Operand, points: Floats, low: Floats, high: Floats
) -> tuple[Array, Floats, Floats]:
    """Values and their doubt at the nodes, and the misfit of those at the ends.

    Points stay in the cell ``low .. high``, which rounding could take them out of. An end that is
    an end of the cell too is not looked at: the function may be singular there.
    """
    points = np.clip(points, low[:, None], high[:, None])
    outer, inner = points[:, [0, -1]], points[:, [1, -2]]
    margin = np.minimum(np.abs(outer - low[:, None]), np.abs(outer - high[:, None]))
    unseen = margin < np.abs(inner - outer)
    points[:, [0, -1]] = np.where(unseen, inner, outer)
    values, errors = function.evaluate(points)
    misfit = np.where(unseen, 0, end_misfit(values))
    values = values[:, 1:-1]
    width = np.abs(points[:, -1:] - points[:, :1])
    doubt = errors[:, 1:-1] + _argument_rounding(values, points[:, 1:-1], width)
    return values, doubt, misfit


def _argument_rounding(values: Array, points: Floats, width: Floats) -> Floats:
    """What the rounding of the argument does to a value, by the slope over the panel."""
    swing = 2 * np.max(np.abs(values - values[:, 10:11]), axis=1, keepdims=True)
    rounding: Floats = swing * _share(EPS * np.abs(points), width)
    return rounding


def _share(part: Floats, whole: Floats) -> Floats:
    """``part / whole``, at most 1."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.ones(part.shape), where=part < whole)


def _times(f: Array, g: Array, t: Floats, s: Floats) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        product: Array = f * g
    finite = np.isfinite(product)
    if not finite.all():
        row, node = np.unravel_index(np.argmin(finite), finite.shape)
        raise ValueError(
            f"f and g: their product is too large for float64, at f({float(t[row, node + 1])!r}) "
            f"times g({float(s[row, node + 1])!r}); scale the functions down"
        )
    return product
