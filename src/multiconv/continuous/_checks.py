"""Argument checks of the continuous side: one clear sentence for each kind of bad input."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def check_callable(value: object, name: str) -> None:
    """Refuse what cannot be called."""
    if not callable(value):
        raise TypeError(f"{name}: {value!r} is not callable, give a function of one real number")


def check_support(value: Any, name: str, *, infinite: bool = False) -> tuple[float, float]:
    """A support as two floats, low < high; both finite unless told that they need not be."""
    allowed = "(low, high) pair with low < high"
    allowed = f"{allowed}, which may be infinite" if infinite else f"finite {allowed}"
    message = f"{name}: {value!r} is not allowed, give a {allowed}"
    try:
        low, high = (as_float(end) for end in value)
    except (TypeError, ValueError):
        raise ValueError(message) from None
    if not (low < high and (infinite or (math.isfinite(low) and math.isfinite(high)))):
        raise ValueError(message)
    if math.isfinite(low) and math.isfinite(high) and not math.isfinite(high - low):
        raise ValueError(f"{message}, and a width that float64 can hold")
    return low, high


def check_breakpoints(value: Any, name: str) -> Floats:
    """Breakpoints as an array of finite floats, in any order."""
    try:
        points = [as_float(v) for v in value] if isinstance(value, Iterable) else [as_float(value)]
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {value!r} is not allowed, give real numbers") from None
    for point in points:
        if not math.isfinite(point):
            raise ValueError(f"{name}: {point!r} is not allowed, breakpoints must be finite")
    return np.array(points, dtype=float)


def check_tolerances(rtol: Any, atol: Any) -> tuple[float, float]:
    """Tolerances as floats, not negative and not both zero."""
    for value, name in ((rtol, "rtol"), (atol, "atol")):
        try:
            good = 0 <= as_float(value) < math.inf
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ValueError(f"{name}: {value!r} is not allowed, give a number from 0 upwards")
    if rtol == 0 and atol == 0:
        raise ValueError("rtol and atol: both are 0, at least one must be positive")
    return float(rtol), float(atol)


def check_step(value: Any, width: float, name: str) -> tuple[float, int]:
    """A positive step, and the number of steps that cover ``width``."""
    try:
        step = as_float(value)
    except (TypeError, ValueError):
        step = math.nan
    if not 0 < step < math.inf:
        raise ValueError(f"{name}: {value!r} is not allowed, give a positive number")
    ratio = width / step
    if ratio > LARGEST_COUNT:
        raise ValueError(
            f"{name}: {step} makes about {ratio:.3g} samples on a support {width} wide, "
            f"allowed are {LARGEST_COUNT}; give a longer step"
        )
    rounded = max(round(ratio), 1)
    exact = abs(rounded - ratio) <= 1e-9 * rounded
    return step, rounded if exact else math.ceil(ratio)


def as_float(value: Any) -> float:
    """A real number as a float; text is not one."""
    if isinstance(value, (str, bytes)):
        raise TypeError
    return float(value)


LARGEST_COUNT = 2**28
