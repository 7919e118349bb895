"""``torch.compile(model, backend="multiconv")``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch._dynamo.backends.common import aot_autograd
from torch.fx import GraphModule

from multiconv.torch._compile._fusion import fuse_layers
from multiconv.torch._compile._gradients import replace_gradients
from multiconv.torch._compile._inference import finished, plan_inference
from multiconv.torch._compile._parameters import parameters
from multiconv.torch._compile._pooling import replace_pooling


def _inference(graph: GraphModule, inputs: Sequence[Any]) -> Callable[..., Any]:
    return plan_inference(graph, parameters(graph))


def _training(graph: GraphModule, inputs: Sequence[Any]) -> Callable[..., Any]:
    fuse_layers(graph, frozenset())
    replace_gradients(graph)
    replace_pooling(graph)
    return finished(graph)


backend = aot_autograd(fw_compiler=_training, bw_compiler=_training, inference_compiler=_inference)
"""Layers run on this engine, with what follows them; everything else is left to torch."""
