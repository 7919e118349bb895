"""What follows the sums: the bias and the activation."""

from __future__ import annotations

from typing import Any

import keras
from keras import activations

_NAMES = (
    (activations.relu, "relu"),
    (activations.relu6, "relu6"),
    (activations.leaky_relu, "leaky_relu:0.2"),
    (activations.silu, "silu"),
    (activations.gelu, "gelu"),
    (activations.hard_silu, "hard_swish"),
    (activations.sigmoid, "sigmoid"),
    (activations.tanh, "tanh"),
)


def engine_name(activation: Any) -> str | None:
    """What the engine calls one of Keras' activations, or None if it has none such."""
    return next((name for function, name in _NAMES if function is activation), None)


def activate(outputs: Any, activation: Any) -> Any:
    """Keras' activation, where there is one."""
    return outputs if activation is None else activation(outputs)


def add_bias(outputs: Any, bias: Any, data_format: str) -> Any:
    """One number for each channel added."""
    if bias is None:
        return outputs
    ones = (1,) * (outputs.ndim - 2)
    shape = (1, *ones, -1) if data_format == "channels_last" else (1, -1, *ones)
    return outputs + keras.ops.reshape(bias, shape)
