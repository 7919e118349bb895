"""ONNX Runtime: inference."""

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
        yield Contestant("onnxruntime", partial(_ready, case))


def _ready(case: ModelCase) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case.threads
    session = onnxruntime.InferenceSession(
        exported(case), options, providers=["CPUExecutionProvider"]
    )
    feed = {"x": onnxruntime.OrtValue.ortvalue_from_numpy(case.x.numpy())}

    def run() -> Any:
        return session.run_with_ort_values(None, feed)[0].numpy()

    return run
