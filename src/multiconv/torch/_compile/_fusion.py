"""Layers joined with what follows them: batch normalisation, a sum, an activation."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch.fx import GraphModule, Node

from multiconv.torch._compile._activations import activation_of
from multiconv.torch._compile._layers import Layer, layer_of
from multiconv.torch._compile._step import Step, normalised

aten = torch.ops.aten
_VIEWS = (
    aten._unsafe_view.default, aten.permute.default, aten.squeeze.dim, aten.view.default,
)  # fmt: skip


@dataclass
class _Chain:
    """A layer and the nodes after it that one step can compute with it."""

    layer: Layer
    last: Node
    statistics: tuple[Any, ...] = ()
    epsilon: float = 0.0
    residual: Node | None = None
    activation: str | None = None
    weights: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._normalise()
        self._add()
        self._activate()
        self.weights = (self.layer.w, self.layer.bias, *self.statistics)

    def _follower(self) -> Node | None:
        """The one node that uses the result so far."""
        return next(iter(self.last.users)) if len(self.last.users) == 1 else None

    def _normalise(self) -> None:
        norm = self._follower()
        if (
            norm is None
            or norm.target is not aten._native_batch_norm_legit_no_training.default
            or norm.args[0] is not self.last
            or len(norm.users) != 1
        ):
            return
        (result,) = norm.users
        if result.target is operator.getitem and result.args[1] == 0:
            _, *statistics, _, self.epsilon = norm.args
            self.statistics, self.last = tuple(statistics), result

    def _add(self) -> None:
        add = self._follower()
        if add is None or add.target is not aten.add.Tensor or add.kwargs:
            return
        others = [a for a in add.args if a is not self.last]
        if len(others) == 1 and isinstance(others[0], Node) and _alike(others[0], self.last):
            self.residual, self.last = others[0], add

    def _activate(self) -> None:
        node = self._follower()
        while node is not None and node.target in _VIEWS and len(node.users) == 1:
            (node,) = node.users
        word = None if node is None else activation_of(node)
        if node is None or word is None:
            return
        self.activation = word
        if node.args[0] is self.last:
            self.last = node
        else:  # behind views it is the same
            node.replace_all_uses_with(node.args[0])


def fuse_layers(graph: GraphModule, settled: frozenset[Node]) -> None:
    """Put a `Step` in the place of every layer; kernels among ``settled`` stay prepared."""
    for node in list(graph.graph.nodes):
        layer = layer_of(node)
        if layer is not None:
            _replace(graph, _Chain(layer, node), settled)
    graph.graph.eliminate_dead_code()


def _replace(graph: GraphModule, chain: _Chain, settled: frozenset[Node]) -> None:
    layer = chain.layer
    packs = all(w is None or w in settled for w in chain.weights)
    options = layer.options | {"activation": chain.activation}
    epilogue = partial(normalised, chain.epsilon) if chain.statistics else None
    name = f"multiconv_{chain.last.name}"
    graph.add_submodule(name, Step(layer.transposed, options, packs, epilogue))
    with graph.graph.inserting_before(chain.last):
        step = graph.graph.call_module(name, (chain.residual, layer.x, *chain.weights))
    step.meta = dict(chain.last.meta)
    chain.last.replace_all_uses_with(step)
    graph.graph.erase_node(chain.last)


def _alike(one: Node, other: Node) -> bool:
    a, b = one.meta.get("val"), other.meta.get("val")
    tensors = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    return tensors and a.shape == b.shape and a.dtype == b.dtype and a.device == b.device
