"""One registered operator with its derivative and its batching, under every transform of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

Rule = Callable[..., Any]


def differentiable(
    op: Any, setup: Rule, backward: Rule, batching: Callable[[Rule], Rule]
) -> Callable[..., Tensor]:
    """Give an operator its rules.

    Parameters
    ----------
    op : torch.library.CustomOpDef
        The operator.
    setup, backward
        As `torch.library.register_autograd` takes them.
    batching
        Makes, from what runs the operator, a rule as `torch.library.register_vmap` takes it.

    Returns
    -------
    callable
        Runs the operator, also inside ``torch.func``'s transforms, which take derivatives from
        an autograd function only.
    """

    def run(*inputs: Any) -> Tensor:
        transformed = (
            not torch.compiler.is_compiling()
            and torch._C._functorch.maybe_current_level() is not None
        )
        result: Tensor = function.apply(*inputs) if transformed else op(*inputs)
        return result

    vmap = batching(run)
    op.register_autograd(backward, setup_context=setup)
    op.register_vmap(vmap)
    rules = {"forward": op, "setup_context": setup, "backward": backward, "vmap": vmap}
    methods: Any = {name: staticmethod(rule) for name, rule in rules.items()}
    function: Any = type(op._name, (Function,), methods)
    return run
