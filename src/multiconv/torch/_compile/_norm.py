"""Layer norm over the channels of each position, where layers stand around it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node
from torch.nn import functional

from multiconv import ShapeDtype
from multiconv._machine import machine
from multiconv._typing import Array
from multiconv.algorithms._base import NO_EPILOGUE, Epilogue
from multiconv.torch._compile._layers import DTYPES
from multiconv.torch._compile._permutations import to_first, to_last

aten = torch.ops.aten

TRIPS = {True: 4, False: 10}
"""Trips through memory that a norm takes, where channels lie innermost and where they do not."""


class Norm(nn.Module):
    """Torch's layer norm over the second axis, whose results have channels innermost.

    Parameters
    ----------
    epsilon : float
        Added to the variance.
    """

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.wants_last = False
        self.options: dict[str, Any] = {}
        self.packed = KeptNorm(epsilon)

    def forward(self, residual: None, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Run it."""
        return _over_last(x.movedim(1, -1), weight, bias, self.packed.epsilon).movedim(-1, 1)

    def seconds(self, last: bool, residual: None, x: Tensor, *weights: Tensor) -> float:
        """Predicted time for data in one format or the other."""
        return TRIPS[last] * x.numel() * x.element_size() / machine().bandwidth


class KeptNorm:
    """What `Packed` is for a layer; there is nothing to prepare."""

    def __init__(self, epsilon: float) -> None:
        self.epsilon = epsilon

    def plan(
        self, x: ShapeDtype, last: bool, weight: Tensor, bias: Tensor, residual: None = None,
        **options: Any,
    ) -> NormPlan:  # fmt: skip
        """The norm of data of a shape and dtype, in the engine's format."""
        return NormPlan(x.shape, x.dtype, last, weight, bias, self.epsilon)

    forecast = plan


@dataclass(frozen=True)
class NormPlan:
    """A norm as a part of a program, like a layer's `Plan`."""

    out_shape: tuple[int, ...]
    out_dtype: Any
    last: bool
    weight: Tensor
    bias: Tensor
    epsilon: float
    epilogue: Epilogue = NO_EPILOGUE

    def run(self, x: Array, w: None, epilogue: Epilogue, out: Array) -> None:
        """Run it once."""
        self.bind(x, out)()

    def bind(self, x: Array, out: Array, residual: Array | None = None) -> Callable[[], object]:
        """A call for these arrays."""
        source, target = (torch.from_numpy(a) for a in (x, out))
        if not self.last:
            source, target = source.movedim(1, -1), target.movedim(1, -1)
        weight, bias = self.weight.detach(), self.bias.detach()

        def run() -> None:
            target.copy_(_over_last(source, weight, bias, self.epsilon))

        return run


def _over_last(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], weight, bias, epsilon)


def replace_norms(graph: GraphModule, settled: frozenset[Node]) -> None:
    """Put a `Norm` in the place of every layer norm over channels whose weights are settled."""
    for number, node in enumerate(list(graph.graph.nodes)):
        result = _result(node)
        if result is not None and settled.issuperset(node.args[2:4]):
            _replace(graph, node, result, f"multiconv_norm_{number}")
    graph.graph.eliminate_dead_code()


def _result(node: Node) -> Node | None:
    """What a norm over the channels of several positions gives, if nobody asks for more."""
    if node.target is not aten.native_layer_norm.default or len(node.users) != 1:
        return None
    x, sizes, weight, bias, _ = node.args
    value = x.meta["val"]
    (result,) = node.users
    plain = value.device.type == "cpu" and value.dtype in DTYPES and None not in (weight, bias)
    one = plain and 3 <= value.ndim <= 5 and len(sizes) == 1
    alike = one and weight.meta["val"].dtype == value.dtype
    return result if alike and result.target is operator.getitem and result.args[1] == 0 else None


def _replace(graph: GraphModule, node: Node, result: Node, name: str) -> None:
    x, _, weight, bias, epsilon = node.args
    graph.add_submodule(name, Norm(epsilon))
    with graph.graph.inserting_before(result):
        norm = graph.graph.call_module(name, (None, to_first(graph, x), weight, bias))
        norm.meta["val"] = result.meta["val"].movedim(-1, 1)
        last = to_last(graph, norm)
    result.replace_all_uses_with(last)
    graph.graph.erase_node(result)
