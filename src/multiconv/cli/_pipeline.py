"""KERNEL as one kernel, or several in a row: ``gaussian:sigma=2 | sobel``."""

from __future__ import annotations

from collections.abc import Sequence

from multiconv.io import Data

from ._kernel_argument import Kernel, parse


def parse_all(text: str) -> list[Kernel]:
    """The kernels that ``|`` separates, each as `parse` takes it."""
    parts = [part.strip() for part in text.split("|")]
    if len(parts) > 1 and not all(parts):
        raise ValueError(
            f"kernel: {text!r} has nothing on one side of a |, write gaussian:sigma=2 | sobel"
        )
    return [parse(part) for part in parts]


def suited(text: str, early: Sequence[Kernel], data: Data) -> list[Kernel]:
    """The same kernels, of as many axes as suit an input if they are named ones."""
    ndim = min(len(data.spatial_axes), 2) or 1
    return [kernel if kernel.data is not None else parse(part.strip(), ndim=ndim)
            for part, kernel in zip(text.split("|"), early, strict=True)]  # fmt: skip


def label(kernels: Sequence[Kernel]) -> str:
    """How to call them together."""
    return " | ".join(kernel.label for kernel in kernels)
