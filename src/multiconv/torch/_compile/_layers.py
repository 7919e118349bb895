"""The layers in a graph, whichever operator they were written with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node

from multiconv.torch import _operators as operators

aten = torch.ops.aten
DTYPES = (torch.float32, torch.float64)
"""What the engine computes in; narrower types have instructions that only torch uses."""

_FORWARD = torch.ops.multiconv.conv.default
_OURS: dict[Any, Any] = {
    _FORWARD: operators.conv_options,
    torch.ops.multiconv.conv_transpose.default: operators.conv_transpose_options,
}


@dataclass(frozen=True)
class Layer:
    """One layer of a graph."""

    x: Node
    w: Node
    bias: Node | None
    transposed: bool
    options: dict[str, Any]
    """In the words of `multiconv.conv` or `multiconv.conv_transpose`."""


def layer_of(node: Node) -> Layer | None:
    """The layer that a node is, if it is one for this engine."""
    if node.op != "call_function" or not _is_ours(node):
        return None
    if node.target is aten.convolution.default:
        return _of_torch(node)
    if node.target in _OURS:
        x, w, bias, *found = node.args
        return Layer(x, w, bias, node.target is not _FORWARD, _OURS[node.target](*found))
    return None


def numbers(
    stride: Any, padding: Any, dilation: Any, transposed: bool, output_padding: Any, groups: int
) -> tuple[Any, ...]:
    """What torch's operators take as numbers of a layer, as this package's operators take them."""
    ends = [n for n in padding for _ in range(2)]
    if transposed:
        return stride, ends, output_padding, dilation, groups
    return stride, ends, dilation, "zeros", groups


def _of_torch(node: Node) -> Layer:
    x, w, bias, *given = node.args
    rank = w.meta["val"].ndim - 2
    stride, padding, dilation, transposed, output_padding, groups = given
    stride, padding, dilation, output_padding = (
        v * rank if len(v) == 1 else v for v in (stride, padding, dilation, output_padding)
    )
    found = numbers(stride, padding, dilation, transposed, output_padding, groups)
    words = operators.conv_transpose_options if transposed else operators.conv_options
    return Layer(x, w, bias, bool(transposed), words(*found))


def _is_ours(node: Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, torch.Tensor) and value.device.type == "cpu" and value.dtype in DTYPES
