"""Which inputs of a graph are the model's own."""

from __future__ import annotations

from torch._guards import TracingContext
from torch.fx import GraphModule, Node


def parameters(graph: GraphModule) -> frozenset[Node]:
    """Parameters and buffers: the same tensors at each call, but for what is written into them."""
    context = TracingContext.try_get()
    if context is None or context.fw_metadata is None:
        return frozenset()
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
    return frozenset(inputs[i] for i in context.fw_metadata.static_input_indices)
