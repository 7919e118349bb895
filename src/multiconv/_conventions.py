"""Arguments in the words of signal processing, imaging or deep learning, made into Problems.

Every function takes shapes and dtypes, never values, and returns a `Request`: the `Problem` and how
the caller's arrays map onto its canonical views.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from multiconv import _geometry as geometry
from multiconv._machine import memory_limit
from multiconv._problem import (
    ACTIVATIONS,
    BOUNDARIES,
    DATA_FORMATS,
    PRECISIONS,
    Problem,
    accumulator,
)

PADDING_MODES = {
    "zeros": "constant", "constant": "constant", "replicate": "edge", "edge": "edge",
    "reflect": "reflect", "symmetric": "symmetric", "circular": "wrap", "wrap": "wrap",
}  # fmt: skip


@dataclass(frozen=True)
class ShapeDtype:
    """A shape and a dtype in place of an array.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype, optional
        float64 unless given.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.ShapeDtype((2, 3), "float32")
    ShapeDtype(shape=(2, 3), dtype=dtype('float32'))
    """

    shape: tuple[int, ...]
    dtype: Any = np.dtype(np.float64)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if any(n < 0 for n in self.shape):
            raise ValueError(f"shape: {self.shape} has a negative size, allowed are sizes from 0")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)


@dataclass(frozen=True)
class Layout:
    """How an array becomes a canonical view: split axes, reorder them, merge axes."""

    split: tuple[int, ...] | None
    order: tuple[int, ...] | None
    shape: tuple[int, ...]
    flip: tuple[int, ...] = ()
    conjugate: bool = False

    def view(self, array: NDArray) -> NDArray:
        """The canonical view; a copy only where the strides allow no view."""
        if self.split is not None:
            array = array.reshape(self.split)
        if self.order is not None:
            array = array.transpose(self.order)
        array = array.reshape(self.shape)
        if self.flip:
            array = np.flip(array, self.flip)
        return array.conj() if self.conjugate else array


@dataclass(frozen=True)
class Request:
    """A Problem and the way from the caller's arrays to it and back."""

    problem: Problem
    x: Layout
    w: Layout
    out: Layout
    out_shape: tuple[int, ...]
    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    empty: bool = False
    """Nothing to compute: the result is zeros (or has no elements)."""
    finish: Callable[[NDArray], NDArray] | None = None
    """What remains to be done to the result, such as folding a border back."""

    def allocate(self) -> tuple[NDArray, NDArray]:
        """A fresh result in the caller's shape, and its canonical view."""
        dtype = self.problem.out_dtype
        user = np.empty(self.out_shape, dtype)
        view = self.out.view(user)
        if self.out.order is None or np.may_share_memory(view, user):
            return user, view
        # Axes that cannot be merged in place: lay the memory out as the engine sees it.
        order, split = self.out.order, self.out.split or self.out_shape
        memory = np.empty([split[a] for a in order], dtype)
        user = memory.transpose(np.argsort(order)).reshape(self.out_shape)
        return user, memory.reshape(self.out.shape)


def convolve(
    x: ShapeDtype, h: ShapeDtype, mode: Any = "full", axes: Any = None,
    boundary: Any = "constant", cval: Any = 0, stride: Any = 1, dilation: Any = 1,
    dtype: Any = None, precision: str = "default", *, flip: bool = True,
) -> Request:  # fmt: skip
    """``x * h`` over the trailing (or the named) axes; other axes are batch or broadcast."""
    x_axes, h_axes, rank = _signal_axes(x, h, axes)
    modes = geometry.per_axis_word(mode, rank, "mode", geometry.MODES)
    in_size = tuple(x.shape[a] for a in x_axes)
    kernel = tuple(h.shape[a] for a in h_axes)
    if 0 in kernel:
        raise ValueError(f"h: shape {h.shape} has no taps, every kernel axis needs at least 1")
    dilation = geometry.per_axis(dilation, rank, "dilation", 1)
    wins = [geometry.window(k, d) for k, d in zip(kernel, dilation, strict=True)]
    empty = 0 in in_size
    if empty and any(m != "same" for m, n in zip(modes, in_size, strict=True) if n == 0):
        raise ValueError(
            f"x: shape {x.shape} is empty on an axis to be convolved; only mode='same' "
            "gives a result (an empty one) there"
        )
    acc, out_dtype = _result_types(x.dtype, h.dtype, dtype)
    lead = _Broadcast.of(x, h, x_axes, h_axes, aligned=axes is not None)
    problem = Problem(
        in_size=in_size, kernel=kernel,
        batch=math.prod(lead.batch), groups=math.prod(lead.groups),
        in_channels=math.prod(lead.groups), out_channels=math.prod(lead.groups + lead.outs),
        stride=geometry.per_axis(stride, rank, "stride", 1), dilation=dilation,
        padding=tuple(geometry.mode_padding(m, w) for m, w in zip(modes, wins, strict=True)),
        boundary=geometry.per_axis_word(boundary, rank, "boundary", BOUNDARIES),
        cval=_fill_value(cval, out_dtype), flip=flip,
        x_dtype=x.dtype, w_dtype=h.dtype, acc_dtype=acc, out_dtype=out_dtype,
        precision=_precision(precision),
    )  # fmt: skip
    sizes = _sizes_beside_empty(problem) if empty else geometry.out_size(problem)
    return lead.request(problem, sizes, empty, conjugate=not flip and h.dtype.kind == "c")


def correlate(
    x: ShapeDtype, h: ShapeDtype, mode: Any = "valid", axes: Any = None,
    boundary: Any = "constant", cval: Any = 0, stride: Any = 1, dilation: Any = 1,
    dtype: Any = None, precision: str = "default",
) -> Request:  # fmt: skip
    """The sliding product of ``x`` with ``conj(h)``, not flipped."""
    return convolve(
        x, h, mode, axes, boundary, cval, stride, dilation, dtype, precision, flip=False
    )


@dataclass(frozen=True)
class _Broadcast:
    """The axes that are not convolved, sorted into batch, groups and kernel-only axes."""

    x_shape: tuple[int, ...]
    h_shape: tuple[int, ...]
    x_given: tuple[int, ...]
    h_given: tuple[int, ...]
    spatial: tuple[int, ...]
    batch_axes: tuple[int, ...]
    group_axes: tuple[int, ...]
    out_axes: tuple[int, ...]

    @classmethod
    def of(
        cls, x: ShapeDtype, h: ShapeDtype, x_axes: Sequence[int], h_axes: Sequence[int],
        aligned: bool,
    ) -> _Broadcast:  # fmt: skip
        ndim = max(x.ndim, h.ndim) if aligned else x.ndim
        x_shape = (1,) * (ndim - x.ndim) + x.shape
        h_shape = (1,) * (ndim - h.ndim) + h.shape
        spatial = tuple(a + ndim - x.ndim for a in x_axes)
        batch, groups, outs = [], [], []
        for a in range(ndim):
            if a in spatial:
                continue
            if h_shape[a] == 1:
                batch.append(a)
            elif x_shape[a] == 1:
                outs.append(a)
            elif x_shape[a] == h_shape[a]:
                groups.append(a)
            else:
                raise ValueError(
                    f"h: shape {h.shape} does not broadcast against x's {x.shape} outside the "
                    "convolved axes; sizes must be equal or 1 there"
                )
        return cls(x_shape, h_shape, x.shape, h.shape, spatial, tuple(batch), tuple(groups), tuple(outs))

    @property
    def batch(self) -> tuple[int, ...]:
        return tuple(self.x_shape[a] for a in self.batch_axes)

    @property
    def groups(self) -> tuple[int, ...]:
        return tuple(self.x_shape[a] for a in self.group_axes)

    @property
    def outs(self) -> tuple[int, ...]:
        return tuple(self.h_shape[a] for a in self.out_axes)

    def request(
        self, problem: Problem, sizes: tuple[int, ...], empty: bool, conjugate: bool
    ) -> Request:
        order = self.batch_axes + self.group_axes + self.out_axes + self.spatial
        plain = order == tuple(range(len(order)))
        lead = (problem.batch, problem.groups, problem.group_out)
        out_shape = [0] * len(order)
        for a in order:
            out_shape[a] = max(self.x_shape[a], self.h_shape[a])
        for a in self.batch_axes:
            out_shape[a] = self.x_shape[a]
        for a, n in zip(self.spatial, sizes, strict=True):
            out_shape[a] = n
        _check_result(out_shape, problem.out_dtype)
        permuted = None if plain else order
        return Request(
            problem,
            x=Layout(self.x_shape, permuted, (*lead[:2], 1, *problem.in_size)),
            w=Layout(self.h_shape, permuted, (*lead[1:], 1, *problem.kernel), conjugate=conjugate),
            out=Layout(None, permuted, (*lead, *sizes)),
            out_shape=tuple(out_shape),
            x_shape=self.x_given,
            w_shape=self.h_given,
            empty=empty or 0 in out_shape,
        )


def conv(
    x: ShapeDtype, w: ShapeDtype, bias: ShapeDtype | None = None, stride: Any = 1,
    padding: Any = 0, dilation: Any = 1, groups: Any = 1, padding_mode: Any = "zeros",
    data_format: str = "channels_first", activation: str | None = None, flip: bool = False,
    precision: str = "default",
) -> Request:  # fmt: skip
    """A layer: every output channel sums all input channels of its group."""
    form = _Format.of(x, w, "w", data_format)
    groups = _groups(groups, form.channels, form.filters)
    _expect(form.filter_channels * groups == form.channels,
            f"w: has {form.filter_channels} input channels for each of {groups} groups, x has "
            f"{form.channels} channels; they must agree (w is {form.kernel_words})")  # fmt: skip
    geo = _layer_geometry(form, stride, padding, dilation, padding_mode)
    acc, out_dtype = _result_types(x.dtype, w.dtype, None, bias)
    problem = Problem(
        in_size=form.size, kernel=form.kernel, batch=form.batch, groups=groups,
        in_channels=form.channels, out_channels=form.filters, flip=bool(flip),
        x_dtype=x.dtype, w_dtype=w.dtype, acc_dtype=acc, out_dtype=out_dtype,
        data_format=data_format, bias=bias is not None,
        activation=_activation(activation, out_dtype), precision=_precision(precision), **geo,
    )  # fmt: skip
    _check_boundary(problem)
    _check_bias(bias, form.filters)
    sizes = geometry.out_size(problem)
    return Request(
        problem, form.data_layout(form.channels, form.size, groups), form.kernel_layout(groups),
        form.data_layout(form.filters, sizes, groups), form.data_shape(form.filters, sizes),
        x.shape, w.shape, empty=_no_elements(form, sizes),
    )  # fmt: skip


def conv_transpose(
    x: ShapeDtype, w: ShapeDtype, bias: ShapeDtype | None = None, stride: Any = 1,
    padding: Any = 0, output_padding: Any = 0, dilation: Any = 1, groups: Any = 1,
    data_format: str = "channels_first", precision: str = "default",
) -> Request:  # fmt: skip
    """The transpose of a layer: ``w`` is laid out as that layer's, from outputs back to inputs."""
    form = _Format.of(x, w, "w", data_format)
    rank = form.rank
    groups = _groups(groups, form.channels, form.filter_channels * _index(groups, "groups"))
    _expect(form.filters == form.channels,
            f"w: has {form.filters} input channels, x has {form.channels}; they must agree "
            f"(w is {form.transposed_words})")  # fmt: skip
    stride = geometry.per_axis(stride, rank, "stride", 1)
    dilation = geometry.per_axis(dilation, rank, "dilation", 1)
    extra = geometry.per_axis(output_padding, rank, "output_padding", 0)
    for a in range(rank):
        _expect(extra[a] < max(stride[a], dilation[a]),
                f"output_padding: {extra[a]} is too large, it must be smaller than the stride "
                f"({stride[a]}) or the dilation ({dilation[a]})")  # fmt: skip
    pairs = _transposed_padding(padding, form, stride, dilation, extra)
    acc, out_dtype = _result_types(x.dtype, w.dtype, None, bias)
    problem = Problem(
        in_size=form.size, kernel=form.kernel, batch=form.batch, groups=groups,
        in_channels=form.channels, out_channels=form.filter_channels * groups, flip=True,
        stride=(1,) * rank, dilation=dilation, in_dilation=stride, padding=pairs,
        x_dtype=x.dtype, w_dtype=w.dtype, acc_dtype=acc, out_dtype=out_dtype,
        data_format=data_format, bias=bias is not None, precision=_precision(precision),
    )  # fmt: skip
    _check_bias(bias, problem.out_channels)
    sizes = geometry.out_size(problem)
    return Request(
        problem, form.data_layout(form.channels, form.size, groups),
        form.kernel_layout(groups, transposed=True),
        form.data_layout(problem.out_channels, sizes, groups),
        form.data_shape(problem.out_channels, sizes), x.shape, w.shape,
        empty=_no_elements(form, sizes),
    )  # fmt: skip


def conv_input_grad(
    grad: ShapeDtype, w: ShapeDtype, x_shape: Any, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: Any = 1, padding_mode: Any = "zeros",
    data_format: str = "channels_first", flip: bool = False, precision: str = "default",
) -> Request:  # fmt: skip
    """The adjoint of `conv` in ``x``."""
    layer = conv(ShapeDtype(_shape(x_shape, "x_shape"), grad.dtype), w, None, stride, padding,
                 dilation, groups, padding_mode, data_format, None, flip, precision)  # fmt: skip
    _expect(layer.out_shape == grad.shape,
            f"grad: shape {grad.shape} does not fit, this layer's output is {layer.out_shape}")
    form = _Format.of(ShapeDtype(_shape(x_shape, "x_shape"), grad.dtype), w, "w", data_format)
    forward = layer.problem
    folded = any(b != "constant" for b in forward.boundary)
    size = tuple(
        n + lo + hi if folded else n
        for n, (lo, hi) in zip(forward.in_size, forward.padding, strict=True)
    )
    lows = [0 if folded else lo for lo, _ in forward.padding]
    sizes = grad_size = geometry.out_size(forward)
    acc, out_dtype = _result_types(grad.dtype, w.dtype, None)
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
        form.data_layout(forward.in_channels, size, forward.groups),
        form.data_shape(forward.in_channels, size), grad.shape, w.shape,
        empty=0 in grad.shape or 0 in size, finish=finish,
    )  # fmt: skip


def conv_weight_grad(
    x: ShapeDtype, grad: ShapeDtype, w_shape: Any, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: Any = 1, padding_mode: Any = "zeros",
    data_format: str = "channels_first", flip: bool = False, precision: str = "default",
) -> Request:  # fmt: skip
    """The adjoint of `conv` in ``w``: the batch becomes the channels that are summed over."""
    w = ShapeDtype(_shape(w_shape, "w_shape"), grad.dtype)
    layer = conv(x, w, None, stride, padding, dilation, groups, padding_mode, data_format, None,
                 flip, precision)  # fmt: skip
    _expect(layer.out_shape == grad.shape,
            f"grad: shape {grad.shape} does not fit, this layer's output is {layer.out_shape}")
    form, forward = _Format.of(x, w, "w", data_format), layer.problem
    grad_size, n, g = geometry.out_size(forward), form.batch, forward.groups
    padding = tuple(
        (lo, (k - 1) * d + geometry.dilated(o, s) - size - lo)
        for (lo, _), k, d, o, s, size in zip(forward.padding, forward.kernel, forward.dilation,
                                             grad_size, forward.stride, forward.in_size,
                                             strict=True)
    )  # fmt: skip
    acc, out_dtype = _result_types(x.dtype, grad.dtype, None)
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
    )  # fmt: skip


@dataclass(frozen=True)
class _Format:
    """Where batch, channels and spatial axes are in a layer's arrays."""

    batch: int
    channels: int
    size: tuple[int, ...]
    filters: int
    filter_channels: int
    kernel: tuple[int, ...]
    first: bool
    batched: bool

    @property
    def rank(self) -> int:
        return len(self.size)

    @property
    def kernel_words(self) -> str:
        return "(out, in / groups, *size)" if self.first else "(*size, in / groups, out)"

    @property
    def transposed_words(self) -> str:
        return "(in, out / groups, *size)" if self.first else "(*size, out / groups, in)"

    @classmethod
    def of(cls, x: ShapeDtype, w: ShapeDtype, name: str, data_format: str) -> _Format:
        if data_format not in DATA_FORMATS:
            raise ValueError(
                f"data_format: {data_format!r} is not allowed, choose 'channels_first' or "
                "'channels_last'"
            )
        rank = w.ndim - 2
        if rank < 1:
            raise ValueError(
                f"{name}: shape {w.shape} has {w.ndim} axes, a layer's kernel has at least 3: "
                "output channels, input channels and one spatial axis"
            )
        if x.ndim not in (rank + 1, rank + 2):
            raise ValueError(
                f"x: shape {x.shape} has {x.ndim} axes, with a kernel of rank {rank} it must have "
                f"{rank + 2} (or {rank + 1} without batch)"
            )
        first, batched = data_format == "channels_first", x.ndim == rank + 2
        shape = x.shape if batched else (1, *x.shape)
        kernel = w.shape[2:] if first else w.shape[:-2]
        if 0 in kernel:
            raise ValueError(f"{name}: shape {w.shape} has no taps, spatial sizes start at 1")
        return cls(
            batch=shape[0],
            channels=shape[1] if first else shape[-1],
            size=shape[2:] if first else shape[1:-1],
            filters=w.shape[0] if first else w.shape[-1],
            filter_channels=w.shape[1] if first else w.shape[-2],
            kernel=kernel,
            first=first,
            batched=batched,
        )

    def data_shape(self, channels: int, size: tuple[int, ...]) -> tuple[int, ...]:
        lead = (self.batch,) if self.batched else ()
        shape = (*lead, channels, *size) if self.first else (*lead, *size, channels)
        _check_result(shape, np.dtype(np.int8))
        return shape

    def data_layout(
        self, channels: int, size: tuple[int, ...], groups: int, swap: str = ""
    ) -> Layout:
        """Data as ``(batch, groups, channels, *size)``; ``swap`` moves the batch for gradients.

        ``"batch"`` exchanges batch and channels, ``"kernel"`` gives ``(groups, channels, batch,
        *size)``.
        """
        per = channels // groups
        r = self.rank
        if self.first:
            split = (self.batch, groups, per, *size)
            spatial = tuple(range(3, 3 + r))
            n, g, c = 0, 1, 2
        else:
            split = (self.batch, *size, groups, per)
            spatial = tuple(range(1, 1 + r))
            n, g, c = 0, 1 + r, 2 + r
        lead = {"": (n, g, c), "batch": (c, g, n), "kernel": (g, c, n)}[swap]
        order = (*lead, *spatial)
        shape = tuple(split[a] for a in order)
        plain = order == tuple(range(len(order)))
        return Layout(split, None if plain else order, shape)

    def kernel_layout(
        self, groups: int, transposed: bool = False, lead_in: bool = False
    ) -> Layout:
        """A kernel as ``(groups, out, in, *size)``.

        ``transposed`` exchanges out and in; ``lead_in`` gives ``(in, groups, out, *size)``.
        """
        r, per = self.rank, self.filters // groups
        if self.first:
            split = (groups, per, self.filter_channels, *self.kernel)
            g, o, c, spatial = 0, 1, 2, tuple(range(3, 3 + r))
        else:
            split = (*self.kernel, self.filter_channels, groups, per)
            g, o, c, spatial = r + 1, r + 2, r, tuple(range(r))
        lead = (c, g, o) if lead_in else (g, c, o) if transposed else (g, o, c)
        order = (*lead, *spatial)
        shape = tuple(split[a] for a in order)
        plain = order == tuple(range(len(order)))
        return Layout(split, None if plain else order, shape)


def _signal_axes(
    x: ShapeDtype, h: ShapeDtype, axes: Any
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    if axes is None:
        if h.ndim > x.ndim:
            raise ValueError(
                f"h: shape {h.shape} has more axes than x's {x.shape}; the kernel may have at most "
                "as many (or name axes=)"
            )
        if h.ndim == 0:
            raise ValueError("h: a kernel needs at least one axis, a scalar has none")
        return tuple(range(x.ndim - h.ndim, x.ndim)), tuple(range(h.ndim)), h.ndim
    values = axes if isinstance(axes, (tuple, list)) else (axes,)
    ndim = x.ndim
    found = []
    for a in values:
        axis = _index(a, "axes")
        if not -ndim <= axis < ndim:
            raise ValueError(f"axes: {axis} is out of range, x has axes {-ndim} to {ndim - 1}")
        found.append(axis % ndim)
    if len(set(found)) != len(found) or not found:
        raise ValueError(f"axes: {axes!r} must name at least one axis, each once")
    if h.ndim == len(found) and h.ndim < ndim:
        return tuple(found), tuple(range(h.ndim)), len(found)
    if h.ndim != ndim:
        raise ValueError(
            f"h: shape {h.shape} has {h.ndim} axes, with axes={axes!r} it must have {len(found)} "
            f"(the convolved axes alone) or {ndim} (as x has; the others broadcast)"
        )
    return tuple(found), tuple(found), len(found)


def _layer_geometry(
    form: _Format, stride: Any, padding: Any, dilation: Any, padding_mode: Any
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
    padding: Any, form: _Format, stride: Sequence[int], dilation: Sequence[int],
    extra: Sequence[int],
) -> tuple[tuple[int, int], ...]:  # fmt: skip
    wins = [geometry.window(k, d) for k, d in zip(form.kernel, dilation, strict=True)]
    if padding == "same":
        cuts = tuple(
            ((w - s) // 2, w - s - (w - s) // 2) if w >= s else (0, w - s)
            for w, s in zip(wins, stride, strict=True)
        )
    elif padding == "valid":
        cuts = ((0, 0),) * form.rank
    else:
        cuts = geometry.per_axis_pairs(padding, form.rank, "padding")
    return tuple(
        (w - 1 - lo, w - 1 - hi + e) for w, (lo, hi), e in zip(wins, cuts, extra, strict=True)
    )


def _result_types(
    x: np.dtype, w: np.dtype, asked: Any, bias: ShapeDtype | None = None
) -> tuple[np.dtype, np.dtype]:
    """The accumulator's dtype and the result's."""
    try:
        result = np.result_type(x, w) if bias is None else np.result_type(x, w, bias.dtype)
    except TypeError:
        raise TypeError(f"x, w: {x.name} and {w.name} have no common dtype, convert one") from None
    if asked is not None:
        try:
            wider = np.dtype(asked)
        except TypeError:
            raise TypeError(f"dtype: {asked!r} is no NumPy dtype") from None
        if not np.can_cast(result, wider, "safe") or wider.kind not in "biufcV":
            raise ValueError(
                f"dtype: {wider.name} cannot hold {result.name} results, it must be at least as wide"
            )
        result = wider
    return accumulator(result), result


def _fill_value(cval: Any, dtype: np.dtype) -> complex:
    try:
        value = np.asarray(cval)
        number = value.item() if value.ndim == 0 and value.dtype.kind in "biufc" else None
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise TypeError(f"cval: {cval!r} is not allowed, give one number")
    if dtype.kind in "biu":
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        if isinstance(number, complex) or number != number or number != int(number) or not (
            low <= number <= high
        ):
            raise ValueError(
                f"cval: {number!r} is no {dtype.name} value, the result's dtype; ask for a wider "
                "dtype= or choose another value"
            )
        return int(number)
    if isinstance(number, complex) and dtype.kind != "c":
        raise ValueError(f"cval: {number!r} is complex, the result's dtype is {dtype.name}")
    return number


def _precision(precision: str) -> Any:
    if precision not in PRECISIONS:
        words = ", ".join(repr(p) for p in PRECISIONS)
        raise ValueError(f"precision: {precision!r} is not allowed, choose one of {words}")
    return precision


def _activation(activation: str | None, dtype: np.dtype) -> str | None:
    if activation is None:
        return None
    if activation not in ACTIVATIONS:
        words = ", ".join(repr(a) for a in ACTIVATIONS)
        raise ValueError(f"activation: {activation!r} is not allowed, choose None or one of {words}")
    if dtype.kind not in "fV":
        raise TypeError(
            f"activation: {activation!r} needs a real floating-point result, it is {dtype.name}"
        )
    return activation


def _groups(groups: Any, channels: int, filters: int) -> int:
    count = _index(groups, "groups")
    if count < 1 or channels % count or filters % count:
        raise ValueError(
            f"groups: {count} does not divide both {channels} input and {filters} output channels"
        )
    return count


def _index(value: Any, name: str) -> int:
    try:
        return int(value.__index__())
    except AttributeError:
        raise TypeError(f"{name}: {value!r} is not allowed, give an integer") from None


def _shape(value: Any, name: str) -> tuple[int, ...]:
    try:
        return tuple(_index(n, name) for n in value)
    except TypeError:
        raise TypeError(f"{name}: {value!r} is not allowed, give a tuple of integers") from None


def _check_bias(bias: ShapeDtype | None, filters: int) -> None:
    if bias is not None and bias.shape != (filters,):
        raise ValueError(
            f"bias: shape {bias.shape} is not allowed, one value per output channel is ({filters},)"
        )


def _check_boundary(problem: Problem) -> None:
    for axis, (size, mode) in enumerate(zip(problem.in_size, problem.boundary, strict=True)):
        if size == 0 and mode != "constant":
            raise ValueError(
                f"padding_mode: {mode!r} needs at least one sample, spatial axis {axis} has none"
            )


def _check_result(shape: Sequence[int], dtype: np.dtype) -> None:
    geometry.check_memory(shape, dtype.itemsize, memory_limit(), "result")


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _no_elements(form: _Format, sizes: tuple[int, ...]) -> bool:
    return form.batch == 0 or form.filters == 0 or 0 in sizes


def _sizes_beside_empty(problem: Problem) -> tuple[int, ...]:
    """Output sizes of a problem with empty axes, which stay empty."""
    filled = replace(problem, in_size=tuple(max(n, 1) for n in problem.in_size))
    sizes = geometry.out_size(filled)
    return tuple(s if n else 0 for n, s in zip(problem.in_size, sizes, strict=True))


def _fold(forward: Problem, data_format: str) -> Callable[[NDArray], NDArray]:
    def finish(padded: NDArray) -> NDArray:
        first = data_format == "channels_first"
        moved = padded if first else np.moveaxis(padded, -1, -1 - forward.rank)
        folded = geometry.fold_padding(moved, forward.in_size, forward.padding, forward.boundary)
        return folded if first else np.ascontiguousarray(np.moveaxis(folded, -1 - forward.rank, -1))

    return finish
