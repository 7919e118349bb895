"""What a fused layer does when the graph runs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

import multiconv
from multiconv.torch import _views as views
from multiconv.torch._packed import Packed
from multiconv.torch._run import run_layer


def normalised(
    epsilon: float, bias: Tensor | None, gamma: Tensor | None, beta: Tensor | None,
    mean: Tensor, variance: Tensor,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Bias and scale of a layer whose sums are normalised with kept statistics."""
    scale = torch.rsqrt(variance.double() + epsilon)
    if gamma is not None:
        scale = scale * gamma
    result = (-mean if bias is None else bias - mean) * scale
    if beta is not None:
        result = result + beta
    return result.to(mean.dtype), scale.to(mean.dtype)


def scaled(bias: Tensor | None, factor: Tensor) -> tuple[Tensor | None, Tensor]:
    """Bias and scale of a layer whose result is multiplied, channel by channel."""
    factor = factor.reshape(-1)
    return (None if bias is None else bias * factor), factor


class Step(nn.Module):
    """A layer with its epilogue.

    Parameters
    ----------
    transposed : bool
        Whether it is a transposed layer.
    options : dict
        In the words of `multiconv.conv` or `multiconv.conv_transpose`, the activation among them.
    packs : bool
        Whether the kernel stays between calls.
    epilogue : callable, optional
        Bias and scale from the tensors that follow the kernel; otherwise the one is the bias.
    """

    def __init__(
        self, transposed: bool, options: dict[str, Any], packs: bool, epilogue: Any = None
    ) -> None:
        super().__init__()
        self.function = multiconv.conv_transpose if transposed else multiconv.conv
        self.options = options
        self.epilogue = epilogue
        self.wants_last = False
        self.packed = Packed(self.function, epilogue) if packs else None

    def forward(
        self, residual: Tensor | None, x: Tensor, w: Tensor, *more: Tensor | None
    ) -> Tensor:
        """Run it; ``more`` is what bias and scale are made from."""
        if self.wants_last and not views.is_last(x):
            x = x.movedim(1, -1).contiguous().movedim(-1, 1)
        if self.packed is not None:
            return self.packed(x, w, *more, residual=residual, **self.options)
        bias, scale = self.epilogue(*more) if self.epilogue else (*more, None)
        return run_layer(self.function, x, w, bias, scale=scale, residual=residual, **self.options)

    def seconds(
        self, last: bool, residual: Tensor | None, x: Tensor, w: Tensor, *more: Tensor | None
    ) -> float:
        """Predicted time of the layer alone for data in one format or the other."""
        last = last or views.is_last(x)
        sizes = (*w.shape, *[1] * (x.ndim - w.ndim))
        kernel = (*sizes[2:], sizes[1], sizes[0]) if last else sizes
        options = dict(self.options)
        if residual is not None:
            options["residual"] = views.outline(residual, last)
        plan = multiconv.plan(
            self.function, views.outline(x, last),
            multiconv.ShapeDtype(kernel, views.dtype_name(w)),
            data_format=views.FORMATS[last], **options,
        )  # fmt: skip
        return plan.kept.cost.seconds
