"""One registered operator with its derivative and its batching, under every transform of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import TransformType
from torch._functorch.pyfunctorch import retrieve_current_functorch_interpreter
from torch.autograd import Function, forward_ad

from multiconv.torch._plain import is_eager, records

Rule = Callable[..., Any]


def operator(name: str, compute: Rule) -> Any:
    """Register a function of tensors and numbers, whose types tell the operator's schema."""
    return torch.library.custom_op(
        f"multiconv::{name}", compute, mutates_args=(), device_types="cpu"
    )


def differentiable(
    op: Any, compute: Rule, setup: Rule, backward: Rule, pushing: Callable[[Rule], Rule],
    batching: Callable[[Rule], Rule],
) -> Callable[..., Tensor]:  # fmt: skip
    """Give an operator its rules.

    Parameters
    ----------
    op : torch.library.CustomOpDef
        The operator.
    compute : callable
        What it computes, past the dispatcher.
    setup, backward
        As `torch.library.register_autograd` takes them.
    pushing
        Makes, from what runs the operator, a rule as `torch.autograd.Function.jvp` is, which is
        given the saved tensors too.
    batching
        Makes, likewise, a rule as `torch.library.register_vmap` takes it.

    Returns
    -------
    callable
        Runs the operator, also inside ``torch.func``'s transforms, which take derivatives from
        an autograd function only. Past the dispatcher where nobody would see it there.
    """

    def run(*inputs: Any) -> Tensor:
        tensors = [t for t in inputs if isinstance(t, Tensor)]
        if is_eager(*tensors):
            chosen: Rule = eager.apply if records(*tensors) else compute
            return chosen(*inputs)
        result: Tensor = recorded.apply(*inputs) if _derives() else op(*inputs)
        return result

    vmap = batching(run)
    op.register_autograd(backward, setup_context=setup)
    op.register_vmap(vmap)
    push = pushing(run)

    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        # torch switches this off here, and so would lose the tangents of tangents.
        with forward_ad._set_fwd_grad_enabled(True):
            kept = [forward_ad.unpack_dual(tensor).primal for tensor in ctx.saved_tensors]
            result: Tensor = push(ctx, kept, *tangents)
            return result

    def forward(ctx: Any, *inputs: Any) -> Tensor:
        output: Tensor = compute(*inputs)
        setup(ctx, inputs, output)
        return output

    rules = {
        "forward": op, "setup_context": setup, "backward": backward, "jvp": jvp, "vmap": vmap,
    }  # fmt: skip
    recorded: Any = _function(op, **rules)
    eager: Any = _function(op, forward=forward, backward=backward)
    return run


def _derives() -> bool:
    """Whether a transform takes derivatives here, which needs an autograd function."""
    if not torch.compiler.is_compiling():
        return (
            torch._C._functorch.maybe_current_level() is not None or forward_ad._current_level >= 0
        )
    # What torch.compile can tell. It leaves the graph for an autograd function that batches.
    if torch._C._functorch.get_dynamic_layer_stack_depth() == 0:
        return False
    return bool(retrieve_current_functorch_interpreter().key() != TransformType.Vmap)


def _function(op: Any, **rules: Rule) -> type[Function]:
    methods: Any = {name: staticmethod(rule) for name, rule in rules.items()}
    return type(f"multiconv::{op._name}", (Function,), methods)
