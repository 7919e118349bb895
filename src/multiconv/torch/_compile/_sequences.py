"""Layers that follow one another in a graph, as one part of it."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

from torch.fx import GraphModule, Node

from multiconv.torch._compile._norm import Norm
from multiconv.torch._compile._pooling import Pool
from multiconv.torch._compile._program import Part
from multiconv.torch._compile._sequence import Sequence
from multiconv.torch._compile._step import Step


def join_steps(graph: GraphModule, fewest: int) -> None:
    """Put a `Sequence` in the place of neighbouring steps whose kernels stay prepared.

    Fewer than ``fewest`` of them stay by themselves.
    """
    for number, nodes in enumerate(list(_runs(graph, fewest))):
        _replace(graph, nodes, f"multiconv_sequence_{number}")


def hold_sequences(graph: GraphModule) -> None:
    """Let every `Sequence` be what it was in the last call; inputs that nobody reads then go."""
    for node in list(graph.graph.find_nodes(op="call_module")):
        sequence = graph.get_submodule(node.target)
        held = sequence.held() if isinstance(sequence, Sequence) else None
        if held is None:
            continue
        graph.add_submodule(f"{node.target}_held", held)
        with graph.graph.inserting_before(node):
            data = tuple(node.args[i] for i in sequence.data)
            whole = graph.graph.call_module(f"{node.target}_held", data)
        node.replace_all_uses_with(whole)
        graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
    for node in graph.graph.find_nodes(op="placeholder"):
        if not node.users:
            graph.graph.erase_node(node)


def _runs(graph: GraphModule, fewest: int) -> Iterator[list[Node]]:
    nodes: list[Node] = []
    for node in list(graph.graph.nodes):
        if _joins(graph, node):
            nodes.append(node)
            continue
        if len(nodes) >= fewest:
            yield nodes
        nodes = []


def _joins(graph: GraphModule, node: Node) -> bool:
    if node.op != "call_module":
        return False
    step = graph.get_submodule(str(node.target))
    sizes = node.meta["val"].shape
    return (
        isinstance(step, (Step, Norm, Pool))
        and step.packed is not None
        and all(isinstance(n, int) for n in sizes)
    )


def _replace(graph: GraphModule, nodes: list[Node], name: str) -> None:
    outside = list(dict.fromkeys(a for n in nodes for a in n.all_input_nodes if a not in nodes))
    results = [n for n in nodes if any(user not in nodes for user in n.users)]
    places: dict[Any, int] = {node: i for i, node in enumerate([*outside, *nodes])}
    parts = []
    for node in nodes:
        step: Any = graph.get_submodule(str(node.target))
        residual, _, *weights = (places.get(a) for a in node.args)
        parts.append(Part(step, residual, places[node.args[1]], tuple(weights)))
    sequence = Sequence(parts, len(outside), [places[node] for node in results])
    graph.add_submodule(name, sequence)
    with graph.graph.inserting_before(nodes[0]):
        whole = graph.graph.call_module(name, tuple(outside))
        for i, node in enumerate(results):
            part = graph.graph.call_function(operator.getitem, (whole, i))
            part.meta = dict(node.meta)
            node.replace_all_uses_with(part, lambda user: user not in nodes)
    for node in reversed(nodes):
        graph.graph.erase_node(node)
