"""OpenVINO: a compiled model of one layer; results lie in memory that the next call reuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from .._case import Case
from ._layer import Threads, is_layer, is_transposed
from ._offer import Offer

DISTRIBUTION = "openvino"
_core = openvino.Core()
threads = Threads()


def offers(case: Case) -> Iterator[Offer]:
    """Layers of float32, up to rank 3."""
    if not is_layer(case):
        return
    data = ops.parameter(case.x.shape, np.float32, name="x")
    node = _transposed(case, data) if is_transposed(case) else _forward(case, data)
    settings = {"INFERENCE_NUM_THREADS": threads.count, "INFERENCE_PRECISION_HINT": "f32",
                "PERFORMANCE_HINT": "LATENCY"}  # fmt: skip
    compiled = _core.compile_model(openvino.Model([node], [data]), "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(case.x, shared_memory=True))

    def run() -> Any:
        request.infer()
        return request.get_output_tensor().data

    yield Offer("openvino", run)


def _forward(case: Case, data: Any) -> Any:
    p = case.entry.problem
    lows, highs = zip(*p.padding, strict=True)
    if p.groups == 1:
        return ops.convolution(data, case.w, p.stride, lows, highs, p.dilation)
    grouped = case.w.reshape(p.groups, p.group_out, p.group_in, *p.kernel)
    return ops.group_convolution(data, grouped, p.stride, lows, highs, p.dilation)


def _transposed(case: Case, data: Any) -> Any:
    p, options = case.entry.problem, case.spelling.options
    lows, highs = zip(*options["padding"], strict=True)
    extra = options.get("output_padding", (0,) * p.rank)
    if p.groups == 1:
        return ops.convolution_backprop_data(
            data, case.w, p.in_dilation, pads_begin=lows, pads_end=highs, dilations=p.dilation,
            output_padding=extra,
        )  # fmt: skip
    grouped = case.w.reshape(p.groups, -1, p.group_out, *p.kernel)
    return ops.group_convolution_backprop_data(
        data, grouped, p.in_dilation, pads_begin=lows, pads_end=highs, dilations=p.dilation,
        output_padding=extra,
    )  # fmt: skip
