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
    dtype: Any = None, precision: str = "default", *, flip: bool = True, padding: Any = None,
) -> Request:  # fmt: skip
    """``x * h`` over the trailing (or the named) axes; other axes are batch or broadcast.

    ``padding``, a (low, high) pair for each axis of ``x``, takes the place of what ``mode`` means.
    """
    x_axes, h_axes, rank = _signal_axes(x, h, axes)
    columns = zip(
        x_axes, (h.shape[a] for a in h_axes),
        geometry.per_axis_word(mode, rank, "mode", geometry.MODES),
        geometry.per_axis_word(boundary, rank, "boundary", BOUNDARIES),
        geometry.per_axis(stride, rank, "stride", 1),
        geometry.per_axis(dilation, rank, "dilation", 1),
        (None if padding is None else padding[a] for a in x_axes), strict=True,
    )  # fmt: skip
    given = [_Axis(x.shape[c[0]], *c) for c in columns]
    _check_sizes(x, h, given)
    lead = _Broadcast.of(x, h, given)
    all_axes = lead.spatial
    acc, out_dtype = result_types(x.dtype, h.dtype, dtype)
    rounds = out_dtype.kind in "iu" and acc.kind == "f"
    problem = Problem(
        in_size=tuple(a.size for a in all_axes), kernel=tuple(a.taps for a in all_axes),
        batch=math.prod(lead.batch), groups=max(math.prod(lead.groups), 1),
        in_channels=math.prod(lead.groups), out_channels=math.prod(lead.groups + lead.outs),
        stride=tuple(a.stride for a in all_axes), dilation=tuple(a.dilation for a in all_axes),
        padding=tuple(a.padding or a.mode_padding for a in all_axes),
        boundary=tuple(a.boundary for a in all_axes),
        cval=fill_value(cval, acc if rounds else out_dtype), flip=flip,
        x_dtype=x.dtype, w_dtype=h.dtype, acc_dtype=acc, out_dtype=out_dtype,
        precision=precision_word(precision),
    )  # fmt: skip
    conjugate = not flip and h.dtype.kind == "c"
    return lead.request(problem, geometry.out_size(problem), conjugate)


def correlate(
    x: ShapeDtype, h: ShapeDtype, mode: Any = "valid", axes: Any = None,
    boundary: Any = "constant", cval: Any = 0, stride: Any = 1, dilation: Any = 1,
    dtype: Any = None, precision: str = "default", *, padding: Any = None,
) -> Request:  # fmt: skip
    """The sliding product of ``x`` with ``conj(h)``, not flipped."""
    return convolve(x, h, mode, axes, boundary, cval, stride, dilation, dtype, precision,
                    flip=False, padding=padding)  # fmt: skip


@dataclass(frozen=True)
class _Axis:
    """One convolved axis of ``x``: where it is, and what is done along it."""

    size: int
    number: int
    taps: int = 1
    mode: str = "same"
    boundary: str = "constant"
    stride: int = 1
    dilation: int = 1
    padding: tuple[int, int] | None = None

    @property
    def mode_padding(self) -> tuple[int, int]:
        return geometry.mode_padding(self.mode, geometry.window(self.taps, self.dilation))


def _check_sizes(x: ShapeDtype, h: ShapeDtype, axes: Sequence[_Axis]) -> None:
    if any(a.taps == 0 for a in axes):
        raise ValueError(f"h: shape {h.shape} has no taps, every kernel axis needs at least 1")
    if any(a.size == 0 and a.mode != "same" for a in axes):
        raise ValueError(
            f"x: shape {x.shape} is empty on an axis to be convolved; only mode='same' "
            "gives a result (an empty one) there"
        )


@dataclass(frozen=True)
class _Broadcast:
    """The axes of ``x``, sorted into convolved, batch, groups and kernel-only ones."""

    x_shape: tuple[int, ...]
    h_shape: tuple[int, ...]
    h_given: tuple[int, ...]
    h_order: tuple[int, ...]
    spatial: tuple[_Axis, ...]
    batch_axes: tuple[int, ...]
    group_axes: tuple[int, ...]
    out_axes: tuple[int, ...]

    LONG_ROW = 32
    MOST_AXES = 8

    @classmethod
    def of(cls, x: ShapeDtype, h: ShapeDtype, given: Sequence[_Axis]) -> _Broadcast:
        taps = {a.number: a.taps for a in given}
        whole = h.ndim == x.ndim
        h_shape = h.shape if whole else tuple(taps.get(a, 1) for a in range(x.ndim))
        batch, groups, outs = [], [], []
        for a in range(x.ndim):
            if a in taps:
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
        spatial = cls._with_rows(x, given, batch)
        place = {a.number: i for i, a in enumerate(spatial)}
        h_order = tuple(sorted(range(len(given)), key=lambda i: place[given[i].number]))
        alone = tuple(a for a in batch if a not in place)
        return cls(
            x.shape, h_shape, h.shape, h_order, spatial, alone, tuple(groups), tuple(outs)
        )  # fmt: skip

    @classmethod
    def _with_rows(
        cls, x: ShapeDtype, given: Sequence[_Axis], batch: Sequence[int]
    ) -> tuple[_Axis, ...]:
        """The convolved axes, and batch axes behind them as convolved by one tap.

        Then rows are read as they lie in memory, where they are long enough to be worth it.
        """
        first = min(a.number for a in given)
        behind = [a for a in batch if a > first]
        worth = x.ndim - 1 in behind and x.shape[-1] >= cls.LONG_ROW
        if not worth or len(given) + len(behind) > cls.MOST_AXES:
            return tuple(given)
        rows = [_Axis(x.shape[a], a) for a in behind]
        return tuple(sorted([*given, *rows], key=lambda a: a.number))

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
        numbers = tuple(a.number for a in self.spatial)
        order = self.batch_axes + self.group_axes + self.out_axes + numbers
        plain = order == tuple(range(len(order)))
        lead = (problem.batch, problem.groups, problem.group_out)
        out_shape = [0] * len(order)
        for a in order:
            out_shape[a] = self.x_shape[a] if self.h_shape[a] == 1 else self.h_shape[a]
        for a, n in zip(numbers, sizes, strict=True):
            out_shape[a] = n
        permuted = None if plain else order
        whole = self.h_given == self.h_shape
        split, kernel_order = (self.h_shape, permuted) if whole else (None, self.h_order)
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
