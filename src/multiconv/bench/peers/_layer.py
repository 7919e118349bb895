"""What libraries of networks can run."""

from __future__ import annotations

from dataclasses import dataclass

from .._case import Case


@dataclass(frozen=True)
class Layer:
    """A forward layer of float32 with zeros outside."""

    transposed: bool


def layer(case: Case) -> Layer | None:
    """The layer that a case is, if it is one."""
    p = case.entry.problem
    channels = max(p.groups, p.in_channels, p.out_channels) > 1
    zeros = set(p.boundary) == {"constant"} and p.cval == 0
    if not channels or case.entry.filter or case.entry.direction != "forward" or not zeros:
        return None
    transposed = max(p.in_dilation) > 1
    if p.x_dtype.name != "float32" or (p.flip and not transposed):
        return None
    return Layer(transposed)
