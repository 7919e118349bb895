"""Samples of a file as numbers to compute with, and back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from multiconv import _memory

PIECE = 2**15
"""Values that are rounded at once, which stay in the processor's cache meanwhile."""

Signed = Literal["clip", "abs", "offset"]
Array = NDArray[Any]


def working_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The floats in which every sample is exact: float32 up to 8 bits."""
    if dtype.kind in "fc":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize == 1 else np.float64)


def working(samples: Array) -> Array:
    """Samples as floating-point numbers."""
    return samples.astype(working_type(samples.dtype), copy=False)


def premultiplied(samples: Array, full: float) -> Array:
    """Colours times their opacity, the last channel, ``full`` where nothing shows through."""
    opacity = samples[..., -1:]
    return np.concatenate([samples[..., :-1] * (opacity / full), opacity], axis=-1)


def straight(samples: Array, full: float) -> Array:
    """The inverse of `premultiplied`: colours over their opacity, black where there is none."""
    opacity = samples[..., -1:]
    colours = np.divide(samples[..., :-1] * full, opacity, where=opacity > 0,
                        out=np.zeros_like(samples[..., :-1]))  # fmt: skip
    return np.concatenate([colours, opacity], axis=-1)


def stored(
    values: Array, source: np.dtype[Any], target: np.dtype[Any], signed: Signed
) -> tuple[Array, tuple[float, float]]:
    """Results as samples of ``target``, and the shares that were clipped from below and above.

    Integer depths map full scale to full scale; floats keep the units of ``source``.
    """
    if target.kind in "fc":
        return _magnitude(values, signed).astype(target, copy=False), (0.0, 0.0)
    if values.dtype.kind in "iub" and np.can_cast(values.dtype, target):
        return _magnitude(values, signed).astype(target, copy=False), (0.0, 0.0)
    scale = full_scale(target) / full_scale(source)
    rescaled = source.kind == "u" and target.kind == "u" and source != target
    found, flat = _memory.empty((values.size,), target), values.reshape(-1)
    below = above = 0
    for start in range(0, values.size, PIECE):
        part = _magnitude(flat[start : start + PIECE], signed)
        part = part * scale if rescaled else part
        part = part + (full_scale(target) + 1) // 2 if signed == "offset" else part
        found[start : start + PIECE], low, high = _rounded(part, target)
        below, above = below + low, above + high
    size = values.size or 1
    return found.reshape(values.shape), (below / size, above / size)


def _magnitude(values: Array, signed: Signed) -> Array:
    return np.abs(values) if signed == "abs" else values


def _rounded(values: Array, target: np.dtype[Any]) -> tuple[Array, int, int]:
    """The nearest integers of a type, and how many values lay below and above all of them."""
    values = np.rint(values)
    least, most = values.min(), values.max()
    if not (np.isfinite(least) and np.isfinite(most)):
        raise ValueError(f"dtype: {target.name} cannot hold the NaN or infinity of the result")
    low, high = np.iinfo(target).min, np.iinfo(target).max
    # float(high) of 64 bits rounds up and out of range; the largest float below does not.
    top = np.nextafter(float(high), 0) if float(high) > high else float(high)
    if low <= least and most <= top:
        return values, 0, 0
    counts = int((values < low).sum()), int((values > high).sum())
    return np.clip(values, float(low), top), *counts


def full_scale(dtype: np.dtype[Any]) -> int:
    """The largest value of an integer type; 1 for floats."""
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else 1
