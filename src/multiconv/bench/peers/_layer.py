"""What the libraries of networks share: which layers they run, and on how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._case import Case


class Threads:
    """How many threads a library is told to use when its calls are made ready."""

    def __init__(self) -> None:
        self.count = 1

    @contextmanager
    def __call__(self, n: int) -> Iterator[None]:
        """As many inside a ``with`` block."""
        before, self.count = self.count, n
        try:
            yield
        finally:
            self.count = before


def is_layer(case: Case) -> bool:
    """Whether a case is a forward layer of float32 with zeros outside, up to rank 3."""
    return _plain(case) and case.entry.problem.x_dtype.name == "float32"


def is_byte_layer(case: Case) -> bool:
    """Whether it is one of bytes, summed in int32."""
    p = case.entry.problem
    bytes_ = p.x_dtype.itemsize == p.w_dtype.itemsize == 1 and p.w_dtype.name == "int8"
    return _plain(case) and bytes_ and p.out_dtype.name == "int32" and not is_transposed(case)


def _plain(case: Case) -> bool:
    p = case.entry.problem
    channels = max(p.groups, p.in_channels, p.out_channels) > 1
    zeros = set(p.boundary) == {"constant"} and p.cval == 0
    forward = case.entry.direction == "forward" and not case.entry.filter
    as_it_is = not p.flip or is_transposed(case)
    return channels and zeros and forward and as_it_is and p.rank <= 3


def is_transposed(case: Case) -> bool:
    """Whether it is a transposed layer."""
    return max(case.entry.problem.in_dilation) > 1
