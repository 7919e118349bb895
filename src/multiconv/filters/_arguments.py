"""Checks that all filters share: which axes, and one value for each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from multiconv.kernels._arguments import integer

T = TypeVar("T")


def filtered_axes(
    ndim: int, axes: Any, channel_axis: Any, rank: int | None = None
) -> tuple[int, ...]:
    """The axes to filter, counted from 0: those named, or all but the channels'.

    A filter of a fixed ``rank`` takes the last so many of them.
    """
    if ndim == 0:
        raise ValueError("x: a single number has no axes to filter, give an array")
    channel = None if channel_axis is None else _axis("channel_axis", channel_axis, ndim)
    if axes is None:
        found = [a for a in range(ndim) if a != channel]
        found = found if rank is None else found[len(found) - min(rank, len(found)) :]
    else:
        named = axes if isinstance(axes, (Sequence, np.ndarray)) else [axes]
        found = [_axis("axes", a, ndim) for a in named]
        if channel in found:
            raise ValueError(
                f"axes: {axes!r} holds the channel axis {channel_axis!r}, leave it out"
            )
        if len(set(found)) != len(found):
            raise ValueError(f"axes: {axes!r} names an axis twice, allowed is each once")
    if not found or (rank is not None and len(found) != rank):
        needed = "at least one axis" if rank is None else f"{rank} axes"
        place = f"x has {ndim}" + ("" if channel is None else ", one of them the channels'")
        raise ValueError(f"axes: the filter needs {needed}, {len(found)} were found ({place})")
    return tuple(found)


def place_of(name: str, axis: Any, axes: Sequence[int], ndim: int) -> int:
    """The place of ``axis`` among the filtered ``axes``; that of the last one for None."""
    if axis is None:
        return len(axes) - 1
    found = _axis(name, axis, ndim)
    if found not in axes:
        raise ValueError(f"{name}: {axis!r} is not filtered, choose one of {_listed(axes)}")
    return axes.index(found)


def per_axis(name: str, value: Any, axes: Sequence[int], check: Callable[[Any], T]) -> list[T]:
    """One checked value per filtered axis; a single one is for all."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [check(value)] * len(axes)
    if len(value) != len(axes):
        raise ValueError(
            f"{name}: {value!r} has {len(value)} values, allowed are one or {len(axes)} "
            f"(for axes {_listed(axes)})"
        )
    return [check(v) for v in value]


def word(name: str, value: Any, allowed: Sequence[str]) -> str:
    """``value`` if it is one of the words ``allowed``."""
    if not isinstance(value, str) or value not in allowed:
        words = ", ".join(repr(a) for a in allowed)
        raise ValueError(f"{name}: {value!r} is not allowed, choose one of {words}")
    return value


def whole(value: Any) -> bool:
    """Whether ``value`` is a finite whole number."""
    try:
        return math.isfinite(value) and int(value) == value
    except (TypeError, ValueError):
        return False


def _axis(name: str, axis: Any, ndim: int) -> int:
    return integer(name, axis, low=-ndim, high=ndim - 1) % ndim


def _listed(axes: Sequence[int]) -> str:
    return ", ".join(map(str, axes))
