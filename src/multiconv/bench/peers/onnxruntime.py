"""ONNX Runtime: `Conv` and `ConvTranspose`, their weights prepared in a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .._case import Case
from ._layer import layer
from ._offer import Offer

DISTRIBUTION = "onnxruntime"
OPSET, IR = 17, 9
_threads = 1


@contextmanager
def threads(n: int) -> Iterator[None]:
    """As many in every session that is made."""
    global _threads
    before, _threads = _threads, n
    try:
        yield
    finally:
        _threads = before


def offers(case: Case) -> Iterator[Offer]:
    """Layers of float32, up to rank 3."""
    found = layer(case)
    if found is None or case.entry.problem.rank > 3:
        return
    session = _session(case, found.transposed)
    feed = {"x": onnxruntime.OrtValue.ortvalue_from_numpy(case.x)}
    yield Offer("onnxruntime", lambda: session.run_with_ort_values(None, feed)[0].numpy())


def _session(case: Case, transposed: bool) -> Any:
    p = case.entry.problem
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
    options.intra_op_num_threads = _threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
