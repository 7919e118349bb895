"""``torch.compile(model, backend="multiconv")``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd
from torch.fx import GraphModule

from multiconv.torch._compile._formats import settle_formats
from multiconv.torch._compile._fusion import fuse_layers
from multiconv.torch._compile._gradients import replace_gradients
from multiconv.torch._compile._joining import replace_joining
from multiconv.torch._compile._linear import replace_linear
from multiconv.torch._compile._norm import replace_norms
from multiconv.torch._compile._parameters import parameters
from multiconv.torch._compile._permutations import sink_permutations
from multiconv.torch._compile._pooling import replace_pooling
from multiconv.torch._compile._sequences import join_steps
from multiconv.torch._compile._stack import with_room

MANY = 20
"""Nodes of a graph from which on the microseconds that room on the stack costs do not count."""


def _inference(graph: GraphModule, inputs: Sequence[Any]) -> Callable[..., Any]:
    settled = parameters(graph)
    replace_linear(graph)
    replace_norms(graph, settled)
    sink_permutations(graph)
    fuse_layers(graph, settled)
    settle_formats(graph)
    replace_joining(graph)
    join_steps(graph)
    return _finished(graph)


def _training(graph: GraphModule, inputs: Sequence[Any]) -> Callable[..., Any]:
    fuse_layers(graph, frozenset())
    replace_gradients(graph)
    return _finished(graph)


def _finished(graph: GraphModule) -> Callable[..., Any]:
    replace_pooling(graph)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    forward = graph.forward
    if len(graph.graph.nodes) > MANY:
        forward = with_room(forward)
    run: Callable[..., Any] = make_boxed_func(forward)
    return run


backend = aot_autograd(fw_compiler=_training, bw_compiler=_training, inference_compiler=_inference)
"""Layers run on this engine, with what follows them; everything else is left to torch."""
