"""Pooling in a graph."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.fx import GraphModule, Node

from multiconv.torch import _pooling_operators as operators
from multiconv.torch._compile._layers import DTYPES

aten = torch.ops.aten
_MAX = {aten.max_pool2d_with_indices.default: 2, aten.max_pool3d_with_indices.default: 3}
_AVG = {aten.avg_pool2d.default: 2, aten.avg_pool3d.default: 3}


def replace_pooling(graph: GraphModule) -> None:
    """Let this engine pool, where nobody asks for the places of the largest elements."""
    for node in list(graph.graph.nodes):
        if node.op != "call_function" or not isinstance(node.args[0] if node.args else None, Node):
            continue
        value = node.args[0].meta.get("val")
        if not isinstance(value, torch.Tensor) or value.dtype not in DTYPES:
            continue
        if value.device.type != "cpu" or value.ndim != _rank(node) + 2:
            continue
        if node.target in _MAX and all(_takes_values(user) for user in node.users):
            for user in list(node.users):
                _put(graph, user, operators.run_max_pool, _max_windows(node))
        elif node.target in _AVG and len(node.args) < 7:
            _put(graph, node, operators.run_avg_pool, _avg_windows(node))


def _rank(node: Node) -> int:
    return _MAX.get(node.target, _AVG.get(node.target, 0))


def _takes_values(user: Node) -> bool:
    return user.target is operator.getitem and user.args[1] == 0


def _put(graph: GraphModule, node: Node, function: Any, args: tuple[Any, ...]) -> None:
    with graph.graph.inserting_before(node):
        pooled = graph.graph.call_function(function, args)
    pooled.meta = dict(node.meta)
    node.replace_all_uses_with(pooled)
    graph.graph.erase_node(node)


def _max_windows(node: Node) -> tuple[Any, ...]:
    x, size, stride, padding, dilation, ceil_mode = _filled(node, [[], 0, 1, False])
    spread = [_spread(v, _rank(node)) for v in (size, stride or size, padding, dilation)]
    return (x, *spread, ceil_mode)


def _avg_windows(node: Node) -> tuple[Any, ...]:
    x, size, stride, padding, ceil_mode, counted = _filled(node, [[], 0, False, True])
    spread = [_spread(v, _rank(node)) for v in (size, stride or size, padding)]
    return (x, *spread, ceil_mode, counted)


def _filled(node: Node, defaults: list[Any]) -> tuple[Any, ...]:
    given = node.args[2:]
    return (*node.args, *defaults[len(given) :])


def _spread(value: Any, rank: int) -> list[int]:
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return values * rank if len(values) == 1 else values
