"""A graph of inference, with its layers in the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functorch.compile import make_boxed_func
from torch.fx import GraphModule, Node

from multiconv.torch._compile._copies import remove_copies
from multiconv.torch._compile._formats import settle_formats
from multiconv.torch._compile._fusion import fuse_layers
from multiconv.torch._compile._joining import replace_joining
from multiconv.torch._compile._linear import FEWEST_POSITIONS, replace_linear
from multiconv.torch._compile._norm import replace_norms
from multiconv.torch._compile._permutations import sink_permutations
from multiconv.torch._compile._pooling import keep_means_axes, replace_pooling
from multiconv.torch._compile._sequences import join_steps
from multiconv.torch._compile._stack import with_room

FEWEST_STEPS = 2
"""That are bound together: a step by itself asks no less about its kernel."""
MANY = 20
"""Nodes of a graph from which on the microseconds that room on the stack costs do not count."""


def plan_inference(
    graph: GraphModule, settled: frozenset[Node], *, frozen: bool = False
) -> Callable[..., Any]:
    """Rewrite a graph; what then runs it takes its inputs as one list.

    Parameters
    ----------
    graph : GraphModule
    settled : frozenset of Node
        Inputs whose numbers stay, so that kernels can be prepared.
    frozen : bool
        Whether they stay for good: nothing has to be asked again, so that the smallest steps are
        worth their preparation.
    """
    remove_copies(graph)
    keep_means_axes(graph)
    replace_linear(graph, 1 if frozen else FEWEST_POSITIONS)
    replace_norms(graph, settled)
    sink_permutations(graph)
    fuse_layers(graph, settled)
    settle_formats(graph)
    replace_joining(graph)
    replace_pooling(graph)
    join_steps(graph, 1 if frozen else FEWEST_STEPS)
    return finished(graph)


def finished(graph: GraphModule) -> Callable[..., Any]:
    """What runs a graph whose layers were replaced."""
    graph.graph.eliminate_dead_code()
    graph.recompile()
    forward = graph.forward
    if len(graph.graph.nodes) > MANY:
        forward = with_room(forward)
    run: Callable[..., Any] = make_boxed_func(forward)
    return run
