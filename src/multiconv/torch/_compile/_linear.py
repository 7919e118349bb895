"""Linear layers over many positions: convolutions with a kernel of one tap."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from multiconv.torch._compile._layers import DTYPES

aten = torch.ops.aten

FEWEST_POSITIONS = 8
"""Below, what takes the time is to read the weights, and to call."""

_TRANSPOSES = {aten.t.default: None, aten.permute.default: [1, 0], aten.transpose.int: (0, 1)}


def replace_linear(graph: GraphModule, settled: frozenset[Node]) -> frozenset[Node]:
    """Write products of rows and a transposed weight as layers, which `fuse_layers` then finds.

    Rows (positions, channels) are one sample whose channels lie innermost: nothing is copied.
    Returns ``settled`` with the kernels made of what is among them.
    """
    kernels = set(settled)
    for node in list(graph.graph.nodes):
        found = _operands(node)
        if found is not None:
            bias, rows, weight = found
            kernel = _replace(graph, node, bias, rows, weight)
            if weight in settled:
                kernels.add(kernel)
    return frozenset(kernels)


def _operands(node: Node) -> tuple[Any, Node, Node] | None:
    """Bias, rows and weight (outputs, inputs) of a linear layer."""
    if node.target is aten.addmm.default and not node.kwargs:
        bias, rows, weight = node.args
    elif node.target is aten.mm.default:
        bias, (rows, weight) = None, node.args
    else:
        return None
    weight = _transposed(weight)
    if weight is None or not _is_ours(rows) or (bias is not None and bias.meta["val"].ndim != 1):
        return None
    return bias, rows, weight


def _transposed(node: Node) -> Node | None:
    """What a node is the transpose of."""
    if node.target not in _TRANSPOSES:
        return None
    source, *axes = node.args
    wanted = _TRANSPOSES[node.target]
    given = axes[0] if len(axes) == 1 else tuple(axes) or None
    return source if given == wanted and source.meta["val"].is_contiguous() else None


def _is_ours(rows: Node) -> bool:
    value = rows.meta["val"]
    positions = value.shape[0]
    many = not isinstance(positions, int) or positions >= FEWEST_POSITIONS
    return many and value.device.type == "cpu" and value.dtype in DTYPES


def _replace(graph: GraphModule, node: Node, bias: Any, rows: Node, weight: Node) -> Node:
    def add(target: Any, *args: Any) -> Node:
        new = graph.graph.call_function(target, args)
        new.meta["val"] = target(*(a.meta["val"] if isinstance(a, Node) else a for a in args))
        return new

    with graph.graph.inserting_before(node):
        x = add(aten.unsqueeze.default, add(aten.permute.default, rows, [1, 0]), 0)
        w = add(aten.unsqueeze.default, weight, -1)
        y = add(aten.convolution.default, x, w, bias, [1], [0], [1], False, [0], 1)
        result = add(aten.permute.default, add(aten.squeeze.dim, y, 0), [1, 0])
    node.replace_all_uses_with(result)
    graph.graph.erase_node(node)
    return w
