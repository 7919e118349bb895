"""Activation functions that may follow a convolution, by name."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from multiconv._problem import SLOPE, takes_slope
from multiconv._typing import Array


def activate(name: str | None, x: Array, slope: float = SLOPE) -> Array:
    """Apply an activation to an array of floats; None changes nothing."""
    if name is None:
        return x
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if takes_slope(name):
            return np.where(x < 0, x * x.dtype.type(slope), x)
        return _FUNCTIONS[name](x).astype(x.dtype, copy=False)


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))  # no overflow, and all digits on both sides
    sigmoid: Array = np.where(x < 0, small, 1) / (1 + small)
    return sigmoid


_erf = np.vectorize(math.erf, otypes=[float])
_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.where(x < 0, 0, x),
    "relu6": lambda x: np.where(x < 0, 0, np.where(x > 6, 6, x)),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1 + _erf(x * math.sqrt(0.5))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_swish": lambda x: x * np.where(x < -3, 0, np.where(x > 3, 6, x + 3)) / 6,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
}
