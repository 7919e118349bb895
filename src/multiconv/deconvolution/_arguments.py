"""Checks of `deconvolve`'s arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.kernels._arguments import number


def check_finite(array: Array, name: str) -> None:
    """Refuse what would spoil every sample of the result."""
    if array.size == 0:
        raise ValueError(f"{name}: shape {array.shape} is empty, give at least one sample")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: holds NaN or infinity, allowed are finite values")


def optional_number(name: str, value: Any) -> float | None:
    """A number from 0 upwards, or None."""
    return None if value is None else number(name, value, low=0)


def check_counts(y: Array, h: Array, cval: Array, balance: float | None, regularizer: Any) -> None:
    """Refuse what Richardson-Lucy has no use for."""
    for value, name in ((balance, "balance"), (regularizer, "regularizer")):
        if value is not None:
            raise ValueError(
                f"{name}: is not for method='richardson_lucy', which takes iterations and noise"
            )
    for array, name in ((y, "y"), (h, "h"), (cval, "cval")):
        if array.dtype.kind == "c":
            raise TypeError(f"{name}: is complex, method='richardson_lucy' takes real numbers")
        if array.min() < 0:
            raise ValueError(
                f"{name}: the least value is {array.min():g}, method='richardson_lucy' takes "
                "numbers from 0 upwards"
            )
    if not y.any():
        raise ValueError("y: is 0 everywhere, method='richardson_lucy' needs a positive value")
