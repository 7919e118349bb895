"""Activation functions that may follow a convolution, by name."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from multiconv._typing import Array


def activate(name: str | None, x: Array) -> Array:
    """Apply an activation to an array of floats; None changes nothing."""
    with np.errstate(over="ignore", invalid="ignore"):
        return x if name is None else _FUNCTIONS[name](x).astype(x.dtype, copy=False)


_erf = np.vectorize(math.erf, otypes=[float])
_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.where(x < 0, 0, x),
    "relu6": lambda x: np.where(x < 0, 0, np.where(x > 6, 6, x)),
    "leaky_relu": lambda x: np.where(x < 0, x * 0.01, x),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: 0.5 * x * (1 + _erf(x * math.sqrt(0.5))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_swish": lambda x: x * np.where(x < -3, 0, np.where(x > 3, 6, x + 3)) / 6,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
}
