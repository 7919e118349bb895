"""Whether a call wants numbers and nothing else, so that the dispatcher's price can be saved."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter
from torch.utils._python_dispatch import _get_current_dispatch_mode

_KINDS = (Tensor, Parameter)


def is_plain(*tensors: Tensor | None) -> bool:
    """Whether nothing records, traces, batches or intercepts operations on these tensors."""
    return not records(*tensors) and is_eager(*tensors)


def records(*tensors: Tensor | None) -> bool:
    """Whether a gradient is wanted."""
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)


def is_eager(*tensors: Tensor | None) -> bool:
    """Whether nothing but autograd takes notice of operations on these tensors."""
    if torch.compiler.is_compiling():
        return False
    for tensor in tensors:
        if tensor is not None and (
            type(tensor) not in _KINDS or tensor.layout is not torch.strided
        ):
            return False
    return (
        torch._C._functorch.maybe_current_level() is None
        and _get_current_dispatch_mode() is None
        and torch._C._get_tracing_state() is None
        and forward_ad._current_level < 0
    )
