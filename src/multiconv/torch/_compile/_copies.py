"""Copies that a graph of inference does not need: what dropout leaves behind, for one."""

from __future__ import annotations

import torch
from torch.fx import GraphModule, Node

aten = torch.ops.aten


def remove_copies(graph: GraphModule) -> None:
    """Take the original where a copy in the same format is only read."""
    for node in graph.graph.find_nodes(op="call_function", target=aten.clone.default):
        source = node.args[0]
        if isinstance(source, Node) and not node.kwargs and not _is_handed_out(node):
            node.replace_all_uses_with(source)
            graph.graph.erase_node(node)


def _is_handed_out(node: Node) -> bool:
    """Whether the graph's caller gets the node's memory, itself or by a view."""
    return any(
        user.op == "output" or (_is_view(user) and _is_handed_out(user)) for user in node.users
    )


def _is_view(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(result.alias_info for result in schema.returns)
