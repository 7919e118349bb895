"""Keras' torch backend: views of its tensors into the engine's differentiable functions."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from multiconv import torch as layers
from multiconv.keras._epilogue import activate


def conv(x: Tensor, w: Tensor, bias: Tensor | None, activation: Any, **options: Any) -> Tensor:
    """A layer, with Keras' kernel ``(*size, C / groups, O)`` in either data format."""
    return _run(layers.conv, x, w, bias, activation, **options)


def conv_transpose(
    x: Tensor, w: Tensor, bias: Tensor | None, activation: Any, **options: Any
) -> Tensor:
    """A transposed layer, with Keras' kernel ``(*size, O, C)`` in either data format."""
    return _run(layers.conv_transpose, x, w, bias, activation, **options)


def _run(
    layer: Any, x: Tensor, w: Tensor, bias: Tensor | None, activation: Any, *, data_format: str,
    **options: Any,
) -> Tensor:  # fmt: skip
    last = data_format == "channels_last"
    w = w.permute(-1, -2, *range(w.ndim - 2))
    y = layer(x.movedim(-1, 1) if last else x, w, bias, **options)
    return activate(y.movedim(1, -1) if last else y, activation)
