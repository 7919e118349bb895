"""Samples of a file as numbers to compute with, and back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Signed = Literal["clip", "abs", "offset"]
Array = NDArray[Any]


def working(samples: Array) -> Array:
    """Floating-point numbers in which every sample is exact: float32 up to 8 bits."""
    if samples.dtype.kind in "fc":
        return samples
    return samples.astype(np.float32 if samples.dtype.itemsize == 1 else np.float64)


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
    if signed == "abs":
        values = np.abs(values)
    if target.kind in "fc":
        return values.astype(target), (0.0, 0.0)
    if values.dtype.kind in "iub" and np.can_cast(values.dtype, target):
        return values.astype(target), (0.0, 0.0)
    if source.kind == "u" and target.kind == "u" and source != target:
        values = values * (full_scale(target) / full_scale(source))
    if signed == "offset":
        values = values + (full_scale(target) + 1) // 2
    if not np.isfinite(values).all():
        raise ValueError(f"dtype: {target.name} cannot hold the NaN or infinity of the result")
    values = np.rint(values)
    low, high = np.iinfo(target).min, np.iinfo(target).max
    shares = float((values < low).mean()), float((values > high).mean())
    # float(high) of 64 bits rounds up and out of range; the largest float below does not.
    top = np.nextafter(float(high), 0) if float(high) > high else float(high)
    return np.clip(values, float(low), top).astype(target), shares


def full_scale(dtype: np.dtype[Any]) -> int:
    """The largest value of an integer type; 1 for floats."""
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else 1
