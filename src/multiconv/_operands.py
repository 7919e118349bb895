"""What functions built on the engine ask of their data and kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.kernels._arguments import integer


def convolved_axes(name: str, x: Array, h: Array, axes: Any) -> tuple[int, ...]:
    """The axes of ``x``, the argument ``name``, to convolve: one for each of ``h``."""
    if not 0 < h.ndim <= x.ndim:
        raise ValueError(
            f"h: shape {h.shape} has {h.ndim} axes, allowed are 1 to {x.ndim} (those of {name})"
        )
    if axes is None:
        return tuple(range(x.ndim - h.ndim, x.ndim))
    named = axes if isinstance(axes, (tuple, list)) else (axes,)
    found = tuple(integer("axes", a, low=-x.ndim, high=x.ndim - 1) % x.ndim for a in named)
    if len(found) != h.ndim or len(set(found)) != len(found):
        raise ValueError(f"axes: {axes!r} is not allowed, name {h.ndim} axes of {name}, each once")
    return found


def floating_dtype(x: Array, h: Array) -> np.dtype:
    """The floating-point dtype of both, float32 at least; float64 for integers."""
    kinds = [np.dtype(np.float64) if a.dtype.kind in "biu" else a.dtype for a in (x, h)]
    return np.result_type(*kinds, np.float32)
