"""A call of the engine as one line of text, which compiled programs carry, and back.

Programs are kept on disk and run by other processes, so the text says all there is to know.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from multiconv import _api
from multiconv import _geometry as geometry
from multiconv._conventions import Layout, Request, ShapeDtype
from multiconv._problem import Precision, Problem, accumulator
from multiconv._typing import Array
from multiconv.algorithms._base import NO_EPILOGUE
from multiconv.jax._form import Form, back, in_order

_SEPARATOR = " | "
_KERNEL_IS_DATA = "kernel_is_data"


def problem_of(
    form: Form, lhs: ShapeDtype, rhs: ShapeDtype, dtype: np.dtype, precision: Precision
) -> Problem:
    """The engine's problem, for a result of ``dtype``."""
    n, g, c, *space = in_order(lhs.shape, form.lhs)
    _, o, _, *size = in_order(rhs.shape, form.rhs)
    innermost = lhs.ndim - 1
    return Problem(
        in_size=tuple(space), kernel=tuple(size), batch=n, groups=g, in_channels=g * c,
        out_channels=g * o, stride=form.stride, dilation=form.dilation,
        in_dilation=form.in_dilation, padding=form.padding, flip=form.flip,
        data_format="channels_first" if form.lhs[-1] == innermost else "channels_last",
        x_dtype=lhs.dtype, w_dtype=rhs.dtype, acc_dtype=accumulator(dtype), out_dtype=dtype,
        precision=precision,
    )  # fmt: skip


def spell(problem: Problem, form: Form) -> str:
    """The text of a call, planned once so that what the engine refuses is refused now."""
    axes = [" ".join(map(str, axes)) for axes in (form.lhs, form.rhs, form.out)]
    text = _SEPARATOR.join([str(problem), *axes, *[_KERNEL_IS_DATA] * form.kernel_is_data])
    call = _read(text)
    _api._plan_for(_request, call.lhs, call.rhs, NO_EPILOGUE, "auto", (text,))
    return text


def run(text: bytes, lhs: int, rhs: int, out: int) -> None:
    """Compute a call on arrays at three addresses, each contiguous and of the call's shape."""
    call = _read(text.decode())
    arrays = call.lhs.at(lhs), call.rhs.at(rhs)
    names, options = ("lhs", "rhs"), (call.text,)
    _api._run(_request, *arrays, options, NO_EPILOGUE, "auto", call.out.at(out), names)


class _Memory(ShapeDtype):
    """What lies at an address."""

    def at(self, address: int) -> Array:
        """The array there, without a copy."""
        size = math.prod(self.shape) * self.dtype.itemsize
        memory = (ctypes.c_char * size).from_address(address)
        return np.ndarray(self.shape, self.dtype, memory)


@dataclass(frozen=True)
class _Call:
    text: str
    request: Request
    lhs: _Memory
    rhs: _Memory
    out: _Memory


@lru_cache(maxsize=4096)
def _read(text: str) -> _Call:
    """The call that a text spells."""
    words, *orders = text.split(_SEPARATOR)
    p = Problem.parse(words)
    axes = [tuple(map(int, order.split())) for order in orders[:3]]
    views = (
        (p.batch, p.groups, p.group_in, *p.in_size),
        (p.groups, p.group_out, p.group_in, *p.kernel),
        (p.batch, p.groups, p.group_out, *geometry.out_size(p)),
    )
    shapes = [in_order(view, back(order)) for view, order in zip(views, axes, strict=True)]
    lhs, rhs, out = (Layout(None, *pair) for pair in zip(axes, views, strict=True))
    request = Request(
        p, lhs, rhs, out, shapes[2], shapes[0], shapes[1], kernel_is_data=_KERNEL_IS_DATA in orders
    )
    memories = map(_Memory, shapes, (p.x_dtype, p.w_dtype, p.out_dtype))
    return _Call(text, request, *memories)


def _request(lhs: ShapeDtype, rhs: ShapeDtype, text: str) -> Request:
    """As the engine's other conventions: shapes and options to a problem."""
    return _read(text).request
