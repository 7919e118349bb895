"""How many threads everyone has, and whose versions run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

import torch

LIBRARIES = "torch", "onnxruntime", "openvino"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """As many for torch; other libraries are told with each model."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def versions() -> dict[str, str]:
    """Of the libraries that may take part."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
