"""Signals and images: convolution over some axes, the others batch or broadcast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from multiconv import _geometry as geometry
from multiconv._conventions._checks import (
    as_index,
    fill_value,
    precision_word,
    result_types,
)
from multiconv._conventions._request import Layout, Request, ShapeDtype
from multiconv._problem import BOUNDARIES, Problem


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
    if any(m != "same" for m, n in zip(modes, in_size, strict=True) if n == 0):
        raise ValueError(
            f"x: shape {x.shape} is empty on an axis to be convolved; only mode='same' "
            "gives a result (an empty one) there"
        )
    acc, out_dtype = result_types(x.dtype, h.dtype, dtype)
    lead = _Broadcast.of(x, h, x_axes, h_axes)
    problem = Problem(
        in_size=in_size, kernel=kernel,
        batch=math.prod(lead.batch), groups=max(math.prod(lead.groups), 1),
        in_channels=math.prod(lead.groups), out_channels=math.prod(lead.groups + lead.outs),
        stride=geometry.per_axis(stride, rank, "stride", 1), dilation=dilation,
        padding=tuple(geometry.mode_padding(m, w) for m, w in zip(modes, wins, strict=True)),
        boundary=geometry.per_axis_word(boundary, rank, "boundary", BOUNDARIES),
        cval=fill_value(cval, out_dtype), flip=flip,
        x_dtype=x.dtype, w_dtype=h.dtype, acc_dtype=acc, out_dtype=out_dtype,
        precision=precision_word(precision),
    )  # fmt: skip
    conjugate = not flip and h.dtype.kind == "c"
    return lead.request(problem, geometry.out_size(problem), conjugate)


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
    h_given: tuple[int, ...]
    spatial: tuple[int, ...]
    batch_axes: tuple[int, ...]
    group_axes: tuple[int, ...]
    out_axes: tuple[int, ...]

    @classmethod
    def of(
        cls, x: ShapeDtype, h: ShapeDtype, spatial: tuple[int, ...], h_axes: Sequence[int]
    ) -> _Broadcast:
        h_sizes = dict(zip(spatial, (h.shape[a] for a in h_axes), strict=True))
        whole = h.ndim == x.ndim
        h_shape = h.shape if whole else tuple(h_sizes.get(a, 1) for a in range(x.ndim))
        batch, groups, outs = [], [], []
        for a in range(x.ndim):
            if a in spatial:
                continue
            if h_shape[a] == 1:
                batch.append(a)
            elif x.shape[a] == 1:
                outs.append(a)
            elif x.shape[a] == h_shape[a]:
                groups.append(a)
            else:
                raise ValueError(
                    f"h: shape {h.shape} does not broadcast against x's {x.shape} outside the "
                    "convolved axes; sizes must be equal or 1 there"
                )
        return cls(x.shape, h_shape, h.shape, spatial, tuple(batch), tuple(groups), tuple(outs))

    @property
    def batch(self) -> tuple[int, ...]:
        return tuple(self.x_shape[a] for a in self.batch_axes)

    @property
    def groups(self) -> tuple[int, ...]:
        return tuple(self.x_shape[a] for a in self.group_axes)

    @property
    def outs(self) -> tuple[int, ...]:
        return tuple(self.h_shape[a] for a in self.out_axes)

    def request(self, problem: Problem, sizes: tuple[int, ...], conjugate: bool) -> Request:
        order = self.batch_axes + self.group_axes + self.out_axes + self.spatial
        plain = order == tuple(range(len(order)))
        lead = (problem.batch, problem.groups, problem.group_out)
        out_shape = [0] * len(order)
        for a in order:
            out_shape[a] = self.x_shape[a] if self.h_shape[a] == 1 else self.h_shape[a]
        for a, n in zip(self.spatial, sizes, strict=True):
            out_shape[a] = n
        permuted = None if plain else order
        whole = self.h_given == self.h_shape
        split, kernel_order = (self.h_shape, permuted) if whole else (None, None)
        kernel = (*lead[1:], 1, *problem.kernel)
        return Request(
            problem,
            x=Layout(self.x_shape, permuted, (*lead[:2], 1, *problem.in_size)),
            w=Layout(split, kernel_order, kernel, conjugate=conjugate),
            out=Layout(None, permuted, (*lead, *sizes)),
            out_shape=tuple(out_shape),
            x_shape=self.x_shape,
            w_shape=self.h_given,
            empty=0 in out_shape,
        )


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
        axis = as_index(a, "axes")
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
