"""The public call that means a Problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import multiconv as mc
from multiconv._geometry import MODES, mode_padding, window
from multiconv._problem import Problem, takes_slope


@dataclass(frozen=True)
class Spelling:
    """A public function and all its arguments but the arrays."""

    function: Callable[..., Any]
    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    options: dict[str, Any]


def spell(problem: Problem) -> Spelling:
    """A signal's or an image's words where they can say it, else a layer's."""
    if max(problem.in_dilation) > 1:
        return _transposed(problem)
    modes = axis_modes(problem)
    layer = max(problem.groups, problem.in_channels, problem.out_channels) > 1
    if layer or modes is None or problem.bias or problem.activation:
        return _layer(problem)
    options: dict[str, Any] = {"mode": _one(modes)} | _geometry(problem)
    if problem.boundary != ("constant",) * problem.rank:
        options["boundary"] = _one(problem.boundary)
    options |= _dtype(problem)
    lead = (problem.batch,) if problem.batch > 1 else ()
    function = mc.convolve if problem.flip else mc.correlate
    return Spelling(function, (*lead, *problem.in_size), problem.kernel, options)


def axis_modes(problem: Problem) -> tuple[str, ...] | None:
    """The mode of each axis, or None where the padding is no mode's."""
    found = []
    for kernel, dilation, pair in zip(
        problem.kernel, problem.dilation, problem.padding, strict=True
    ):
        win = window(kernel, dilation)
        fitting = [m for m in ("same", *MODES) if mode_padding(m, win) == pair]
        if not fitting:
            return None
        found.append(fitting[0])
    return tuple(found)


def _layer(p: Problem) -> Spelling:
    options = _geometry(p) | {"padding": p.padding} | _dtype(p)
    if p.groups > 1:
        options["groups"] = p.groups
    if p.boundary != ("constant",) * p.rank:
        options["padding_mode"] = _one(p.boundary)
    if p.flip:
        options["flip"] = True
    if p.activation:
        slope = f":{p.slope}" if takes_slope(p.activation) else ""
        options["activation"] = p.activation + slope
    x_shape = (p.batch, p.in_channels, *p.in_size)
    w_shape = (p.out_channels, p.group_in, *p.kernel)
    if p.data_format == "channels_last":
        options["data_format"] = p.data_format
        x_shape = (p.batch, *p.in_size, p.in_channels)
        w_shape = (*p.kernel, p.group_in, p.out_channels)
    return Spelling(mc.conv, x_shape, w_shape, options)


def _transposed(p: Problem) -> Spelling:
    """A layer's transpose, laid out as that layer: from its outputs back to its inputs."""
    cuts = [(window(k, d) - 1 - lo, window(k, d) - 1 - hi)
            for k, d, (lo, hi) in zip(p.kernel, p.dilation, p.padding, strict=True)]  # fmt: skip
    padding = tuple((lo, max(hi, 0)) for lo, hi in cuts)
    options: dict[str, Any] = {"stride": _one(p.in_dilation), "padding": padding}
    extra = tuple(max(-hi, 0) for _, hi in cuts)
    if any(extra):
        options["output_padding"] = extra
    if max(p.dilation) > 1:
        options["dilation"] = _one(p.dilation)
    if p.groups > 1:
        options["groups"] = p.groups
    x_shape = (p.batch, p.in_channels, *p.in_size)
    return Spelling(mc.conv_transpose, x_shape, (p.in_channels, p.group_out, *p.kernel), options)


def _geometry(problem: Problem) -> dict[str, Any]:
    given = {"stride": problem.stride, "dilation": problem.dilation}
    return {name: _one(values) for name, values in given.items() if max(values) > 1}


def _dtype(problem: Problem) -> dict[str, Any]:
    usual = np.result_type(problem.x_dtype, problem.w_dtype)
    return {} if problem.out_dtype == usual else {"dtype": problem.out_dtype}


def _one(values: tuple[Any, ...]) -> Any:
    return values[0] if len(set(values)) == 1 else values
