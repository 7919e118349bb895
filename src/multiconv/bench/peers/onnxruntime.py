"""ONNX Runtime: `Conv` and `ConvTranspose`, their weights prepared in a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .._case import Case
from ._layer import Threads, is_layer, is_transposed
from ._offer import Offer

DISTRIBUTION = "onnxruntime"
OPSET, IR = 17, 9
threads = Threads()


def offers(case: Case) -> Iterator[Offer]:
    """Layers of float32, up to rank 3."""
    if not is_layer(case):
        return
    session = _session(case)
    feed = {"x": onnxruntime.OrtValue.ortvalue_from_numpy(case.x)}
    yield Offer("onnxruntime", lambda: session.run_with_ort_values(None, feed)[0].numpy())


def _session(case: Case) -> Any:
    p, transposed = case.entry.problem, is_transposed(case)
    cuts = case.spelling.options["padding"]
    attributes: dict[str, Any] = {
        "kernel_shape": p.kernel, "dilations": p.dilation, "group": p.groups,
        "strides": p.in_dilation if transposed else p.stride,
        "pads": [*(low for low, _ in cuts), *(high for _, high in cuts)],
    }  # fmt: skip
    if transposed and "output_padding" in case.spelling.options:
        attributes["output_padding"] = case.spelling.options["output_padding"]
    node = helper.make_node("ConvTranspose" if transposed else "Conv", ["x", "w"], ["y"],
                            **attributes)  # fmt: skip
    graph = helper.make_graph(
        [node], "layer", [helper.make_tensor_value_info("x", TensorProto.FLOAT, case.x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ascontiguousarray(case.w), "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads.count
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
