"""Checks that all kernels share; each raises before anything is allocated."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

MAX_TAPS = 2**27  # one gibibyte of float64
MAX_NDIM = 32

T = TypeVar("T")


def number(name: str, value: float, *, low: float = -math.inf, open_low: bool = False) -> float:
    """``value`` as a finite float, at least (above, if ``open_low``) ``low``."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name}: {value!r} is not allowed, give a number") from None
    if not math.isfinite(result) or result < low or (open_low and result == low):
        bound = f" {'above' if open_low else 'from'} {low:g}" if low > -math.inf else ""
        raise ValueError(f"{name}: {value!r} is not allowed, give a finite number{bound}")
    return result


def integer(name: str, value: int, *, low: int, high: int | None = None) -> int:
    """``value`` as an int from ``low`` to ``high``."""
    try:
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {value!r} is not allowed, give an integer") from None
    if result < low or (high is not None and result > high):
        bound = f"from {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name}: {value!r} is not allowed, give an integer {bound}")
    return result


def dimensions(ndim: int) -> int:
    """A checked number of dimensions."""
    return integer("ndim", ndim, low=1, high=MAX_NDIM)


def per_axis(name: str, value: T | Sequence[T], ndim: int | None) -> tuple[T, ...]:
    """One value per axis: a sequence as it is, a scalar repeated ``ndim`` (else 2) times."""
    if isinstance(value, np.ndarray) and value.ndim:
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        values = tuple(value)
        if ndim is not None and len(values) != dimensions(ndim):
            raise ValueError(f"{name}: {value!r} is not allowed, ndim={ndim} takes {ndim} values")
        dimensions(len(values))
        return values
    count = 2 if ndim is None else dimensions(ndim)
    return (value,) * count


def one_axis(axis: int, ndim: int) -> int:
    """``axis`` counted from 0."""
    return integer("axis", axis, low=-ndim, high=ndim - 1) % ndim


def check_taps(name: str, shape: Sequence[int]) -> None:
    """Refuse a kernel too large to be meant."""
    taps = math.prod(shape)
    if taps > MAX_TAPS:
        size = "x".join(str(n) for n in shape)
        raise ValueError(
            f"{name}: a kernel of {size} taps needs {8 * taps} bytes; "
            f"at most {MAX_TAPS} taps ({8 * MAX_TAPS} bytes) are allowed"
        )
