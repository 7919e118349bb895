"""Valid problems drawn by hypothesis, small enough to run; edges of tiles more than others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st

from multiconv._geometry import dilated, window
from multiconv._problem import ACTIVATIONS, BOUNDARIES, Problem, accumulator, dtype_from_name

DTYPES = (
    "float32", "float64", "complex64", "complex128", "float16", "bool", "int8", "uint8", "int16",
    "uint16", "int32", "uint32", "int64", "uint64",
    *(["bfloat16"] if find_spec("ml_dtypes") else []),
)  # fmt: skip
T = TypeVar("T")
WIDTHS = (4, 8, 16, 32, 48, 64, 128)
"""Multiples of vectors and register blocks, around which sizes are drawn more often."""


@st.composite
def problems(
    draw: st.DrawFn, max_rank: int = 4, work: int = 60_000, dtypes: Sequence[str] = DTYPES
) -> Problem:
    """Any valid problem of rank 1 to ``max_rank`` with about ``work`` products at most."""
    rank = draw(st.integers(1, max_rank))
    work = int(work ** draw(st.sampled_from([0.6, 0.8, 1.0])))
    groups = draw(_few(3))
    group_in, group_out = draw(_few(9)), draw(st.one_of(_few(4), _around(20)))
    batch = draw(_few(3))
    work = max(work // (groups * group_in * group_out * batch), 2**rank)
    kernel: list[int] = []
    sizes: list[int] = []
    for axis in range(rank):
        share = math.ceil(work ** (1 / (rank - axis)))
        taps = draw(st.integers(1, max(min(share // 2, 9 if rank > 1 else 70), 1)))
        size = draw(st.one_of(_few(9), _around(max(share // taps, 3))))
        while size in sizes:
            size += 1
        kernel.append(taps)
        sizes.append(size)
        work = max(work // (taps * size), 1)
    stride = draw(_per_axis(rank, _few(5)))
    dilation = draw(_per_axis(rank, _few(4)))
    in_dilation = draw(st.one_of(st.just((1,) * rank), _per_axis(rank, _few(3))))
    wins = [window(k, d) for k, d in zip(kernel, dilation, strict=True)]
    extents = [dilated(n, i) for n, i in zip(sizes, in_dilation, strict=True)]
    x, w, out = draw(_dtypes(dtypes))
    real = out.kind not in "biuc"
    return Problem(
        in_size=tuple(sizes), kernel=tuple(kernel), batch=batch, groups=groups,
        in_channels=groups * group_in, out_channels=groups * group_out, stride=stride,
        dilation=dilation, in_dilation=in_dilation,
        padding=tuple(draw(_padding(e, w)) for e, w in zip(extents, wins, strict=True)),
        boundary=draw(_per_axis(rank, st.sampled_from(BOUNDARIES))), cval=draw(_cval(out)),
        flip=draw(st.booleans()),
        data_format=draw(st.sampled_from(["channels_first", "channels_last"])),
        x_dtype=x, w_dtype=w, acc_dtype=accumulator(out), out_dtype=out, bias=draw(st.booleans()),
        scale=draw(_seldom), residual=draw(_seldom), slope=draw(st.sampled_from([0.01, 0.2, -1.0])),
        activation=draw(st.sampled_from([None, None, *ACTIVATIONS])) if real else None,
        precision=draw(st.sampled_from(["default", "default", "highest", "fast"])),
    )  # fmt: skip


_seldom = st.sampled_from([False, False, True])


def _few(most: int) -> st.SearchStrategy[int]:
    """Mostly 1."""
    return st.one_of(st.just(1), st.integers(1, most))


def _around(most: int) -> st.SearchStrategy[int]:
    """Sizes at the edges of tiles, and others."""
    edges = [n + d for n in WIDTHS for d in (-1, 0, 1) if n + d <= most]
    every = st.integers(1, most)
    return st.one_of(every, st.sampled_from(edges)) if edges else every


def _per_axis(rank: int, one: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.one_of(st.tuples(*[one] * rank), one.map(lambda v: (v,) * rank))


@st.composite
def _padding(draw: st.DrawFn, extent: int, win: int) -> tuple[int, int]:
    """None, little, crops, whole windows, or several times the data; what fits, at any rate."""
    most = draw(st.sampled_from([0, 1, win, 3 * extent]))
    low = draw(st.integers(-min(extent, 3), min(most, 40)))
    high = draw(st.integers(-min(extent, 3), min(most, 40)))
    return low, max(high, win - extent - low)


def _cval(dtype: np.dtype) -> st.SearchStrategy[complex]:
    special: list[complex] = [1, 2, 3]
    if dtype.kind == "b":
        special = [1]
    elif dtype.kind in "iu":
        special = [1, int(np.iinfo(dtype).max), int(np.iinfo(dtype).min)]
    elif dtype.kind == "c":
        special += [0.5 - 2j, complex(0, 1)]
    else:
        special += [-0.75, math.inf]
    return st.one_of(st.just(0), st.sampled_from(special))


@st.composite
def _dtypes(draw: st.DrawFn, names: Sequence[str]) -> tuple[np.dtype, np.dtype, np.dtype]:
    """The dtypes of data, kernel and result."""
    x = dtype_from_name(draw(st.sampled_from(names)))
    if draw(st.sampled_from([True, True, False])):
        return x, x, x
    others = [n for n in names if ("bfloat16" in (n, x.name)) <= (n == x.name)]
    w = dtype_from_name(draw(st.sampled_from(others)))
    result = np.result_type(x, w)
    wider = [d for d in map(dtype_from_name, others) if np.can_cast(result, d, "safe")]
    return x, w, draw(st.sampled_from([result, result, *wider]))
