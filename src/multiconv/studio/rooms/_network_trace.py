"""Where a number in the network comes from.

A network of convolutions, ReLU and largest values is linear wherever nothing switches, so a number
in it is the sum of gradient times value over any earlier layer, and of gradient times bias over
all biases in between: nothing is estimated (Ancona et al., "Towards better understanding of
gradient-based attribution methods", 2018).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from multiconv._typing import Array

from ._network_layers import (
    CLASSES,
    POOL,
    SIDE,
    Maps,
    Weights,
    padding_of,
    sums,
    to_digits,
    to_first,
    to_second,
)

Box = tuple[int, int, int, int]
"""First and last row, first and last column."""


class Unit(NamedTuple):
    """One number: of layer 1, 2 (a cell of a map) or 3 (a class)."""

    layer: int
    channel: int
    row: int
    column: int

    @classmethod
    def of(cls, numbers: Any, filters: int) -> Unit:
        """Four whole numbers that name a unit of a network with so many filters."""
        sizes = {1: (filters, SIDE, SIDE), 2: (2 * filters, SIDE // POOL, SIDE // POOL),
                 3: (CLASSES, 1, 1)}  # fmt: skip
        listed = isinstance(numbers, list | tuple) and len(numbers) == 4
        if not listed or not all(isinstance(n, int) for n in numbers):
            raise ValueError(f"unit: {numbers} is not allowed, give layer, channel, row and column")
        size = sizes.get(numbers[0])
        if size is None or not all(0 <= n < m for n, m in zip(numbers[1:], size, strict=True)):
            raise ValueError(f"unit: the network has none at {numbers}")
        return cls(*numbers)


class Trace(NamedTuple):
    """A number (before ReLU) and its parts, each of the shape of what it comes from.

    Of `flows`, [i, j] is what passes from the first layer's map j through the second's map i.
    """

    value: float
    biases: float
    digit: Array
    first: Array
    second: Array
    flows: Array
    digit_field: Box
    first_field: Box


def trace(weights: Weights, maps: Maps, unit: Unit) -> Trace:
    """Trace one unit back through the layers, for a single digit."""
    value = sums(weights, maps, unit.layer)
    scores, second, first, digit = _gradients(weights, maps, unit, _seed(value, unit))
    return Trace(
        float(value[0, unit.channel, unit.row, unit.column]),
        _share(scores, weights.last_bias)
        + _share(second, weights.second_bias)
        + _share(first, weights.first_bias),
        digit * maps.digits,
        first * maps.first if unit.layer > 1 else np.zeros_like(maps.first),
        second * maps.second if unit.layer > 2 else np.zeros_like(maps.second),
        _flows(weights, maps, second),
        *_fields(unit, padding_of(weights)),
    )


def _share(gradient: Array, bias: Array) -> float:
    """What a layer's biases add to the number."""
    return float(np.vdot(gradient.sum((0, 2, 3), dtype=np.float64), bias))


def _flows(weights: Weights, maps: Maps, second: Array) -> Array:
    """The second layer's maps are traced on, each without the others, as one batch."""
    channels = np.arange(second.shape[1])
    alone = np.zeros((len(channels), *second.shape[1:]), second.dtype)
    alone[channels, channels] = second[0]
    copies = Maps(*(np.repeat(a, len(channels), 0) for a in maps))
    parts: Array = (to_first(weights, copies, alone) * maps.first).sum((2, 3))
    return parts


def _seed(values: Array, unit: Unit) -> Array:
    seed = np.zeros_like(values)
    seed[0, unit.channel, unit.row, unit.column] = 1
    return seed


def _gradients(
    weights: Weights, maps: Maps, unit: Unit, seed: Array
) -> tuple[Array, Array, Array, Array]:
    """In the scores, in both layers' sums and in the digit; zero above the unit."""
    scores = seed if unit.layer == 3 else np.zeros_like(maps.scores)
    second = seed if unit.layer == 2 else to_second(weights, maps, scores)
    first = seed if unit.layer == 1 else to_first(weights, maps, second)
    return scores, second, first, to_digits(weights, maps, first)


def _fields(unit: Unit, reach: int) -> tuple[Box, Box]:
    """What of the digit and of the first layer's maps the unit can depend on at all."""
    rows = columns = (0, SIDE - 1)
    if unit.layer == 1:
        rows, columns = (unit.row, unit.row), (unit.column, unit.column)
    if unit.layer == 2:
        rows, columns = (_under_pooling(n, reach) for n in (unit.row, unit.column))
    digit = (*_widened(rows, reach, SIDE), *_widened(columns, reach, SIDE))
    return digit, (*rows, *columns)


def _under_pooling(place: int, reach: int) -> tuple[int, int]:
    low, high = _widened((place, place), reach, SIDE // POOL)
    return POOL * low, POOL * high + POOL - 1


def _widened(span: tuple[int, int], reach: int, size: int) -> tuple[int, int]:
    return max(0, span[0] - reach), min(size - 1, span[1] + reach)
