"""A network as an ONNX file, for the libraries that read one."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from .._case import ModelCase


def exported(case: ModelCase) -> Path:
    """The file, written at the first call."""
    path = case.folder / "model.onnx"
    if not path.exists():
        model, x = case.model()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter that needs no further package is old
            torch.onnx.export(
                model, (x,), path, dynamo=False, input_names=["x"], output_names=["y"]
            )
    return path
