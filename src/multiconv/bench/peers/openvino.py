"""OpenVINO: a compiled model of one layer; results lie in memory that the next call reuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from .._case import Case
from ._layer import Threads, is_byte_layer, is_layer, is_transposed
from ._offer import Offer

DISTRIBUTION = "openvino"
_core = openvino.Core()
threads = Threads()


def offers(case: Case) -> Iterator[Offer]:
    """Layers of float32 and of bytes, up to rank 3."""
    if not is_layer(case) and not is_byte_layer(case):
        return
    data = ops.parameter(case.x.shape, case.x.dtype, name="x")
    if is_transposed(case):
        node = _transposed(case, data)
    elif is_layer(case):
        node = _forward(case, data, case.w)
    else:
        node = _forward(case, *_bytes(case, data))
    settings = {"INFERENCE_NUM_THREADS": threads.count, "INFERENCE_PRECISION_HINT": "f32",
                "PERFORMANCE_HINT": "LATENCY"}  # fmt: skip
    compiled = _core.compile_model(openvino.Model([node], [data]), "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(case.x, shared_memory=True))

    def run() -> Any:
        request.infer()
        return request.get_output_tensor().data

    yield Offer("openvino", run)


def _bytes(case: Case, data: Any) -> tuple[Any, Any]:
    """Data and weights in the words that make it multiply bytes."""
    bounds = np.iinfo(case.x.dtype)
    low, high = np.float32(bounds.min), np.float32(bounds.max)
    data = ops.fake_quantize(ops.convert(data, "f32"), low, high, low, high, 256)
    scale = np.ones((len(case.w), *(1,) * (case.w.ndim - 1)), np.float32)
    return data, ops.multiply(ops.convert(ops.constant(case.w), "f32"), scale)


def _forward(case: Case, data: Any, w: Any) -> Any:
    p = case.entry.problem
    lows, highs = zip(*p.padding, strict=True)
    if p.groups == 1:
        return ops.convolution(data, w, p.stride, lows, highs, p.dilation)
    shape = np.array((p.groups, p.group_out, p.group_in, *p.kernel))
    grouped = ops.reshape(w, shape, special_zero=False)
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
