"""Keras' NumPy backend: arrays straight into the engine, bias and activation fused."""

from __future__ import annotations

from typing import Any

import multiconv
from multiconv._typing import Array
from multiconv.keras._epilogue import activate, engine_name


def conv(x: Array, w: Array, bias: Array | None, activation: Any, **options: Any) -> Array:
    """A layer, with Keras' kernel ``(*size, C / groups, O)`` in either data format."""
    return _run(multiconv.conv, x, w, bias, activation, options)


def conv_transpose(
    x: Array, w: Array, bias: Array | None, activation: Any, **options: Any
) -> Array:
    """A transposed layer, with Keras' kernel ``(*size, O, C)`` in either data format."""
    return _run(multiconv.conv_transpose, x, w, bias, activation, options)


def _run(
    layer: Any, x: Array, w: Array, bias: Array | None, activation: Any, options: dict[str, Any]
) -> Array:
    if options["data_format"] == "channels_first":
        w = w.transpose(-1, -2, *range(w.ndim - 2))
    name = engine_name(activation)
    y = layer(x, w, bias, activation=name, **options)
    return y if name else activate(y, activation)
