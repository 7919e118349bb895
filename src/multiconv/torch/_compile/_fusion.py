"""Layers joined with what follows them: batch normalisation, a factor, a sum, an activation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch.fx import GraphModule, Node

from multiconv.torch._compile._activations import activation_of
from multiconv.torch._compile._layers import Layer, layer_of
from multiconv.torch._compile._step import Step, normalised, scaled

aten = torch.ops.aten
_VIEWS = (
    aten._unsafe_view.default, aten.permute.default, aten.squeeze.dim, aten.view.default,
)  # fmt: skip


@dataclass
class _Chain:
    """A layer and the nodes after it that one step can compute with it."""

    layer: Layer
    last: Node
    settled: frozenset[Node]
    statistics: tuple[Any, ...] = ()
    epilogue: Callable[..., Any] | None = None
    residual: Node | None = None
    activation: str | None = None
    weights: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._normalise()
        self._scale()
        self._add()
        self._activate()
        self.weights = (_source(self.layer.w, last=True), self.layer.bias, *self.statistics)

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
            _, *statistics, _, epsilon = norm.args
            self.statistics, self.last = tuple(statistics), result
            self.epilogue = partial(normalised, epsilon)

    def _scale(self) -> None:
        product = self._follower()
        if self.statistics or product is None or product.target is not aten.mul.Tensor:
            return
        others = [a for a in product.args if a is not self.last]
        if len(others) == 1 and isinstance(others[0], Node) and _is_factor(others[0], self.last):
            factor = _source(others[0])
            if factor in self.settled:  # else the kernel could not stay prepared
                self.statistics, self.last, self.epilogue = (factor,), product, scaled

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
            _replace(graph, _Chain(layer, node, settled))
    graph.graph.eliminate_dead_code()


def _replace(graph: GraphModule, chain: _Chain) -> None:
    layer = chain.layer
    packs = all(w is None or w in chain.settled for w in chain.weights)
    options = layer.options | {"activation": chain.activation}
    name = f"multiconv_{chain.last.name}"
    graph.add_submodule(name, Step(layer.transposed, options, packs, chain.epilogue))
    with graph.graph.inserting_before(chain.last):
        step = graph.graph.call_module(name, (chain.residual, layer.x, *chain.weights))
    step.meta = dict(chain.last.meta)
    chain.last.replace_all_uses_with(step)
    graph.graph.erase_node(chain.last)


def _is_factor(one: Node, result: Node) -> bool:
    """Whether it is one number for each channel of a result."""
    a, b = one.meta.get("val"), result.meta.get("val")
    if not isinstance(a, torch.Tensor) or not isinstance(b, torch.Tensor):
        return False
    sizes = (b.shape[1], *[1] * (b.ndim - 2))
    return a.shape in (sizes, (1, *sizes)) and a.dtype == b.dtype and a.device == b.device


def _source(node: Node, *, last: bool = False) -> Node:
    """What a node is with axes of size one added, anywhere or behind its own."""
    while node.target is aten.unsqueeze.default:
        source, axis = node.args
        if last and axis not in (-1, source.meta["val"].ndim):
            break
        node = source
    return node


def _alike(one: Node, other: Node) -> bool:
    a, b = one.meta.get("val"), other.meta.get("val")
    tensors = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    return tensors and a.shape == b.shape and a.dtype == b.dtype and a.device == b.device
