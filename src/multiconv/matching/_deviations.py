"""The squared deviations from the mean under a moving window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from multiconv._typing import Array


class Windows(NamedTuple):
    """Windows of equally many samples at every place."""

    samples: int
    mean: Array
    deviations: Array
    """Sum of squared deviations from the mean."""


def squared_deviations(x: Array, size: Sequence[int]) -> Array:
    """Of all windows of this size inside ``x``, over its trailing axes.

    Windows are put together from halves: no large sums are subtracted, so that the result is right
    to a few units of rounding whatever the mean, and exactly 0 where samples are equal.
    """
    found = Windows(1, x, np.zeros_like(x))
    for axis, length in enumerate(size, x.ndim - len(size)):
        found = _windows(found, length, axis)
    return found.deviations


def _windows(one: Windows, length: int, axis: int) -> Windows:
    """``length`` windows in a row as one, by the binary digits of ``length``."""
    found, reach = None, 0
    span = 1
    while True:
        if length & span:
            found = _merged(found, one, reach, axis) if found else one
            reach += span
        if reach == length:
            assert found is not None
            return found
        one = _merged(one, one, span, axis)
        span *= 2


def _merged(first: Windows, second: Windows, shift: int, axis: int) -> Windows:
    """Each first window and the second one that lies ``shift`` further.

    Source: Chan, Golub & LeVeque, "Algorithms for computing the sample variance" (1983).
    """
    mean, deviations = (_from(a, shift, axis) for a in second[1:])
    length = mean.shape[axis]
    before, scatter = (_to(a, length, axis) for a in first[1:])
    samples = first.samples + second.samples
    share = second.samples / samples
    step = mean - before
    spread = scatter + deviations + step**2 * (first.samples * share)
    return Windows(samples, before + step * share, spread)


def _from(a: Array, start: int, axis: int) -> Array:
    return a[(slice(None),) * axis + (slice(start, None),)]


def _to(a: Array, stop: int, axis: int) -> Array:
    return a[(slice(None),) * axis + (slice(stop),)]
