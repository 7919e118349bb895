"""The layer on the screen: read from the page's values, run by the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import multiconv as mc
from multiconv._typing import Array

CHANNELS, FILTERS, RANK, SIZE, TAPS = 4, 6, 3, 16, 7
"""The most that the page shows."""

STEP = 4
"""The largest stride, padding and dilation."""

ACTIVATIONS = ("none", "relu", "leaky_relu", "sigmoid", "tanh")


@dataclass(frozen=True)
class Layer:
    """One example ``x (channels, *size)`` and the layer that sees it.

    ``w`` is ``(filters, channels / groups, *taps)``, ``bias`` one number a filter.
    """

    x: Array
    w: Array
    bias: Array
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    activation: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Where the kernel is put, in the engine's words."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Layer:
        """The layer that the page describes.

        Raises
        ------
        ValueError
            If a value is missing or not allowed, or the parts do not fit together.
        """
        channels = whole(values, "channels", 1, CHANNELS)
        filters = whole(values, "filters", 1, FILTERS)
        groups = whole(values, "groups", 1, CHANNELS)
        if channels % groups or filters % groups:
            raise ValueError(
                f"groups: {groups} does not divide both {channels} input and {filters} output "
                "channels"
            )
        size, taps = _sizes(values, "size", SIZE), _sizes(values, "taps", TAPS)
        if len(size) != len(taps):
            raise ValueError(f"taps: {taps} has another number of axes than the size {size}")
        activation = values.get("activation", "none")
        if activation not in ACTIVATIONS:
            words = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation: {activation!r} is not allowed, choose one of {words}")
        return cls(
            _numbers(values, "x", (channels, *size)),
            _numbers(values, "w", (filters, channels // groups, *taps)),
            _numbers(values, "bias", (filters,)),
            whole(values, "stride", 1, STEP), whole(values, "padding", 0, STEP),
            whole(values, "dilation", 1, STEP), groups,
            None if activation == "none" else activation,
        )  # fmt: skip

    @property
    def problem(self) -> mc.Problem:
        """What the engine is asked for."""
        return mc.plan(
            mc.conv, self.x, self.w, self.bias, groups=self.groups, activation=self.activation,
            **self.options,
        ).problem  # fmt: skip

    def first_channel(self, chosen: int) -> int:
        """The first channel that a filter sees."""
        return chosen // (len(self.w) // self.groups) * self.w.shape[1]

    def partials(self, chosen: int) -> Array:
        """Each channel that a filter sees, convolved with its own slice alone."""
        first = self.first_channel(chosen)
        images = [
            mc.conv(self.x[first + c : first + c + 1], one[None, None], **self.options)[0]
            for c, one in enumerate(self.w[chosen])
        ]
        return np.stack(images)

    def sums(self) -> Array:
        """The sum over the channels and the bias, for every filter."""
        sums: Array = mc.conv(self.x, self.w, self.bias, groups=self.groups, **self.options)
        return sums

    def result(self) -> Array:
        """What the layer gives."""
        result: Array = mc.conv(
            self.x, self.w, self.bias, groups=self.groups, activation=self.activation,
            **self.options,
        )  # fmt: skip
        return result


def whole(values: dict[str, Any], name: str, least: int, most: int) -> int:
    """A whole number of the page, checked."""
    value = values.get(name)
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name}: {value!r} is not allowed, give {least} to {most}")
    return value


def _sizes(values: dict[str, Any], name: str, most: int) -> tuple[int, ...]:
    given = values.get(name)
    sizes = tuple(given) if isinstance(given, list) else ()
    if not 1 <= len(sizes) <= RANK or any(type(n) is not int or not 1 <= n <= most for n in sizes):
        raise ValueError(f"{name}: {given!r} is not allowed, give 1 to {RANK} sizes up to {most}")
    return sizes


def _numbers(values: dict[str, Any], name: str, shape: Sequence[int]) -> Array:
    given = values.get(name)
    count, words = math.prod(shape), " x ".join(map(str, shape))
    if not isinstance(given, list) or len(given) != count:
        there = len(given) if isinstance(given, list) else "no"
        raise ValueError(f"{name}: {there} numbers were given, {words} takes {count}")
    if any(type(v) not in (int, float) or not abs(v) <= 1e9 for v in given):
        raise ValueError(f"{name}: only numbers up to 1e9 are allowed")
    return np.array(given, np.float64).reshape(shape)
