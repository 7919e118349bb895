"""The infinite ends of a support: at which scale a function lives there, and how it falls off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._rule import EPS, NODES, WEIGHTS, Floats, weighted_sum

LOWEST, HIGHEST = -40, 60
"""Binary exponents of the distances that are looked at."""
PARTS = 4
"""Panels in an octave of distances."""
BEYOND, APART = 16, 20
"""Octaves from the scale to where the decay is measured, and over which it is."""
STEP = 8.0
"""Ratio of successive marks."""
MOST_MARKS = 4
SLOW = 1.1
"""Decay up to which more marks do not help: the function may oscillate for ever."""
AGREE = 1e-4
"""Relative difference up to which two panels are as good as all octaves."""

Values = Callable[[Floats], Array]


class Reach(NamedTuple):
    """One infinite end.

    Attributes
    ----------
    unit
        The distance from its base at which a function has its bulk.
    decay
        The exponent p if it falls off like ``distance**-p``; infinite for exponential decay.
    """

    unit: float
    decay: float


def reach(values: Values, base: float, sign: int) -> tuple[Floats, Reach]:
    """Look outwards from ``base``: distances to put marks at, increasing, and the reach.

    Beyond the last mark two panels see the whole function, unless it never comes to rest.
    """
    look = _look(values, base, sign)
    size = look.integrals(np.abs(look.seen)).reshape(-1, PARTS).sum(axis=1)
    first = _bulk(size)
    envelope = np.abs(look.seen).max(axis=1).reshape(-1, PARTS).max(axis=1)
    found = Reach(2.0 ** (LOWEST + first), _decay(envelope, first))
    marks = [found.unit, STEP * found.unit]
    most = MOST_MARKS if found.decay > SLOW else len(marks)
    while len(marks) < most and not _is_simple(values, base, sign, marks[-1], look):
        marks.append(STEP * marks[-1])
    return np.array(marks), found


@dataclass(frozen=True)
class _Look:
    """Values at the nodes of panels that share out all octaves of distances."""

    low: Floats
    high: Floats
    distance: Floats
    seen: Array

    def integrals(self, values: Array) -> Array:
        return 0.5 * (self.high - self.low) * weighted_sum(values, WEIGHTS)


def _look(values: Values, base: float, sign: int) -> _Look:
    corners = 2.0 ** (LOWEST + np.arange(PARTS * (HIGHEST - LOWEST) + 1) / PARTS)
    low, high = corners[:-1], corners[1:]
    distance = low[:, None] + 0.5 * (high - low)[:, None] * (1 + NODES)
    distance = np.maximum(distance, 4 * EPS * abs(base))
    return _Look(low, high, distance, values(base + sign * distance))


def _bulk(size: Floats) -> int:
    """The octave in which the integral has become large; that of 1 if it never stops growing."""
    largest = int(np.argmax(size))
    if size[largest] == 0 or largest == size.size - 1:
        return -LOWEST
    return int(np.argmax(size >= 0.5 * size[largest])) + 1


def _decay(envelope: Floats, first: int) -> float:
    near = min(first + BEYOND, envelope.size - APART - 1)
    before, after = envelope[near], envelope[near + APART]
    if after == 0:
        return np.inf
    return float(np.log2(before / after) / APART)


def _is_simple(values: Values, base: float, sign: int, far: float, look: _Look) -> bool:
    """Whether two panels see what all octaves see beyond ``far``, with a weight that converges."""

    def weight(distance: Floats) -> Floats:
        return np.asarray(1 / (1 + (distance / far) ** 2))

    u = 0.5 * far * (1 + NODES)
    near, beyond = far + u, far * (1 + far / u)
    terms = values(base + sign * near) * weight(near)
    terms = terms + (far / u) ** 2 * values(base + sign * beyond) * weight(beyond)
    panels = 0.5 * far * (WEIGHTS @ terms)
    whole = look.integrals(look.seen * weight(look.distance))
    size = look.integrals(np.abs(look.seen) * weight(look.distance)).sum()
    return bool(abs(panels - whole[look.low > 0.9 * far].sum()) <= AGREE * size)
