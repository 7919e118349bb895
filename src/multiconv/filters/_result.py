"""The dtype of a filter's result."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array

FLOAT64 = np.dtype(np.float64)


def result_dtype(x: Array, dtype: Any, out: Any, signed: bool) -> np.dtype[Any]:
    """The dtype asked for by ``dtype`` or ``out``, or the one that suits the filter."""
    asked = None if dtype is None else _parsed(dtype)
    if out is not None:
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out: {type(out).__name__} is not allowed, give a NumPy array")
        if out.shape != x.shape:
            raise ValueError(f"out: shape {out.shape} does not fit, the result has {x.shape}")
        if asked not in (None, out.dtype):
            raise ValueError(f"out: dtype {out.dtype} does not fit, dtype= asks for {asked}")
        if not out.flags.writeable:
            raise ValueError("out: the array is read-only, give a writable one")
        asked = _parsed(out.dtype)
    if asked is None:
        widened = x.dtype.kind == "b" or (signed and x.dtype.kind in "iu")
        asked = FLOAT64 if widened else np.dtype(x.dtype)
    if x.dtype.kind == "c" and asked.kind != "c":
        raise ValueError(f"dtype: {asked} cannot hold complex results, give a complex dtype")
    return asked


def _parsed(dtype: Any) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype: {dtype!r} is no NumPy dtype") from None
    if found.kind not in "iufc" and found.name != "bfloat16":
        raise ValueError(f"dtype: {found} is not allowed, give integers, floats or complex numbers")
    return found
