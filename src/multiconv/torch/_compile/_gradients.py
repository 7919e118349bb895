"""Layers' gradients in a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from multiconv.torch import _operators as operators
from multiconv.torch._compile._layers import DTYPES, numbers

aten = torch.ops.aten


def replace_gradients(graph: GraphModule) -> None:
    """Let this engine compute the gradients of torch's layers."""
    for node in graph.graph.nodes:
        if node.target is aten.convolution_backward.default:
            value = node.args[0].meta["val"]
            if value.device.type == "cpu" and value.dtype in DTYPES:
                node.target = convolution_backward


def convolution_backward(
    grad: Tensor, x: Tensor, w: Tensor, bias_sizes: Any, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], transposed: bool,
    output_padding: Sequence[int], groups: int, mask: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:  # fmt: skip
    """What torch's operator of this name computes: gradients in input, kernel and bias."""
    needs_x, needs_w, needs_bias = mask
    layer = numbers(stride, padding, dilation, transposed, output_padding, groups)
    gradients = operators.conv_transpose_gradients if transposed else operators.conv_gradients
    in_x, in_w = gradients(grad, x, w, layer, needs_x, needs_w)
    return in_x, in_w, operators.per_channel(grad) if needs_bias else None
