"""Pooling as torch knows it: registered, with shapes, derivatives and batching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

import multiconv
from multiconv import _geometry as geometry
from multiconv.torch import _views as views
from multiconv.torch._differentiable import differentiable, operator
from multiconv.torch._threads import threads

Ints = Sequence[int]


def _options(size: Ints, stride: Ints, padding: Ints, ceil_mode: bool, last: bool) -> Any:
    return {
        "size": tuple(size),
        "stride": tuple(stride),
        "padding": tuple(padding),
        "ceil_mode": ceil_mode,
        "data_format": views.FORMATS[last],
    }


def run_max_pool(
    x: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Tensor:
    """The largest element under each position of a window."""
    last = views.is_last(x)
    options = _options(size, stride, padding, ceil_mode, last)
    with threads():
        y = multiconv.max_pool(views.data(x, last), dilation=tuple(dilation), **options)
    return views.result(y, x, last)


def _run_max_pool_grad(
    grad: Tensor, x: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
    ceil_mode: bool,
) -> Tensor:  # fmt: skip
    """The gradient of `max_pool` in its input."""
    last = views.is_last(x)
    options = _options(size, stride, padding, ceil_mode, last)
    with threads():
        result = multiconv.max_pool_grad(
            views.data(grad, last), views.data(x, last), dilation=tuple(dilation), **options
        )
    return views.result(result, x, last)


def run_avg_pool(
    x: Tensor, size: Ints, stride: Ints, padding: Ints, ceil_mode: bool, count_include_pad: bool
) -> Tensor:
    """The mean of the elements under each position of a window."""
    last = views.is_last(x)
    options = _options(size, stride, padding, ceil_mode, last)
    with threads():
        y = multiconv.avg_pool(views.data(x, last), count_include_pad=count_include_pad, **options)
    return views.result(y, x, last)


def _run_avg_pool_grad(
    grad: Tensor, spatial: Ints, size: Ints, stride: Ints, padding: Ints, ceil_mode: bool,
    count_include_pad: bool,
) -> Tensor:  # fmt: skip
    """The gradient of `avg_pool` in its input, whose spatial sizes are ``spatial``."""
    last = views.is_last(grad)
    options = _options(size, stride, padding, ceil_mode, last)
    sizes = (*grad.shape[:2], *spatial)
    with threads():
        result = multiconv.avg_pool_grad(
            views.data(grad, last), views.shape(sizes, last),
            count_include_pad=count_include_pad, **options,
        )  # fmt: skip
    return views.result(result, grad, last)


_max_pool = operator("max_pool", run_max_pool)
_max_pool_grad = operator("max_pool_grad", _run_max_pool_grad)
_avg_pool = operator("avg_pool", run_avg_pool)
_avg_pool_grad = operator("avg_pool_grad", _run_avg_pool_grad)


def _pooled(x: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil: bool) -> Any:
    lengths = [
        geometry.pooled_length(n, geometry.window(k, d), s, p, p, ceil)
        for n, k, s, p, d in zip(x.shape[2:], size, stride, padding, dilation, strict=True)
    ]
    return views.new_empty(x, (*x.shape[:2], *lengths), views.is_last(x))


_max_pool.register_fake(_pooled)


@_avg_pool.register_fake
def _(x: Tensor, size: Ints, stride: Ints, padding: Ints, ceil: bool, counted: bool) -> Tensor:
    return _pooled(x, size, stride, padding, [1] * len(size), ceil)


@_max_pool_grad.register_fake
def _(grad: Tensor, x: Tensor, *windows: Any) -> Tensor:
    return views.new_empty(x, tuple(x.shape), views.is_last(x))


@_avg_pool_grad.register_fake
def _(grad: Tensor, spatial: Ints, *windows: Any) -> Tensor:
    return views.new_empty(grad, (*grad.shape[:2], *spatial), views.is_last(grad))


def _keep_first(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, *ctx.windows = inputs
    ctx.save_for_backward(x)
    ctx.save_for_forward(x)


def _keep_second(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, x, *ctx.windows = inputs
    ctx.save_for_backward(x)
    ctx.save_for_forward(x)


def _keep_shape(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, *ctx.windows = inputs
    ctx.spatial = x.shape[2:]


def _keep_rest(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, *ctx.windows = inputs


def _max_pool_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (x,) = ctx.saved_tensors
    return (max_pool_grad(grad, x, *ctx.windows), *(None for _ in ctx.windows))


def _picked(tensor: Tensor, x: Tensor, *windows: Any) -> Tensor:
    """What lies in a tensor where the largest elements of another are."""
    names = {1: torch.max_pool1d_with_indices, 2: torch._C._nn.max_pool2d_with_indices,
             3: torch._C._nn.max_pool3d_with_indices}  # fmt: skip
    _, places = names[x.ndim - 2](x, *windows)
    return tensor.flatten(2).gather(2, places.flatten(2)).reshape(places.shape)


def _max_pool_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    """The choice of the largest has no slope itself."""
    (x,) = ctx.saved_tensors
    picked = _picked(grad, x, *ctx.windows)
    return (picked, torch.zeros_like(x), *(None for _ in ctx.windows))


def _avg_pool_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    return (avg_pool_grad(grad, ctx.spatial, *ctx.windows), *(None for _ in ctx.windows))


def _avg_pool_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    _, *windows = ctx.windows
    return (avg_pool(grad, *windows), *(None for _ in ctx.windows))


def _linear(run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The slope along the first tensor; along others there is none."""

    def jvp(ctx: Any, kept: list[Tensor], first_t: Tensor, *rest_t: Any) -> Tensor:
        return run(first_t, *kept, *ctx.windows)

    return jvp


def _windows(run: Callable[..., Tensor], tensors: int = 1) -> Callable[..., tuple[Tensor, int]]:
    """Windows see one channel each: another axis is a longer batch."""

    def vmap(info: Any, in_dims: Sequence[Any], *inputs: Any) -> tuple[Tensor, int]:
        count = info.batch_size
        merged = [
            (t.expand(count, *t.shape) if at is None else t.movedim(at, 0)).flatten(0, 1)
            for t, at in zip(inputs[:tensors], in_dims, strict=False)
        ]
        return run(*merged, *inputs[tensors:]).unflatten(0, (count, -1)), 0

    return vmap


max_pool = differentiable(
    _max_pool, run_max_pool, _keep_first, _max_pool_backward, lambda run: _linear(_picked), _windows
)
max_pool_grad = differentiable(
    _max_pool_grad, _run_max_pool_grad, _keep_second, _max_pool_grad_backward, _linear,
    partial(_windows, tensors=2),
)  # fmt: skip
avg_pool = differentiable(
    _avg_pool, run_avg_pool, _keep_shape, _avg_pool_backward, _linear, _windows
)
avg_pool_grad = differentiable(
    _avg_pool_grad, _run_avg_pool_grad, _keep_rest, _avg_pool_grad_backward, _linear, _windows
)
