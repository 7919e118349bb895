"""Who runs a network, each at its best setting: one file a library, with ``ways(case)``.

A way is made ready outside the time that counts; its first call may compile.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._case import ModelCase
from . import multiconv, onnxruntime, openvino, torch
from ._contestant import Contestant


def contestants(case: ModelCase) -> Iterator[Contestant]:
    """Every way to run a case, ours first."""
    for library in (multiconv, torch, onnxruntime, openvino):
        yield from library.ways(case)


__all__ = ["Contestant", "contestants"]
