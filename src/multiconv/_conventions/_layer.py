"""Layers: every output channel sums the input channels of its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from multiconv import _geometry as geometry
from multiconv._conventions._checks import (
    activation_words,
    as_index,
    check_boundary,
    check_per_channel,
    check_residual,
    expect,
    group_count,
    precision_word,
    result_types,
)
from multiconv._conventions._format import Format
from multiconv._conventions._request import Request, ShapeDtype
from multiconv._problem import Problem

PADDING_MODES = {
    "zeros": "constant", "constant": "constant", "replicate": "edge", "edge": "edge",
    "reflect": "reflect", "symmetric": "symmetric", "circular": "wrap", "wrap": "wrap",
}  # fmt: skip
"""torch's words and `numpy.pad`'s, in the latter."""


def conv(
    x: ShapeDtype, w: ShapeDtype, bias: ShapeDtype | None = None, scale: ShapeDtype | None = None,
    residual: ShapeDtype | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: Any = 1, padding_mode: Any = "zeros", data_format: str = "channels_first",
    activation: str | None = None, flip: bool = False, precision: str = "default",
    low_memory: bool = False, dtype: Any = None,
) -> Request:  # fmt: skip
    """A layer: every output channel sums all input channels of its group."""
    form = Format.of(x, w, "w", data_format)
    groups = group_count(groups, form.channels, form.filters)
    expect(form.filter_channels * groups == form.channels,
            f"w: has {form.filter_channels} input channels for each of {groups} groups, x has "
            f"{form.channels} channels; they must agree (w is {form.kernel_words})")  # fmt: skip
    geo = _layer_geometry(form, stride, padding, dilation, padding_mode)
    acc, out_dtype = result_types(x.dtype, w.dtype, dtype, bias, scale, residual)
    problem = Problem(
        in_size=form.size, kernel=form.kernel, batch=form.batch, groups=groups,
        in_channels=form.channels, out_channels=form.filters, flip=bool(flip),
        x_dtype=x.dtype, w_dtype=w.dtype, acc_dtype=acc, out_dtype=out_dtype,
        data_format=data_format, bias=bias is not None, scale=scale is not None,
        residual=residual is not None, precision=precision_word(precision),
        low_memory=bool(low_memory), **activation_words(activation, out_dtype), **geo,
    )  # fmt: skip
    check_boundary(problem)
    sizes = geometry.out_size(problem)
    out_shape = form.data_shape(form.filters, sizes)
    _check_epilogue(bias, scale, residual, form.filters, out_shape)
    return Request(
        problem, form.data_layout(form.channels, form.size, groups), form.kernel_layout(groups),
        form.data_layout(form.filters, sizes, groups), out_shape,
        x.shape, w.shape, empty=no_elements(form, sizes),
    )  # fmt: skip


def conv_transpose(
    x: ShapeDtype, w: ShapeDtype, bias: ShapeDtype | None = None, scale: ShapeDtype | None = None,
    residual: ShapeDtype | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, dilation: Any = 1, groups: Any = 1,
    data_format: str = "channels_first", activation: str | None = None,
    precision: str = "default", low_memory: bool = False, dtype: Any = None,
) -> Request:  # fmt: skip
    """The transpose of a layer: ``w`` is laid out as that layer's, from outputs back to inputs."""
    form = Format.of(x, w, "w", data_format)
    rank = form.rank
    groups = group_count(groups, form.channels, form.filter_channels * as_index(groups, "groups"))
    expect(form.filters == form.channels,
            f"w: has {form.filters} input channels, x has {form.channels}; they must agree "
            f"(w is {form.transposed_words})")  # fmt: skip
    stride = geometry.per_axis(stride, rank, "stride", 1)
    dilation = geometry.per_axis(dilation, rank, "dilation", 1)
    extra = geometry.per_axis(output_padding, rank, "output_padding", 0)
    for a in range(rank):
        expect(extra[a] < max(stride[a], dilation[a]),
                f"output_padding: {extra[a]} is too large, it must be smaller than the stride "
                f"({stride[a]}) or the dilation ({dilation[a]})")  # fmt: skip
    pairs = _transposed_padding(padding, form, stride, dilation, extra)
    for n, s, k, d, pair in zip(form.size, stride, form.kernel, dilation, pairs, strict=True):
        left = geometry.dilated(n, s) + sum(pair) - geometry.window(k, d) + 1
        expect(left > 0 or n == 0, f"padding: {padding!r} is too large, it cuts all outputs away")
    acc, out_dtype = result_types(x.dtype, w.dtype, dtype, bias, scale, residual)
    problem = Problem(
        in_size=form.size, kernel=form.kernel, batch=form.batch, groups=groups,
        in_channels=form.channels, out_channels=form.filter_channels * groups, flip=True,
        stride=(1,) * rank, dilation=dilation, in_dilation=stride, padding=pairs,
        x_dtype=x.dtype, w_dtype=w.dtype, acc_dtype=acc, out_dtype=out_dtype,
        data_format=data_format, bias=bias is not None, scale=scale is not None,
        residual=residual is not None, precision=precision_word(precision),
        low_memory=bool(low_memory), **activation_words(activation, out_dtype),
    )  # fmt: skip
    sizes = geometry.out_size(problem)
    out_shape = form.data_shape(problem.out_channels, sizes)
    _check_epilogue(bias, scale, residual, problem.out_channels, out_shape)
    return Request(
        problem, form.data_layout(form.channels, form.size, groups),
        form.kernel_layout(groups, transposed=True),
        form.data_layout(problem.out_channels, sizes, groups), out_shape, x.shape, w.shape,
        empty=no_elements(form, sizes),
    )  # fmt: skip


def _check_epilogue(
    bias: ShapeDtype | None, scale: ShapeDtype | None, residual: ShapeDtype | None, filters: int,
    out_shape: tuple[int, ...],
) -> None:  # fmt: skip
    check_per_channel(bias, "bias", filters)
    check_per_channel(scale, "scale", filters)
    check_residual(residual, out_shape)


def _layer_geometry(
    form: Format, stride: Any, padding: Any, dilation: Any, padding_mode: Any
) -> dict[str, Any]:
    rank = form.rank
    stride = geometry.per_axis(stride, rank, "stride", 1)
    dilation = geometry.per_axis(dilation, rank, "dilation", 1)
    mode = geometry.per_axis_word(padding_mode, rank, "padding_mode", tuple(PADDING_MODES))
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(
                f"padding: {padding!r} is not allowed, give numbers, 'valid' or 'same'"
            )
        pairs = tuple(
            geometry.same_padding(n, geometry.window(k, d), s) if padding == "same" else (0, 0)
            for n, k, d, s in zip(form.size, form.kernel, dilation, stride, strict=True)
        )
    else:
        pairs = geometry.per_axis_pairs(padding, rank, "padding")
    boundary = tuple(PADDING_MODES[m] for m in mode)
    return {"stride": stride, "dilation": dilation, "padding": pairs, "boundary": boundary}


def _transposed_padding(
    padding: Any, form: Format, stride: Sequence[int], dilation: Sequence[int],
    extra: Sequence[int],
) -> tuple[tuple[int, int], ...]:  # fmt: skip
    wins = [geometry.window(k, d) for k, d in zip(form.kernel, dilation, strict=True)]
    word = padding if isinstance(padding, str) else None
    if word == "same":
        cuts = tuple(
            ((w - s) // 2, w - s - (w - s) // 2) if w >= s else (0, w - s)
            for w, s in zip(wins, stride, strict=True)
        )
    elif word == "valid":  # Keras: at least the stride's samples for each input
        cuts = tuple((0, min(w - s, 0)) for w, s in zip(wins, stride, strict=True))
    else:
        cuts = geometry.per_axis_pairs(padding, form.rank, "padding")
    return tuple(
        (w - 1 - lo, w - 1 - hi + e) for w, (lo, hi), e in zip(wins, cuts, extra, strict=True)
    )


def no_elements(form: Format, sizes: tuple[int, ...]) -> bool:
    return form.batch == 0 or form.filters == 0 or 0 in sizes
