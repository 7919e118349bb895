"""``multiconv explain``: how a convolution of given shapes would be computed, and why."""

from __future__ import annotations

import inspect
import math
import re
from typing import Annotated, Any

import numpy as np
import typer

import multiconv as mc
from multiconv._machine import parse_bytes
from multiconv._planner import planner
from multiconv._problem import Problem
from multiconv._traits import UNKNOWN
from multiconv.outofcore import Cluster

from ._arguments import padding_of, per_axis, sizes
from ._cluster_report import estimate
from ._cluster_report import show as show_estimate
from ._explanation import show
from ._kernel_argument import parse

FUNCTIONS = ("convolve", "correlate", "conv", "conv_transpose", "conv_input_grad",
             "conv_weight_grad")  # fmt: skip


def explain(
    function: Annotated[str | None, typer.Argument(
        metavar="FUNCTION", show_default=False,
        help=f"One of {', '.join(FUNCTIONS)}.")] = None,
    x: Annotated[str | None, typer.Argument(
        metavar="X", help="Shape of the data, as 1x64x56x56.", show_default=False)] = None,
    w: Annotated[str | None, typer.Argument(
        metavar="W", show_default=False,
        help="Shape of the kernel, or a KERNEL as 'multiconv apply' takes it.")] = None,
    problem: Annotated[str | None, typer.Option(
        metavar="TEXT", show_default=False,
        help="A problem's canonical string instead, as \"mb1 ic64 oc64 in56x56 k3x3\".")] = None,
    mode: Annotated[str | None, typer.Option(
        metavar="WORD", help="full, same or valid.", show_default=False)] = None,
    boundary: Annotated[str | None, typer.Option(
        metavar="WORD", help="constant, edge, reflect, symmetric or wrap.",
        show_default=False)] = None,
    stride: Annotated[str | None, typer.Option(
        metavar="N[,N]", help="On all axes or on each.", show_default=False)] = None,
    dilation: Annotated[str | None, typer.Option(
        metavar="N[,N]", help="On all axes or on each.", show_default=False)] = None,
    padding: Annotated[str | None, typer.Option(
        metavar="N[,N]", help="On all axes or on each, low:high where the ends differ, or same.",
        show_default=False)] = None,
    output_padding: Annotated[str | None, typer.Option(
        metavar="N[,N]", help="Of conv_transpose.", show_default=False)] = None,
    groups: Annotated[int | None, typer.Option(
        metavar="N", help="Of the layers.", show_default=False)] = None,
    data_format: Annotated[str | None, typer.Option(
        metavar="WORD", help="channels_first or channels_last.", show_default=False)] = None,
    x_shape: Annotated[str | None, typer.Option(
        metavar="SHAPE", help="Of conv_input_grad's result.", show_default=False)] = None,
    w_shape: Annotated[str | None, typer.Option(
        metavar="SHAPE", help="Of conv_weight_grad's result.", show_default=False)] = None,
    dtype: Annotated[str, typer.Option(metavar="TYPE", help="Of data and kernel.")] = "float64",
    precision: Annotated[str | None, typer.Option(
        metavar="WORD", help="highest, default or fast.", show_default=False)] = None,
    method: Annotated[str, typer.Option(metavar="NAME", help="Force an algorithm.")] = "auto",
    cluster: Annotated[int | None, typer.Option(
        metavar="N", show_default=False,
        help="Say instead how long it takes in blocks on N machines like this one.")] = None,
    memory: Annotated[str, typer.Option(
        metavar="SIZE", help="What each of them may take.")] = "2GB",
    network: Annotated[str, typer.Option(
        metavar="SIZE", help="What each of them moves from and to the store, a second.")]
        = "1.25GB",
    store: Annotated[str | None, typer.Option(
        metavar="SIZE", show_default=False,
        help="What the store moves for all of them, a second. Default: whatever they ask for.")]
        = None,
) -> None:  # fmt: skip
    """Print which algorithm would run for given shapes, and why; no data are needed.

    Every algorithm is listed with its predicted time, scratch memory and error, or the reason of
    its refusal. A kernel given by name or literal is looked at, so what its values allow counts.
    """
    if problem is not None:
        _refuse_arguments(function)
        step = planner.step(Problem.parse(problem), UNKNOWN, method)
        show(mc.Explanation(str(step.problem), step.rows, tuple(step.tree())))
        return
    if function is None or x is None or w is None:
        raise ValueError("explain: give a FUNCTION, X and W, or --problem")
    if function not in FUNCTIONS:
        allowed = ", ".join(FUNCTIONS)
        raise ValueError(f"function: {function!r} is not allowed, give one of {allowed}")
    given = {
        "mode": mode, "boundary": boundary, "groups": groups, "data_format": data_format,
        "precision": precision, "stride": stride and per_axis(stride, "stride"),
        "dilation": dilation and per_axis(dilation, "dilation"),
        "padding": padding and padding_of(padding),
        "output_padding": output_padding and per_axis(output_padding, "output_padding"),
        "x_shape": x_shape and sizes(x_shape, "x_shape"),
        "w_shape": w_shape and sizes(w_shape, "w_shape"),
    }  # fmt: skip
    data = mc.ShapeDtype(sizes(x, "X"), dtype)
    options = {name: value for name, value in given.items() if value is not None}
    _check_options(function, options)
    if cluster is not None:
        limits = Cluster(_counted(cluster), parse_bytes(network, "network"),
                         math.inf if store is None else parse_bytes(store, "store"))  # fmt: skip
        _show_cluster(function, data, _kernel(w, data), options, limits, memory)
        return
    plan = mc.plan(getattr(mc, function), data, _kernel(w, data), method=method, **options)
    show(plan.explain())


def _check_options(function: str, options: dict[str, Any]) -> None:
    taken = inspect.signature(getattr(mc, function)).parameters
    for name in options:
        if name not in taken:
            raise ValueError(f"{name}: is not allowed, {function} has no such argument")


def _show_cluster(
    function: str, data: mc.ShapeDtype, taps: Any, options: dict[str, Any], cluster: Cluster,
    memory: str,
) -> None:  # fmt: skip
    if function != "convolve":
        raise ValueError(f"cluster: {function!r} is not allowed, blocks are those of convolve")
    if isinstance(taps, mc.ShapeDtype):
        taps = np.random.default_rng(0).standard_normal(taps.shape).astype(taps.dtype)
    given = {"mode": "full", "boundary": "constant", **options}
    limit = parse_bytes(memory, "memory")
    show_estimate(estimate(data, taps, given, limit, cluster.workers), cluster)


def _counted(workers: int) -> int:
    if workers < 1:
        raise ValueError(f"cluster: {workers} machines are too few, give at least 1")
    return workers


def _refuse_arguments(function: object) -> None:
    if function is not None:
        raise ValueError("problem: takes the place of FUNCTION, X and W, give one or the other")


def _kernel(text: str, data: mc.ShapeDtype) -> Any:
    if re.fullmatch(r"\d+([x,]\d+)*", text):
        return mc.ShapeDtype(sizes(text, "W"), data.dtype)
    taps = parse(text, ndim=min(data.ndim, 2) or None).array
    return taps.astype(data.dtype) if data.dtype.kind in "fc" else taps
