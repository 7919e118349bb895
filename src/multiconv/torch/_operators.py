"""The operators as torch knows them: registered, with shapes, derivatives and batching.

A layer is bilinear, and so are its two adjoints; each one's derivatives are the others, which gives
derivatives of any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor

import multiconv
from multiconv import _geometry as geometry
from multiconv._memory import empty
from multiconv.torch import _views as views
from multiconv.torch._differentiable import differentiable, operator
from multiconv.torch._run import run_layer
from multiconv.torch._threads import threads

Ints = Sequence[int]


@lru_cache(maxsize=1024)
def _kept(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """The same object for equal numbers: by it the engine knows a call again at once."""
    return numbers


@lru_cache(maxsize=1024)
def _kept_pairs(flat: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return _pairs(flat)


def _pairs(flat: Ints) -> tuple[tuple[int, int], ...]:
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def conv_options(
    stride: Ints, padding: Ints, dilation: Ints, padding_mode: str, groups: int
) -> dict[str, Any]:
    """A layer's numbers in `multiconv.conv`'s words."""
    return {
        "stride": _kept(tuple(stride)),
        "padding": _kept_pairs(tuple(padding)),
        "dilation": _kept(tuple(dilation)),
        "padding_mode": padding_mode,
        "groups": groups,
    }


def conv_transpose_options(
    stride: Ints, padding: Ints, output_padding: Ints, dilation: Ints, groups: int
) -> dict[str, Any]:
    """A transposed layer's numbers in `multiconv.conv_transpose`'s words."""
    return {
        "stride": _kept(tuple(stride)),
        "padding": _kept_pairs(tuple(padding)),
        "output_padding": _kept(tuple(output_padding)),
        "dilation": _kept(tuple(dilation)),
        "groups": groups,
    }


def _run_conv(
    x: Tensor, w: Tensor, bias: Tensor | None, stride: Ints, padding: Ints, dilation: Ints,
    padding_mode: str, groups: int,
) -> Tensor:  # fmt: skip
    """A layer; ``padding`` is low and high of each axis in turn."""
    options = conv_options(stride, padding, dilation, padding_mode, groups)
    return run_layer(multiconv.conv, x, w, bias, **options)


def _run_conv_transpose(
    x: Tensor, w: Tensor, bias: Tensor | None, stride: Ints, padding: Ints,
    output_padding: Ints, dilation: Ints, groups: int,
) -> Tensor:  # fmt: skip
    """The transpose of a layer."""
    options = conv_transpose_options(stride, padding, output_padding, dilation, groups)
    return run_layer(multiconv.conv_transpose, x, w, bias, **options)


def _run_conv_input_grad(
    grad: Tensor, w: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
    padding_mode: str, groups: int,
) -> Tensor:  # fmt: skip
    """The adjoint of a layer in its input, whose spatial sizes are ``size``."""
    last = views.is_last(grad)
    sizes = (grad.shape[0], w.shape[1] * groups, *size)
    with threads():
        x = multiconv.conv_input_grad(
            views.data(grad, last), views.kernel(w, last), views.shape(sizes, last),
            data_format=views.FORMATS[last],
            **conv_options(stride, padding, dilation, padding_mode, groups),
        )  # fmt: skip
    return views.result(x, grad, last)


def _run_conv_weight_grad(
    x: Tensor, grad: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
    padding_mode: str, groups: int,
) -> Tensor:  # fmt: skip
    """The adjoint of a layer in its kernel, whose spatial sizes are ``size``; laid out as ``x``."""
    last = views.is_last(x)
    data = views.data(x, last)
    w = empty(views.shape((grad.shape[1], x.shape[1] // groups, *size), last), data.dtype)
    out = w.transpose(*range(1, w.ndim), 0) if last else w
    with threads():
        multiconv.conv_weight_grad(
            data, views.data(grad, last), out.shape, data_format=views.FORMATS[last], out=out,
            **conv_options(stride, padding, dilation, padding_mode, groups),
        )  # fmt: skip
    return views.result(w, x, last)


_conv = operator("conv", _run_conv)
_conv_transpose = operator("conv_transpose", _run_conv_transpose)
_conv_input_grad = operator("conv_input_grad", _run_conv_input_grad)
_conv_weight_grad = operator("conv_weight_grad", _run_conv_weight_grad)


@_conv.register_fake
def _(
    x: Tensor, w: Tensor, bias: Tensor | None, stride: Ints, padding: Ints, dilation: Ints,
    padding_mode: str, groups: int,
) -> Tensor:  # fmt: skip
    size = [
        geometry.output_length(n, geometry.window(k, d), s, *pair)
        for n, k, s, d, pair in zip(
            x.shape[2:], w.shape[2:], stride, dilation, _pairs(padding), strict=True
        )
    ]
    return views.new_empty(x, (x.shape[0], w.shape[0], *size), views.is_last(x))


@_conv_transpose.register_fake
def _(
    x: Tensor, w: Tensor, bias: Tensor | None, stride: Ints, padding: Ints, output_padding: Ints,
    dilation: Ints, groups: int,
) -> Tensor:  # fmt: skip
    size = [
        geometry.dilated(n, s) + geometry.window(k, d) - 1 - sum(pair) + extra
        for n, k, s, d, pair, extra in zip(
            x.shape[2:], w.shape[2:], stride, dilation, _pairs(padding), output_padding,
            strict=True,
        )
    ]  # fmt: skip
    return views.new_empty(x, (x.shape[0], w.shape[1] * groups, *size), views.is_last(x))


@_conv_input_grad.register_fake
def _(grad: Tensor, w: Tensor, size: Ints, *layer: Any) -> Tensor:
    sizes = (grad.shape[0], w.shape[1] * layer[-1], *size)
    return views.new_empty(grad, sizes, views.is_last(grad))


@_conv_weight_grad.register_fake
def _(x: Tensor, grad: Tensor, size: Ints, *layer: Any) -> Tensor:
    sizes = (grad.shape[1], x.shape[1] // layer[-1], *size)
    return views.new_empty(x, sizes, views.is_last(x))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    first, second, *ctx.rest = inputs
    ctx.save_for_backward(first, second)
    ctx.save_for_forward(first, second)


def per_channel(grad: Tensor) -> Tensor:
    """Gradient of a layer in its bias."""
    return grad.sum((0, *range(2, grad.ndim)))


def conv_gradients(
    grad: Tensor, x: Tensor, w: Tensor, layer: Sequence[Any], needs_x: bool, needs_w: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of a layer in its input and its kernel."""
    return (
        conv_input_grad(grad, w, x.shape[2:], *layer) if needs_x else None,
        conv_weight_grad(x, grad, w.shape[2:], *layer) if needs_w else None,
    )


def conv_transpose_gradients(
    grad: Tensor, x: Tensor, w: Tensor, layer: Sequence[Any], needs_x: bool, needs_w: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of a transposed layer in its input and its kernel."""
    stride, padding, output_padding, dilation, groups = layer
    # What was added at the high ends saw no input: the layer behind does not see it either.
    seen = [n for (low, high), e in zip(_pairs(padding), output_padding, strict=True)
            for n in (low, high - e)]  # fmt: skip
    forward = (stride, seen, dilation, "zeros", groups)
    return (
        conv(grad, w.conj(), None, *forward) if needs_x else None,
        conv_weight_grad(grad, x, w.shape[2:], *forward).conj() if needs_w else None,
    )


def _conv_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    return _layer_backward(conv_gradients, ctx, grad)


def _conv_transpose_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    return _layer_backward(conv_transpose_gradients, ctx, grad)


def _layer_backward(gradients: Callable[..., Any], ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    _, *layer = ctx.rest
    needs_x, needs_w, needs_bias, *_ = ctx.needs_input_grad
    in_x, in_w = gradients(grad, *ctx.saved_tensors, layer, needs_x, needs_w)
    return in_x, in_w, per_channel(grad) if needs_bias else None, *(None for _ in layer)


def _input_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    y, w = ctx.saved_tensors
    _, *layer = ctx.rest
    needs_y, needs_w, *_ = ctx.needs_input_grad
    return (
        conv(grad, w, None, *layer) if needs_y else None,
        conv_weight_grad(grad, y, w.shape[2:], *layer) if needs_w else None,
        *(None for _ in ctx.rest),
    )


def _weight_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    x, y = ctx.saved_tensors
    _, *layer = ctx.rest
    needs_x, needs_y, *_ = ctx.needs_input_grad
    return (
        conv_input_grad(y, grad, x.shape[2:], *layer) if needs_x else None,
        conv(x, grad, None, *layer) if needs_y else None,
        *(None for _ in ctx.rest),
    )


def _bilinear(run: Callable[..., Tensor], has_bias: bool = True) -> Callable[..., Tensor]:
    """The slope along both tensors: with the one moved, and with the other."""

    def jvp(ctx: Any, kept: list[Tensor], first_t: Any, second_t: Any, *rest_t: Any) -> Tensor:
        first, second = kept
        bias, layer = rest_t[:has_bias], ctx.rest[has_bias:]
        moved = torch.zeros_like(first) if first_t is None else first_t
        slope = run(moved, second, *bias, *layer)
        if second_t is None:
            return slope
        return slope + run(first, second_t, *(None for _ in bias), *layer)

    return jvp


def _folded(tensor: Any, at: int | None, count: int, axis: int) -> Any:
    """The batch's axis merged into another, the same tensor for all where it has none."""
    if tensor is None:
        return None
    tensor = tensor.expand(count, *tensor.shape) if at is None else tensor.movedim(at, 0)
    return tensor.movedim(0, axis).flatten(axis, axis + 1)


def _layers(run: Callable[..., Tensor], has_bias: bool = True) -> Callable[..., Any]:
    """Samples that share a kernel are a longer batch, those with their own kernels are groups."""

    def vmap(info: Any, in_dims: Sequence[Any], x: Tensor, w: Tensor, *rest: Any) -> Any:
        count, (x_at, w_at, *others) = info.batch_size, in_dims
        bias = rest[:has_bias]
        if w_at is None and not any(at is not None for at in others[:has_bias]):
            return run(_folded(x, x_at, count, 0), w, *rest).unflatten(0, (count, -1)), 0
        biases = [_folded(b, at, count, 0) for b, at in zip(bias, others, strict=False)]
        *layer, groups = rest[has_bias:]
        x, w = _folded(x, x_at, count, 1), _folded(w, w_at, count, 0)
        y = run(x, w, *biases, *layer, count * groups)
        return y.unflatten(1, (count, -1)), 1

    return vmap


def _kernels(run: Callable[..., Tensor]) -> Callable[..., Any]:
    """Kernels of their own are groups."""

    def vmap(info: Any, in_dims: Sequence[Any], x: Tensor, grad: Tensor, *rest: Any) -> Any:
        count, (x_at, grad_at, *_), (*layer, groups) = info.batch_size, in_dims, rest
        x, grad = _folded(x, x_at, count, 1), _folded(grad, grad_at, count, 1)
        return run(x, grad, *layer, count * groups).unflatten(0, (count, -1)), 0

    return vmap


_unbiased = partial(_bilinear, has_bias=False), partial(_layers, has_bias=False)

conv = differentiable(_conv, _run_conv, _setup, _conv_backward, _bilinear, _layers)
conv_transpose = differentiable(
    _conv_transpose, _run_conv_transpose, _setup, _conv_transpose_backward, _bilinear, _layers
)
conv_input_grad = differentiable(
    _conv_input_grad, _run_conv_input_grad, _setup, _input_grad_backward, *_unbiased
)
conv_weight_grad = differentiable(
    _conv_weight_grad, _run_conv_weight_grad, _setup, _weight_grad_backward, _unbiased[0], _kernels
)
