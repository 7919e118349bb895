"""torch's activations in this engine's words."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import Node

aten = torch.ops.aten

_WORDS = {
    aten.relu.default: "relu",
    aten.silu.default: "silu",
    aten.hardswish.default: "hard_swish",
    aten.sigmoid.default: "sigmoid",
    aten.tanh.default: "tanh",
}


def activation_of(node: Node) -> str | None:
    """The word for what a node applies to its one tensor, if there is one."""
    if node.target in _WORDS:
        return _WORDS[node.target]
    rest: tuple[Any, ...] = node.args[1:]
    if node.target is aten.hardtanh.default:
        return "relu6" if rest == (0, 6) else None
    if node.target is aten.leaky_relu.default:
        return f"leaky_relu:{rest[0] if rest else 0.01}"
    if node.target is aten.gelu.default:
        return "gelu_tanh" if node.kwargs.get("approximate") == "tanh" else "gelu"
    return None
