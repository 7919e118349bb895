"""ONNX Runtime: its layers, their weights prepared in a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

from .._case import Case
from ._layer import Threads, is_byte_layer, is_layer, is_transposed
from ._offer import Offer

DISTRIBUTION = "onnxruntime"
OPSET, IR = 17, 9
threads = Threads()


def offers(case: Case) -> Iterator[Offer]:
    """Layers of float32 and of bytes, up to rank 3."""
    if is_layer(case):
        operator = "ConvTranspose" if is_transposed(case) else "Conv"
        yield Offer("onnxruntime", _call(case, operator, {"w": case.w}))
    elif is_byte_layer(case):
        yield Offer("onnxruntime", _call(case, "ConvInteger", {"w": case.w}))
        yield _rounded(case)


def _rounded(case: Case) -> Offer:
    """Sums as bytes again, at a scale that they hardly ever leave."""
    p = case.entry.problem
    sigma = np.sqrt(p.group_in * np.prod(p.kernel) * np.mean(np.square(case.x, dtype=float))
                    * np.mean(np.square(case.w, dtype=float)))  # fmt: skip
    one, unit = np.float32(1), np.float32(sigma / 16)
    middle = p.x_dtype.type(np.iinfo(p.x_dtype).max // 2 + 1 if p.x_dtype.kind == "u" else 0)
    constants = {"x_scale": one, "x_zero": p.x_dtype.type(0), "w": case.w, "w_scale": one,
                 "w_zero": np.int8(0), "y_scale": unit, "y_zero": middle}  # fmt: skip
    run = _call(case, "QLinearConv", constants)
    return Offer("onnxruntime bytes", run, levels=float(unit), unit=float(unit), zero=float(middle))


def _call(case: Case, operator: str, constants: dict[str, Any]) -> Callable[[], Any]:
    session = _session(case, operator, constants)
    feed = {"x": onnxruntime.OrtValue.ortvalue_from_numpy(case.x)}
    return lambda: session.run_with_ort_values(None, feed)[0].numpy()


def _session(case: Case, operator: str, constants: dict[str, Any]) -> Any:
    p = case.entry.problem
    cuts = case.spelling.options["padding"]
    attributes: dict[str, Any] = {
        "kernel_shape": p.kernel, "dilations": p.dilation, "group": p.groups,
        "strides": p.in_dilation if is_transposed(case) else p.stride,
        "pads": [*(low for low, _ in cuts), *(high for _, high in cuts)],
    }  # fmt: skip
    if "output_padding" in case.spelling.options:
        attributes["output_padding"] = case.spelling.options["output_padding"]
    node = helper.make_node(operator, ["x", *constants], ["y"], **attributes)
    kinds = {"Conv": "float32", "ConvTranspose": "float32", "ConvInteger": "int32"}
    result = helper.np_dtype_to_tensor_dtype(np.dtype(kinds.get(operator, p.x_dtype)))
    given = helper.np_dtype_to_tensor_dtype(p.x_dtype)
    graph = helper.make_graph(
        [node], "layer", [helper.make_tensor_value_info("x", given, case.x.shape)],
        [helper.make_tensor_value_info("y", result, None)],
        [numpy_helper.from_array(np.ascontiguousarray(v).reshape(np.shape(v)), name)
         for name, v in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads.count
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
