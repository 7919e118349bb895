"""Running an iteration until it is good enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from multiconv._typing import Array

Steps: TypeAlias = Iterable[tuple[Array, float]]
"""One estimate after the other, each with the root mean square of ``y - x * h``."""


class Progress(NamedTuple):
    """What a callback of `deconvolve` is told after each iteration."""

    iteration: int
    """Counted from 1."""
    estimate: Array
    """The estimate so far; read-only."""
    residual: float
    """Root mean square of ``y - x * h``."""


class Limits(NamedTuple):
    """When to stop."""

    iterations: int
    rtol: float
    noise: float | None
    callback: Callable[[Progress], Any] | None


def last_estimate(steps: Steps, limits: Limits) -> Array:
    """The estimate at which the first of the limits is reached."""
    previous: Array | None = None
    for iteration, (estimate, residual) in enumerate(islice(steps, limits.iterations), 1):
        told = limits.callback is not None and limits.callback(
            Progress(iteration, _read_only(estimate), residual)
        )
        if told or _settled(previous, estimate, limits.rtol):
            return estimate
        if limits.noise is not None and residual <= limits.noise:
            return estimate
        previous = estimate
    assert previous is not None
    return previous


def rms(values: Array) -> float:
    """The root mean square."""
    return float(np.sqrt((values.real**2 + values.imag**2).mean()))


def _settled(previous: Array | None, estimate: Array, rtol: float) -> bool:
    if previous is None:
        return False
    return rms(estimate - previous) <= rtol * rms(estimate)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view
