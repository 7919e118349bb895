"""OpenVINO: inference in float32, results in memory that the next call reuses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from .._case import ModelCase, Run
from ._contestant import Contestant
from ._onnx import exported


def ways(case: ModelCase) -> Iterator[Contestant]:
    """One, if no training is asked for."""
    if not case.training:
        yield Contestant("openvino", partial(_ready, case))


def _ready(case: ModelCase) -> Run:
    import openvino

    # Without the hint it would compute in bfloat16 where the CPU can.
    settings = {"INFERENCE_NUM_THREADS": case.threads, "INFERENCE_PRECISION_HINT": "f32",
                "PERFORMANCE_HINT": "LATENCY"}  # fmt: skip
    compiled = openvino.Core().compile_model(exported(case), "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(case.x.numpy(), shared_memory=True))

    def run() -> Any:
        request.infer()
        return request.get_output_tensor().data

    return run
