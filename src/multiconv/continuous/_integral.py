"""The convolution integral of two functions at given points."""

from __future__ import annotations

import numpy as np

from multiconv.continuous._checks import Floats
from multiconv.continuous._function import Operand
from multiconv.continuous._overlap import growth_at_infinity, overlap_rays
from multiconv.continuous._product import sampled_product
from multiconv.continuous._quadrature import Ints, Sampled, integrate
from multiconv.continuous._rule import EPS, with_ends
from multiconv.continuous._source import Evaluation, Source, merged, products

CHUNK = 2**13
"""Rays integrated together, which bounds the scratch memory."""
INTEGRABLE = 1 - 1e-6
"""Exponent of growth from which an integral is taken to be infinite."""


class Integral(Source):
    """The integral of ``f(t) g(x - t)`` over t."""

    is_dear = True

    def __init__(self, f: Operand, g: Operand) -> None:
        self._f, self._g = f, g
        self._meshes = f.mesh, g.mesh
        _check_integrable(f, g)
        self.support = f.low + g.low, f.high + g.high
        self.breakpoints = _sums(f.edges, g.edges)
        ends = f.mesh.finite[[0, -1]] + g.mesh.finite[[0, -1]]
        self.bulk = float(ends[0]), float(ends[1])
        self.features = products((f.mesh.places, f.mesh.heights), (g.mesh.places, g.mesh.heights))
        self.dtype = np.result_type(f.mesh.dtype, g.mesh.dtype)

    def evaluate(self, points: Floats, rtol: float, atol: float) -> Evaluation:
        values, errors = np.zeros(points.size, dtype=self.dtype), np.zeros(points.size)
        step = max(CHUNK // (2 * sum(mesh.edges.size for mesh in self._meshes)), 1)
        for start in range(0, points.size, step):
            part = slice(start, start + step)
            value, error = self._integrate(points[part], rtol, atol)
            values = values.astype(np.result_type(values, value), copy=False)
            values[part], errors[part] = value, error
        return values, errors

    def _integrate(self, x: Floats, rtol: float, atol: float) -> Evaluation:
        rays = overlap_rays(x, *self._meshes)

        def integrand(ray: Ints, low: Floats, high: Floats) -> Sampled:
            return sampled_product(self._f, self._g, rays, ray, with_ends(low, high))

        value, error = integrate(integrand, rays, x.size, rtol, atol)
        rounded_away = np.bincount(rays.owner, minlength=x.size) == 0
        error[rounded_away] = self._rounding_of_the_overlap()
        return value, error

    def _rounding_of_the_overlap(self) -> float:
        """What an overlap can hold that is too narrow for floating-point numbers."""
        f, g = self._meshes
        width = 4 * EPS * max(np.abs(f.finite).max(), np.abs(g.finite).max())
        return float(width * f.peak * g.peak)


def _check_integrable(f: Operand, g: Operand) -> None:
    """Refuse what is infinite at more than a few points."""
    for h in (f, g):
        growth = np.concatenate([h.mesh.growth_low, h.mesh.growth_high])
        worst = int(np.argmax(growth))
        if growth[worst] >= INTEGRABLE:
            end = np.concatenate([h.mesh.edges[:-1], h.mesh.edges[1:]])[worst]
            raise ValueError(
                f"{h.name}: it grows like distance**-{growth[worst]:.3g} towards {end}, which has "
                "no integral; the exponent must be above -1"
            )
    growth = growth_at_infinity(f.mesh, g.mesh)
    if (growth >= INTEGRABLE).any():
        side = "-inf", "inf"
        raise ValueError(
            f"f and g: f(t) g(x - t) falls off like |t|**-{2 - growth.max():.3g} towards "
            f"t = {side[int(np.argmax(growth))]}, which has no integral; the exponent must be "
            "below -1"
        )


def _sums(f: Floats, g: Floats) -> Floats:
    """All finite sums of two sets of points."""
    return merged((f[np.isfinite(f)][:, None] + g[np.isfinite(g)]).ravel())
