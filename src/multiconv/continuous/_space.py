"""Functions of several real numbers, and the product of two of them on the unit cube."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats, check_breakpoints, check_callable, check_support
from multiconv.continuous._function import Evaluation, as_numbers, noted, takes_arrays
from multiconv.continuous._rule import EPS

WHOLE_LINE = -np.inf, np.inf
ROUNDING = 32 * EPS
"""Of the product's modulus, what rounding may do to it."""
Supports = tuple[tuple[float, float], ...]


class SpaceFunction:
    """A function of n real numbers with a box as its support.

    Parameters
    ----------
    call
        The function; arrays are passed where it proves to take them.
    support
        One (low, high) pair for each axis.
    breakpoints
        One sequence for each axis, or none at all.
    name
        What error messages call it.
    """

    def __init__(self, call: Any, support: Any, breakpoints: Any, name: str) -> None:
        check_callable(call, name)
        self.name, self.call = name, call
        self.support: Supports = tuple(check_support(s, f"support_{name}", infinite=True)
                                       for s in support)  # fmt: skip
        given = _per_axis(breakpoints, len(self.support), f"breakpoints_{name}")
        self.edges = [_edges(s, b) for s, b in zip(self.support, given, strict=True)]
        with noted(name):
            self._takes_arrays = takes_arrays(call, *self._trial_points())

    def evaluate(self, *x: Floats) -> Evaluation:
        """Values and error bounds at points, all of one shape, moved inside the support."""
        x = tuple(np.clip(c, np.nextafter(low, np.inf), np.nextafter(high, -np.inf))
                  for c, (low, high) in zip(x, self.support, strict=True))  # fmt: skip
        with noted(self.name):
            if self._takes_arrays:
                values = np.asarray(self.call(*(c.copy() for c in x)))
            else:
                points = zip(*(c.ravel().tolist() for c in x), strict=True)
                values = np.array([self.call(*point) for point in points]).reshape(x[0].shape)
        numbers = as_numbers(values, self.name)
        if not np.isfinite(numbers).all():
            bad = np.unravel_index(np.argmin(np.isfinite(numbers)), numbers.shape)
            raise ValueError(
                f"{self.name}: its values must be finite inside the support {self.support}, but "
                f"{self.name}{tuple(float(c[bad]) for c in x)} is {numbers[bad]}"
            )
        return numbers, np.zeros(numbers.shape)

    def _trial_points(self) -> list[Floats]:
        """A few points, none special."""
        share = np.modf(0.3 + 0.618 * np.arange(7))[0]
        ends = [np.clip(s, -1.0, 1.0) if np.isinf(s).any() else s for s in self.support]
        spans = [(e[0], e[1]) if e[0] < e[1] else _unit_span(s)
                 for e, s in zip(ends, self.support, strict=True)]  # fmt: skip
        return [low + np.roll(share, k) * (high - low) for k, (low, high) in enumerate(spans)]


def _unit_span(support: tuple[float, float]) -> tuple[float, float]:
    low, high = support
    return (low, low + 1) if np.isfinite(low) else (high - 1, high)


def _per_axis(breakpoints: Any, count: int, name: str) -> list[Floats]:
    if np.size(np.asarray(breakpoints, dtype=object)) == 0:
        return [np.zeros(0)] * count
    if not isinstance(breakpoints, Sequence) or len(breakpoints) != count:
        raise ValueError(
            f"{name}: {breakpoints!r} is not allowed, give a sequence of {count} sequences, one "
            "for each axis"
        )
    return [check_breakpoints(b, name) for b in breakpoints]


def _edges(support: tuple[float, float], breakpoints: Floats) -> Floats:
    low, high = support
    inner = breakpoints[(breakpoints > low) & (breakpoints < high)]
    if not inner.size and np.isinf(low) and np.isinf(high):
        inner = np.zeros(1)
    return np.unique([low, *inner, high])


class CubeProduct:
    """The integrand of a convolution at several points, moved to the unit cube.

    Each overlap is cut at all breakpoints; its parts are laid over each other. An infinite part
    is mapped by ``u / (1 - u)``.
    """

    def __init__(self, f: SpaceFunction, g: SpaceFunction, x: list[Floats]) -> None:
        self._f, self._g, self._x = f, g, x
        axes = zip(f.edges, g.edges, x, strict=True)
        self._cuts = [_cuts(fe, ge, c) for fe, ge, c in axes]

    def __call__(self, u: Floats) -> Array:
        """Real and imaginary parts and their doubts, (points, 3, n), of places (points, axes)."""
        pieces = [range(cuts.shape[1] - 1) for cuts in self._cuts]
        parts = [self._part(u, chosen) for chosen in itertools.product(*pieces)]
        total: Array = sum(parts[1:], start=parts[0])
        return total

    def _part(self, u: Floats, chosen: tuple[int, ...]) -> Array:
        places = [_placed(u[:, k, None], self._cuts[k][:, j], self._cuts[k][:, j + 1])
                  for k, j in enumerate(chosen)]  # fmt: skip
        weight = np.prod([slope for _, slope in places], axis=0)
        inside = weight > 0
        t = [np.broadcast_to(place, weight.shape)[inside] for place, _ in places]
        x = [np.broadcast_to(c, weight.shape)[inside] for c in self._x]
        f, f_doubt = self._f.evaluate(*t)
        g, g_doubt = self._g.evaluate(*(c - place for c, place in zip(x, t, strict=True)))
        product = f * g
        doubt = f_doubt * np.abs(g) + np.abs(f) * g_doubt + ROUNDING * np.abs(product)
        result = np.zeros((3, *weight.shape))
        result[:, inside] = weight[inside] * np.stack([product.real, product.imag, doubt])
        return result.swapaxes(0, 1)


def _cuts(f: Floats, g: Floats, x: Floats) -> Floats:
    """Breakpoints of the overlaps, shape (n, cuts), ends included; equal where there is no part."""
    column = x[:, None]
    places = np.concatenate([np.broadcast_to(f, (x.size, f.size)), column - g], axis=1)
    low = np.maximum(f[0], column - g[-1])
    high = np.maximum(np.minimum(f[-1], column - g[0]), low)
    cuts: Floats = np.sort(np.clip(places, low, high), axis=1)[:, 1:-1]
    return cuts


def _placed(u: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Places of (0, 1) in parts, and the slope there; parts that are empty have none."""
    up, down = np.isinf(high), np.isinf(low)
    infinite = up | down
    start = np.where(down, high, low)
    width = np.where(infinite, np.where(up, 1.0, -1.0), high - low)
    far = u / (1 - u)
    place = start + np.where(infinite, far, u) * width
    slope = np.where(infinite, (1 + far) ** 2, np.abs(width))
    return place, slope
