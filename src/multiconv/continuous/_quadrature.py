"""Adaptive quadrature of many integrals at once.

The integrals run over *rays*: a ray is an interval ``0 <= u <= length``, several rays add up to one
integral (its *owner*), and the integrand is asked for whole batches of panels on any of them. A ray
starts where the integrand may be singular, so that its panels can shrink towards ``u = 0`` without
loss of digits.

The scheme is global adaptive bisection (R. Piessens et al., *QUADPACK*, Springer, 1983, section
2.2.4), on all integrals at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from multiconv._typing import Array
from multiconv.continuous._rule import EPS, GAP, WEIGHTS, Floats, rule_error, weighted_sum

Ints = NDArray[np.intp]

MOST_PANELS = 2000
"""Panels for one integral, at which refinement gives up."""
BATCH = 1024
"""Panels evaluated together, which bounds the scratch memory."""


@dataclass(frozen=True)
class Rays:
    """Where to integrate.

    Attributes
    ----------
    owner, length
        The integral that each ray belongs to, and its length.
    grain
        A panel at ``u = 0`` not wider than this holds too few floating-point numbers for its values
        to say anything about the integrand between them.
    growth
        The exponent p of an integrand that grows like ``u**-p``; zero for other ones.
    """

    owner: Ints
    length: Floats
    grain: Floats
    growth: Floats


@dataclass(frozen=True)
class Sampled:
    """An integrand on panels: what it is at the nodes and how well that is known.

    Attributes
    ----------
    value, doubt : ndarray, shape (p, 21)
        Values, and bounds of their errors.
    misfit : ndarray, shape (p, 2)
        What the values at the panel's ends differ from those that the nodes suggest.
    """

    value: Array
    doubt: Floats
    misfit: Floats


Integrand = Callable[[Ints, Floats, Floats], Sampled]
"""Samples panels, given by the numbers of their rays and their low and high ends."""


@dataclass(frozen=True)
class _Panels:
    ray: Ints
    low: Floats
    high: Floats
    value: Array
    error: Floats
    noise: Floats

    def __getitem__(self, chosen: NDArray[np.bool_]) -> _Panels:
        return _Panels(*(getattr(self, field.name)[chosen] for field in fields(self)))


def integrate(
    integrand: Integrand, rays: Rays, count: int, rtol: float, atol: float
) -> tuple[Array, Floats]:
    """Integrate over all rays, adding up by owner.

    Parameters
    ----------
    integrand
        Samples any panels on the rays.
    rays
        What to integrate over.
    count
        Number of owners.
    rtol, atol
        An integral is done when its error is at most ``max(atol, rtol * abs(value))``.

    Returns
    -------
    value, error : ndarray, shape (count,)
        The integrals and the estimates of their errors, which are above the tolerances where
        these could not be reached.
    """
    if not rays.owner.size:
        return np.zeros(count), np.zeros(count)
    ray = np.arange(rays.owner.size)
    panels = _measured(integrand, rays, ray, np.zeros(ray.size), rays.length)
    value = np.zeros(count, dtype=panels.value.dtype)
    error = np.zeros(count)
    while panels.ray.size:
        present, owner = np.unique(rays.owner[panels.ray], return_inverse=True)
        total = _sum_by(owner, panels.value, present.size)
        doubt = _sum_by(owner, panels.error, present.size)
        doubt += _sum_by(owner, panels.noise, present.size)
        value = value.astype(np.result_type(value, total), copy=False)
        value[present], error[present] = total, doubt

        goal = np.maximum(atol, rtol * np.abs(total))
        number = np.bincount(owner, minlength=present.size)
        wanting = (doubt > goal) & (number < MOST_PANELS)
        split = wanting[owner] & (panels.error * number[owner] > goal[owner])
        split &= _can_improve(panels, rays)
        unfinished = np.bincount(owner, weights=split, minlength=present.size) > 0
        rest = panels[unfinished[owner] & ~split]
        panels = _joined([rest, *_halves(integrand, rays, panels[split])])
    return value, error


def _measured(integrand: Integrand, rays: Rays, ray: Ints, low: Floats, high: Floats) -> _Panels:
    batches = (slice(start, start + BATCH) for start in range(0, ray.size, BATCH))
    return _joined([_measured_batch(integrand, rays, ray[b], low[b], high[b]) for b in batches])


def _measured_batch(
    integrand: Integrand, rays: Rays, ray: Ints, low: Floats, high: Floats
) -> _Panels:
    half = 0.5 * (high - low)
    sampled = integrand(ray, low, high)
    value = half * weighted_sum(sampled.value, WEIGHTS)
    size = half * weighted_sum(np.abs(sampled.value), WEIGHTS)
    error = half * (rule_error(sampled.value) + GAP * sampled.misfit.sum(axis=1))
    error = np.maximum(error, _unseen(size, np.where(low == 0, rays.growth[ray], 0)))
    error = np.where(_unresolved(rays, ray, low, high), np.maximum(error, size), error)
    noise = half * weighted_sum(sampled.doubt, WEIGHTS) + 10 * EPS * size
    return _Panels(ray, low, high, value, error, noise)


def _unseen(size: Floats, growth: Floats) -> Floats:
    """What an integrand like ``u**-growth`` has between 0 and the first node of a panel."""
    integrable = growth < 1 - 1e-6
    share = (GAP / 2) ** np.where(integrable, 1 - growth, 1)
    rest = np.where(integrable, size * share / (1 - share), np.inf)
    return np.where(growth > 0, rest, 0.0)


def _unresolved(rays: Rays, ray: Ints, low: Floats, high: Floats) -> NDArray[np.bool_]:
    unresolved: NDArray[np.bool_] = (low == 0) & (high <= rays.grain[ray])
    return unresolved


def _can_improve(panels: _Panels, rays: Rays) -> NDArray[np.bool_]:
    """Whether halves could do better: wide enough still, and not just rounding noise."""
    wide = panels.high - panels.low > 64 * EPS * panels.high
    unresolved = _unresolved(rays, panels.ray, panels.low, panels.high)
    better: NDArray[np.bool_] = wide & ~unresolved & (panels.error > panels.noise)
    return better


def _halves(integrand: Integrand, rays: Rays, panels: _Panels) -> list[_Panels]:
    if not panels.ray.size:
        return []
    middle = 0.5 * (panels.low + panels.high)
    ray = np.concatenate([panels.ray, panels.ray])
    low = np.concatenate([panels.low, middle])
    high = np.concatenate([middle, panels.high])
    return [_measured(integrand, rays, ray, low, high)]


def _joined(parts: list[_Panels]) -> _Panels:
    columns = ([getattr(part, field.name) for part in parts] for field in fields(_Panels))
    return _Panels(*(np.concatenate(column) for column in columns))


def _sum_by(owner: Ints, values: Array, count: int) -> Array:
    if np.iscomplexobj(values):
        return _sum_by(owner, values.real, count) + 1j * _sum_by(owner, values.imag, count)
    return np.bincount(owner, weights=values, minlength=count)
