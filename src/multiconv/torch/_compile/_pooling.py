"""Pooling in a graph, where layers stand around it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node

from multiconv import ShapeDtype, _pooling
from multiconv._typing import Array
from multiconv.algorithms._base import NO_EPILOGUE, Epilogue
from multiconv.torch import _pooling_operators as operators
from multiconv.torch import _views as views
from multiconv.torch._compile._layers import DTYPES
from multiconv.torch._compile._permutations import added

aten = torch.ops.aten
_MAX = {aten.max_pool2d_with_indices.default: 2, aten.max_pool3d_with_indices.default: 3}
_AVG = {aten.avg_pool2d.default: 2, aten.avg_pool3d.default: 3}


@dataclass(frozen=True)
class Windows:
    """What is pooled: the largest elements or the means, under these windows."""

    largest: bool
    size: list[int]
    stride: list[int]
    padding: list[int]
    dilation: list[int]
    ceil_mode: bool
    counts_padding: bool = True


class Pool(nn.Module):
    """A pooling layer.

    Parameters
    ----------
    windows : Windows
        Its own.
    """

    def __init__(self, windows: Windows) -> None:
        super().__init__()
        self.wants_last = False
        self.options: dict[str, Any] = {}
        self.packed = KeptPool(windows)

    def forward(self, residual: None, x: Tensor) -> Tensor:
        """Run it."""
        w = self.packed.windows
        if w.largest:
            return operators.run_max_pool(x, w.size, w.stride, w.padding, w.dilation, w.ceil_mode)
        return operators.run_avg_pool(x, w.size, w.stride, w.padding, w.ceil_mode, w.counts_padding)


@dataclass(frozen=True)
class KeptPool:
    """What `Packed` is for a layer; there is nothing to prepare."""

    windows: Windows

    def plan(self, x: ShapeDtype, last: bool, residual: None = None, **options: Any) -> PoolPlan:
        """The pooling of data of a shape and dtype, in the engine's format."""
        w, data_format = self.windows, views.FORMATS[last]
        axes = _pooling.windows(
            x.shape, tuple(w.size), tuple(w.stride), tuple(w.padding), tuple(w.dilation),
            w.ceil_mode, data_format,
        )  # fmt: skip

        def bound(source: Array, target: Array) -> Callable[[], object]:
            if w.largest:
                return _pooling.bound_max_pool(source, axes, target)
            return _pooling.bound_avg_pool(source, axes, target, data_format, w.counts_padding)

        return PoolPlan(_pooling.pooled_shape(x.shape, axes), x.dtype, bound)

    forecast = plan


@dataclass(frozen=True)
class PoolPlan:
    """A pooling layer as a part of a program, like a layer's `Plan`."""

    out_shape: tuple[int, ...]
    out_dtype: Any
    bound: Callable[[Array, Array], Callable[[], object]]
    epilogue: Epilogue = NO_EPILOGUE

    def run(self, x: Array, w: None, epilogue: Epilogue, out: Array) -> None:
        """Run it once."""
        self.bound(x, out)()

    def bind(self, x: Array, out: Array, residual: Array | None = None) -> Callable[[], object]:
        """A call for these arrays."""
        return self.bound(x, out)


def replace_pooling(graph: GraphModule) -> None:
    """Let this engine pool, where nobody asks for the places of the largest elements."""
    for number, node in enumerate(list(graph.graph.nodes)):
        if node.op != "call_function" or not isinstance(node.args[0] if node.args else None, Node):
            continue
        value = node.args[0].meta.get("val")
        if not isinstance(value, torch.Tensor) or value.dtype not in DTYPES:
            continue
        if value.device.type != "cpu":
            continue
        name = f"multiconv_pool_{number}"
        if node.target is aten.mean.dim:
            whole = _is_over_channels(node) and node.args[2:] == (True,)
            if whole and node.args[0].op == "call_module":  # else nothing is gained
                _put(graph, node, node.args[0], name, _mean_windows(value))
        elif value.ndim != _rank(node) + 2:
            continue
        elif node.target in _MAX and all(_takes_values(user) for user in node.users):
            for user in list(node.users):
                _put(graph, user, node.args[0], name, _max_windows(node))
        elif node.target in _AVG and len(node.args) < 7:
            _put(graph, node, node.args[0], name, _avg_windows(node))
    graph.graph.eliminate_dead_code()


def _rank(node: Node) -> int:
    return _MAX.get(node.target, _AVG.get(node.target, 0))


def _takes_values(user: Node) -> bool:
    return user.target is operator.getitem and user.args[1] == 0


def _put(graph: GraphModule, node: Node, x: Node, name: str, windows: Windows) -> None:
    graph.add_submodule(name, Pool(windows))
    with graph.graph.inserting_before(node):
        pooled = graph.graph.call_module(name, (None, x))
    pooled.meta = dict(node.meta)
    node.replace_all_uses_with(pooled)
    graph.graph.erase_node(node)


def keep_means_axes(graph: GraphModule) -> None:
    """Write means over all of a channel with its axes kept, and a view without them."""
    for node in list(graph.graph.find_nodes(op="call_function", target=aten.mean.dim)):
        if _is_over_channels(node) and node.args[2:] != (True,):
            with graph.graph.inserting_before(node):
                kept = added(graph, aten.mean.dim, *node.args[:2], True)
                view = added(graph, aten.view.default, kept, list(node.meta["val"].shape))
            node.replace_all_uses_with(view)
            graph.graph.erase_node(node)


def _is_over_channels(node: Node) -> bool:
    """Whether each channel of a batch of images or volumes gives one number."""
    x, axes, *_ = node.args
    value = x.meta.get("val")
    if not isinstance(value, Tensor) or value.ndim < 4 or node.kwargs or not axes:
        return False
    spatial = sorted(axis % value.ndim for axis in axes) == list(range(2, value.ndim))
    return spatial and all(isinstance(n, int) and n > 0 for n in value.shape)


def _mean_windows(value: Tensor) -> Windows:
    """One window over all of a channel."""
    sizes = list(value.shape[2:])
    ones, zeros = [1] * len(sizes), [0] * len(sizes)
    return Windows(False, sizes, ones, zeros, ones, ceil_mode=False)


def _max_windows(node: Node) -> Windows:
    size, stride, padding, dilation, ceil_mode = _filled(node, [[], 0, 1, False])
    rank = _rank(node)
    return Windows(
        True, _spread(size, rank), _spread(stride or size, rank), _spread(padding, rank),
        _spread(dilation, rank), ceil_mode,
    )  # fmt: skip


def _avg_windows(node: Node) -> Windows:
    size, stride, padding, ceil_mode, counted = _filled(node, [[], 0, False, True])
    rank = _rank(node)
    return Windows(
        False, _spread(size, rank), _spread(stride or size, rank), _spread(padding, rank),
        [1] * rank, ceil_mode, counted,
    )  # fmt: skip


def _filled(node: Node, defaults: list[Any]) -> tuple[Any, ...]:
    """The arguments behind the data."""
    given = node.args[2:]
    return (*node.args[1:], *defaults[len(given) :])


def _spread(value: Any, rank: int) -> list[int]:
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return values * rank if len(values) == 1 else values
