"""Where the channels lie between layers: as the planner finds it quickest for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.fx import GraphModule, Node

aten = torch.ops.aten
_VIEWS = (aten.view.default, aten._unsafe_view.default)


def settle_formats(graph: GraphModule) -> None:
    """Keep channels innermost between layers where that is predicted to be quicker.

    Operators that torch runs in between pass the format on; the graph's results get theirs back.
    """
    steps = {node: graph.get_submodule(node.target) for node in graph.graph.nodes
             if node.op == "call_module"}  # fmt: skip
    if not steps or any(map(_depends_on_strides, graph.graph.nodes)):
        return
    if not all(_is_static(node) for node in steps):
        return
    first, last = (sum(s.seconds(last, *_values(n)) for n, s in steps.items())
                   for last in (False, True))  # fmt: skip
    if last >= first:
        return
    for step in steps.values():
        step.wants_last = True
    for node in graph.graph.nodes:
        if node.target in _VIEWS:
            node.target = aten.reshape.default
    _restore_results(graph)


def _depends_on_strides(node: Node) -> bool:
    """Whether it reads memory by strides; one value a channel lies alike in every format."""
    if node.target is not aten.as_strided.default:
        return False
    sizes = node.args[0].meta["val"].shape
    return any(n != 1 for n in sizes[2:])


def _is_static(node: Node) -> bool:
    tensors = [node.meta["val"], *(a.meta["val"] for a in node.args if isinstance(a, Node))]
    return all(isinstance(n, int) for t in tensors for n in t.shape)


def _values(node: Node) -> Iterator[Any]:
    return (a.meta["val"] if isinstance(a, Node) else None for a in node.args)


def _restore_results(graph: GraphModule) -> None:
    (output,) = graph.graph.find_nodes(op="output")
    for node in set(output.all_input_nodes):
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor) and value.ndim > 2:
            with graph.graph.inserting_before(output):
                restored = graph.graph.call_function(strided, (node, value.stride()))
            output.replace_input_with(node, restored)


def strided(tensor: torch.Tensor, stride: tuple[int, ...]) -> torch.Tensor:
    """The tensor, copied if its strides are others."""
    if tensor.stride() == stride:
        return tensor
    return torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype).copy_(tensor)
