"""Keras' JAX backend: the engine's ``conv_general_dilated``."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from multiconv.jax import conv_general_dilated
from multiconv.keras._epilogue import activate, add_bias

Pairs = tuple[tuple[int, int], ...]


def conv(
    x: Array, w: Array, bias: Array | None, activation: Any, *, stride: tuple[int, ...],
    padding: str | Pairs, dilation: tuple[int, ...], groups: int, data_format: str,
) -> Array:  # fmt: skip
    """A layer, with Keras' kernel ``(*size, C / groups, O)`` in either data format."""
    y = conv_general_dilated(
        x, w, stride, padding.upper() if isinstance(padding, str) else padding,
        rhs_dilation=dilation, dimension_numbers=_axes(w.ndim, data_format, "IO"),
        feature_group_count=groups,
    )  # fmt: skip
    if x.size and not y.size:
        raise ValueError(f"inputs: shape {x.shape} is smaller than the kernel {w.shape[:-2]}")
    return activate(add_bias(y, bias, data_format), activation)


def conv_transpose(
    x: Array, w: Array, bias: Array | None, activation: Any, *, stride: tuple[int, ...],
    padding: Pairs, dilation: tuple[int, ...], data_format: str,
) -> Array:  # fmt: skip
    """A transposed layer, with Keras' kernel ``(*size, O, C)`` in either data format."""
    reach = [(k - 1) * d for k, d in zip(w.shape[:-2], dilation, strict=True)]
    y = conv_general_dilated(
        x, jnp.flip(w, range(w.ndim - 2)), (1,) * len(stride),
        [(r - low, r - high) for r, (low, high) in zip(reach, padding, strict=True)],
        lhs_dilation=stride, rhs_dilation=dilation,
        dimension_numbers=_axes(w.ndim, data_format, "OI"),
    )  # fmt: skip
    return activate(add_bias(y, bias, data_format), activation)


def _axes(ndim: int, data_format: str, channels: str) -> tuple[str, str, str]:
    """Letters for the axes, as lax names them."""
    space = "DHW"[: ndim - 2]
    data = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
    return data, space + channels, data
