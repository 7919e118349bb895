"""Linear layers over many positions: convolutions with a kernel of one tap."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.fx import GraphModule, Node

from multiconv.torch._compile._layers import DTYPES
from multiconv.torch._compile._permutations import added, to_first, to_last

aten = torch.ops.aten

FEWEST_POSITIONS = 8
"""Below, what takes the time is to call and to read the weights, which would lie there twice."""

MOST_AXES = 3
"""Of positions beside the samples, where they stay axes of their own."""

_TRANSPOSES = {aten.t.default: None, aten.permute.default: [1, 0], aten.transpose.int: (0, 1)}
_VIEWS = (aten.view.default, aten._unsafe_view.default)


@dataclass(frozen=True)
class _Linear:
    """A product of rows (positions, channels) and a transposed weight (outputs, inputs)."""

    rows: Node
    weight: Node
    bias: Node | None


def replace_linear(graph: GraphModule, fewest: int) -> None:
    """Write products of rows and a transposed weight as layers, which `fuse_layers` then finds.

    Channels lie innermost: nothing is copied. Fewer rows than ``fewest`` are left to torch.
    """
    for node in list(graph.graph.nodes):
        linear = _linear_of(node, fewest)
        if linear is not None:
            _replace(graph, node, linear)
    graph.graph.eliminate_dead_code()


def _linear_of(node: Node, fewest: int) -> _Linear | None:
    """The linear layer that a node is, if it is one for this engine."""
    if node.target is aten.addmm.default and not node.kwargs:
        bias, rows, weight = node.args
    elif node.target is aten.mm.default:
        bias, (rows, weight) = None, node.args
    else:
        return None
    weight = _transposed(weight)
    if bias is not None and bias.meta["val"].ndim != 1:
        return None
    if weight is None or not _is_ours(rows, fewest):
        return None
    return _Linear(rows, weight, bias)


def _transposed(node: Node) -> Node | None:
    """What a node is the transpose of."""
    if node.target not in _TRANSPOSES:
        return None
    source, *axes = node.args
    wanted = _TRANSPOSES[node.target]
    given = axes[0] if len(axes) == 1 else tuple(axes) or None
    return source if given == wanted and source.meta["val"].is_contiguous() else None


def _is_ours(rows: Node, fewest: int) -> bool:
    value = rows.meta["val"]
    positions = value.shape[0]
    many = not isinstance(positions, int) or positions >= fewest
    return many and value.device.type == "cpu" and value.dtype in DTYPES


def _replace(graph: GraphModule, node: Node, linear: _Linear) -> None:
    viewed = _positions(node, linear.rows)
    pooled = _pooled(linear.rows)
    with graph.graph.inserting_before(node):
        if pooled is not None:
            x = pooled
        elif viewed is not None:
            x = to_first(graph, linear.rows.args[0])
        else:  # one sample
            x = to_first(graph, added(graph, aten.unsqueeze.default, linear.rows, 0))
        rank = x.meta["val"].ndim - 2
        w = linear.weight
        for _ in range(rank):
            w = added(graph, aten.unsqueeze.default, w, -1)
        y = added(graph, aten.convolution.default, x, w, linear.bias,
                  [1] * rank, [0] * rank, [1] * rank, False, [0] * rank, 1)  # fmt: skip
        if pooled is not None:
            result = added(graph, aten.view.default, y, list(node.meta["val"].shape))
        elif viewed is not None:
            result = to_last(graph, y)
        else:
            result = added(graph, aten.squeeze.dim, to_last(graph, y), 0)
    (viewed or node).replace_all_uses_with(result)


def _pooled(rows: Node) -> Node | None:
    """What rows are a view of, if that has axes of single positions behind its channels."""
    if rows.target not in _VIEWS:
        return None
    source = rows.args[0]
    sizes = tuple(source.meta["val"].shape)
    ones = sizes[2:]
    single = sizes[:2] == tuple(rows.meta["val"].shape) and 1 <= len(ones) <= MOST_AXES
    return source if single and all(n == 1 for n in ones) else None


def _positions(node: Node, rows: Node) -> Node | None:
    """The view of a product whose rows are those of an array of more axes; it has them, too."""
    if rows.target not in _VIEWS or len(node.users) != 1:
        return None
    (view,) = node.users
    source = rows.args[0].meta["val"]
    if view.target not in _VIEWS or not 3 <= source.ndim <= MOST_AXES + 2:
        return None
    sizes = (*source.shape, *view.meta["val"].shape)
    if not source.is_contiguous() or not all(isinstance(n, int) for n in sizes):
        return None
    same = source.shape[:-1] == view.meta["val"].shape[:-1]
    whole = rows.meta["val"].shape == (math.prod(source.shape[:-1]), source.shape[-1])
    return view if same and whole else None
