"""Networks as they are now, for inference alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram, default_decompositions, export
from torch.export.graph_signature import InputKind, OutputKind
from torch.utils import _pytree as pytree

from multiconv.torch._compile._inference import finished, plan_inference
from multiconv.torch._compile._sequences import hold_sequences

_WEIGHTS = (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR)


def freeze(model: nn.Module, *inputs: Tensor) -> Frozen:
    """Take a network for inference, with its weights as they are now.

    `torch.compile` asks at every call whether the model, its weights and the inputs' shapes are
    what they were, which takes small networks a third of their time. A frozen network asks for the
    inputs' shapes alone. Kernels are prepared now, of linear layers too, and other weights copied;
    whatever becomes of the model afterwards, the frozen network stays as it is.

    Parameters
    ----------
    model : Module
        In evaluation mode. `torch.export` has to be able to trace it.
    *inputs : Tensor
        What it is called with: of these shapes and dtypes it takes other values later.

    Returns
    -------
    Frozen
        A module that is called as the model is and returns what it returns, without gradients.

    Raises
    ------
    TypeError
        If ``model`` is no module, or an input no tensor.
    ValueError
        If ``model`` is in training mode, or changes its buffers or inputs as it runs.

    Examples
    --------
    >>> import torch
    >>> import multiconv.torch
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()).eval()
    >>> x = torch.rand(1, 3, 8, 9)
    >>> frozen = multiconv.torch.freeze(model, x)
    >>> tuple(frozen(x).shape)
    (1, 4, 6, 7)
    """
    _check(model, inputs)
    dense = tuple(x.detach().clone() for x in inputs)
    with torch.no_grad():
        exported = _exported(model, dense)
        weights = _weights(exported)
        graph = exported.graph_module
        places = [node for node in graph.graph.nodes if node.op == "placeholder"]
        settled = frozenset(n for n, w in zip(places, weights, strict=True) if w is not None)
        plan_inference(graph, settled, frozen=True)(_filled(weights, dense))
        hold_sequences(graph)
        left = list(graph.graph.find_nodes(op="placeholder"))
        read = {n: w for n, w in zip(places, weights, strict=True) if n in left}
        kept = [None if w is None else w.clone() for w in map(read.get, left)]
    names = exported.graph_signature.user_inputs
    kinds = [_Kind.of(str(n), x) for n, x in zip(names, dense, strict=True)]
    given = [n for n, w in zip(places, weights, strict=True) if w is None]
    slots = [left.index(n) if n in left else None for n in given]
    return Frozen(finished(graph), kept, slots, kinds, exported.call_spec.out_spec)


class Frozen(nn.Module):
    """A network as it was, for inputs of one shape each; `freeze` makes it.

    It has no parameters: their numbers are in it.
    """

    def __init__(
        self, run: Callable[..., Any], kept: list[Tensor | None], slots: list[int | None],
        kinds: list[_Kind], results: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self._run, self._kept, self._slots = run, kept, slots
        self._kinds, self._results = kinds, results
        self.eval()

    def forward(self, *inputs: Tensor) -> Any:
        """What the network returns."""
        if len(inputs) != len(self._kinds):
            raise TypeError(
                f"inputs: {len(inputs)} were given, this network was frozen for {len(self._kinds)}"
            )
        values = list(self._kept)
        with torch.no_grad():
            for slot, kind, x in zip(self._slots, self._kinds, inputs, strict=True):
                given = kind.laid_out(x)
                if slot is not None:  # else nobody reads it
                    values[slot] = given
            return pytree.tree_unflatten(self._run(values), self._results)

    def extra_repr(self) -> str:
        """The inputs, for `print`."""
        return ", ".join(f"{kind.name}: {kind}" for kind in self._kinds)


@dataclass(frozen=True)
class _Kind:
    """What an input has to be, and how it is to lie."""

    name: str
    shape: torch.Size
    stride: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, name: str, x: Tensor) -> _Kind:
        return cls(name, x.shape, x.stride(), x.dtype, x.device)

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')} {tuple(self.shape)} on {self.device}"

    def laid_out(self, x: Tensor) -> Tensor:
        """An input, copied where it lies otherwise."""
        if not isinstance(x, Tensor):
            raise TypeError(f"{self.name}: a {type(x).__name__} is no tensor")
        if (x.shape, x.dtype, x.device) != (self.shape, self.dtype, self.device):
            given = _Kind.of(self.name, x)
            raise ValueError(f"{self.name}: {given} was given, this network was frozen for {self}")
        if x.stride() == self.stride:
            return x
        return torch.empty_strided(
            self.shape, self.stride, dtype=self.dtype, device=self.device
        ).copy_(x)


def _check(model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: a {type(model).__name__} is no torch.nn.Module")
    trained = [name or "model" for name, part in model.named_modules() if part.training]
    if trained:
        raise ValueError(f"model: {trained[0]} is in training mode, call model.eval() first")
    for number, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise TypeError(f"inputs: number {number} is a {type(x).__name__}, give tensors")


def _exported(model: nn.Module, inputs: tuple[Tensor, ...]) -> ExportedProgram:
    """The network as one graph of the operators that layers are recognised in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch's, about its own parts
        warnings.simplefilter("ignore", DeprecationWarning)
        exported = export(model, inputs).run_decompositions(_decompositions())
    signature = exported.graph_signature
    for spec in signature.input_specs:
        if spec.kind not in (*_WEIGHTS, InputKind.USER_INPUT):
            raise ValueError(f"model: it takes {spec.target}, which cannot be frozen")
    for result in signature.output_specs:
        if result.kind is not OutputKind.USER_OUTPUT:
            raise ValueError(f"model: it changes {result.target} as it runs")
    return exported


def _decompositions() -> dict[Any, Any]:
    """Of operators that are written in others: the others keep their names."""
    written = torch._C.DispatchKey.CompositeImplicitAutograd
    table = default_decompositions()
    return {op: table[op] for op in table if op.has_kernel_for_dispatch_key(written)}


def _weights(exported: ExportedProgram) -> list[Tensor | None]:
    """The model's own tensor at each of the graph's inputs, None where the caller's comes."""
    own = {**exported.constants, **exported.state_dict}
    return [own[spec.target].detach() if spec.kind in _WEIGHTS and spec.target else None
            for spec in exported.graph_signature.input_specs]  # fmt: skip


def _filled(weights: list[Tensor | None], inputs: tuple[Tensor, ...]) -> list[Any]:
    rest = iter(inputs)
    return [next(rest) if w is None else w for w in weights]
