"""The two adjoints of a layer, as Problems of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from multiconv import _geometry as geometry
from multiconv._conventions._checks import as_shape, expect, result_types
from multiconv._conventions._format import Format
from multiconv._conventions._layer import conv
from multiconv._conventions._request import Request, ShapeDtype
from multiconv._problem import Problem
from multiconv._typing import Array


def conv_input_grad(
    grad: ShapeDtype, w: ShapeDtype, x_shape: Any, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: Any = 1, padding_mode: Any = "zeros",
    data_format: str = "channels_first", flip: bool = False, precision: str = "default",
) -> Request:  # fmt: skip
    """The adjoint of `conv` in ``x``."""
    layer = conv(ShapeDtype(as_shape(x_shape, "x_shape"), grad.dtype), w, stride=stride,
                 padding=padding, dilation=dilation, groups=groups, padding_mode=padding_mode,
                 data_format=data_format, flip=flip, precision=precision)  # fmt: skip
    expect(
        layer.out_shape == grad.shape,
        f"grad: shape {grad.shape} does not fit, this layer's output is {layer.out_shape}",
    )
    form = Format.of(ShapeDtype(as_shape(x_shape, "x_shape"), grad.dtype), w, "w", data_format)
    forward = layer.problem
    folded = any(b != "constant" for b in forward.boundary)
    size = tuple(
        n + lo + hi if folded else n
        for n, (lo, hi) in zip(forward.in_size, forward.padding, strict=True)
    )
    lows = [0 if folded else lo for lo, _ in forward.padding]
    sizes = grad_size = geometry.out_size(forward)
    acc, out_dtype = result_types(grad.dtype, w.dtype, None)
    problem = replace(
        forward, in_size=grad_size, in_channels=forward.out_channels,
        out_channels=forward.in_channels, stride=(1,) * forward.rank, in_dilation=forward.stride,
        padding=tuple(
            geometry.adjoint_padding(n, g, geometry.window(k, d), s, lo)
            for n, g, k, d, s, lo in zip(size, grad_size, forward.kernel, forward.dilation,
                                         forward.stride, lows, strict=True)
        ),
        boundary=(), flip=not forward.flip, acc_dtype=acc, out_dtype=out_dtype,
    )  # fmt: skip
    finish = _fold(forward, data_format) if folded else None
    kernel = form.kernel_layout(forward.groups, transposed=True)
    return Request(
        problem, form.data_layout(forward.out_channels, sizes, forward.groups),
        replace(kernel, conjugate=w.dtype.kind == "c"),
        form.data_layout(forward.in_channels, size, forward.groups), layer.x_shape, grad.shape,
        w.shape, empty=0 in grad.shape or 0 in size, finish=finish,
        sums_shape=form.data_shape(forward.in_channels, size),
    )  # fmt: skip


def conv_weight_grad(
    x: ShapeDtype, grad: ShapeDtype, w_shape: Any, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: Any = 1, padding_mode: Any = "zeros",
    data_format: str = "channels_first", flip: bool = False, precision: str = "default",
) -> Request:  # fmt: skip
    """The adjoint of `conv` in ``w``: the batch becomes the channels that are summed over."""
    w = ShapeDtype(as_shape(w_shape, "w_shape"), grad.dtype)
    layer = conv(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups,
                 padding_mode=padding_mode, data_format=data_format, flip=flip,
                 precision=precision)  # fmt: skip
    expect(
        layer.out_shape == grad.shape,
        f"grad: shape {grad.shape} does not fit, this layer's output is {layer.out_shape}",
    )
    form, forward = Format.of(x, w, "w", data_format), layer.problem
    grad_size, n, g = geometry.out_size(forward), form.batch, forward.groups
    padding = tuple(
        (lo, (k - 1) * d + geometry.dilated(o, s) - size - lo)
        for (lo, _), k, d, o, s, size in zip(forward.padding, forward.kernel, forward.dilation,
                                             grad_size, forward.stride, forward.in_size,
                                             strict=True)
    )  # fmt: skip
    acc, out_dtype = result_types(x.dtype, grad.dtype, None)
    problem = replace(
        forward, kernel=grad_size, batch=forward.group_in, in_channels=g * n,
        stride=forward.dilation, dilation=forward.stride, padding=padding, flip=False,
        w_dtype=grad.dtype, acc_dtype=acc, out_dtype=out_dtype,
    )  # fmt: skip
    data = form.data_layout(forward.in_channels, forward.in_size, g, swap="batch")
    spatial = tuple(range(3, 3 + forward.rank))
    return Request(
        problem,
        replace(data, conjugate=x.dtype.kind == "c"),
        form.data_layout(forward.out_channels, grad_size, g, swap="kernel"),
        replace(form.kernel_layout(g, transposed=True, lead_in=True),
                flip=spatial if forward.flip else ()),
        w.shape, x.shape, grad.shape, empty=0 in grad.shape or 0 in x.shape or 0 in w.shape,
        kernel_is_data=True,
    )  # fmt: skip


def _fold(forward: Problem, data_format: str) -> Callable[[Array], Array]:
    def finish(padded: Array) -> Array:
        first = data_format == "channels_first"
        moved = padded if first else np.moveaxis(padded, -1, -1 - forward.rank)
        folded = geometry.fold_padding(moved, forward.in_size, forward.padding, forward.boundary)
        return folded if first else np.ascontiguousarray(np.moveaxis(folded, -1 - forward.rank, -1))

    return finish
