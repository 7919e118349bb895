"""Axes turned in a graph: as late as may be, and not at all where they are turned back."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule, Node

from multiconv.torch._compile._activations import activation_of

aten = torch.ops.aten
_PAIRS = (aten.add.Tensor, aten.mul.Tensor)


def added(graph: GraphModule, target: Any, *args: Any) -> Node:
    """A new node, with what its result looks like."""
    node = graph.graph.call_function(target, args)
    node.meta["val"] = target(*(a.meta["val"] if isinstance(a, Node) else a for a in args))
    return node


def to_first(graph: GraphModule, node: Node) -> Node:
    """The node with its last axis second, as channels lie in torch's layers."""
    rank = node.meta["val"].ndim
    return turned(graph, node, [0, rank - 1, *range(1, rank - 1)])


def to_last(graph: GraphModule, node: Node) -> Node:
    """The node with its second axis last."""
    return turned(graph, node, [0, *range(2, node.meta["val"].ndim), 1])


def turned(graph: GraphModule, node: Node, order: list[int]) -> Node:
    """The node's axes in this order; what was turned before is turned once."""
    if node.target is aten.permute.default:
        source, before = node.args
        node, order = source, [before[axis] for axis in order]
    if order == sorted(order):
        return node
    return added(graph, aten.permute.default, node, order)


def sink_permutations(graph: GraphModule) -> None:
    """Turn axes after sums, factors and activations instead of before them."""
    for node in list(graph.graph.nodes):
        if node.op != "call_function":
            continue
        with graph.graph.inserting_before(node):
            result = _later(graph, node)
        if result is not None:
            node.replace_all_uses_with(result)
    graph.graph.eliminate_dead_code()


def _later(graph: GraphModule, node: Node) -> Node | None:
    """What a node gives, its axes turned at the end."""
    if node.target is aten.permute.default:
        source, order = node.args
        return turned(graph, source, order) if source.target is aten.permute.default else None
    operands = [a for a in node.args if isinstance(a, Node)]
    if activation_of(node) is None and (node.target not in _PAIRS or node.kwargs):
        return None
    first = next((a for a in operands if _is_turned_for(node, a)), None)
    if first is None:
        return None
    order = first.args[1]
    others = [a if a is first else _before(graph, a, order) for a in node.args]
    if any(a is None for a in others):
        return None
    new = graph.graph.call_function(
        node.target, tuple(first.args[0] if a is first else a for a in others), dict(node.kwargs)
    )
    values = [a.meta["val"] if isinstance(a, Node) else a for a in new.args]
    new.meta["val"] = node.target(*values, **node.kwargs)
    return turned(graph, new, order)


def _is_turned_for(node: Node, operand: Node) -> bool:
    """Whether an operand is turned for this node alone, which has its shape."""
    return (
        operand.target is aten.permute.default
        and len(operand.users) == 1
        and operand.meta["val"].shape == node.meta["val"].shape
    )


def _before(graph: GraphModule, other: Any, order: list[int]) -> Any:
    """Another operand as it has to lie where the axes are not turned yet; None if it cannot."""
    if not isinstance(other, Node):
        return other
    rank = other.meta["val"].ndim
    if rank == len(order):
        return turned(graph, other, [order.index(axis) for axis in range(rank)])
    if rank == 1 and order[-1] == 1:  # one number for each channel
        for _ in range(len(order) - 2):
            other = added(graph, aten.unsqueeze.default, other, -1)
        return other
    return None
