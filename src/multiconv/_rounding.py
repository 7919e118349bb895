"""How sums become values of a narrower dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array


def stored(values: Array, dtype: np.dtype[Any]) -> Array:
    """``values`` in ``dtype``: integers are rounded half to even and clipped, NaN gives 0."""
    if values.dtype == dtype:
        return values
    if dtype.kind not in "iu":
        with np.errstate(over="ignore"):
            return values.astype(dtype)
    bounds = np.iinfo(dtype)
    if values.dtype.kind in "iu":
        own = np.iinfo(values.dtype)
        low, high = max(bounds.min, own.min), min(bounds.max, own.max)
        return np.clip(values, low, high).astype(dtype)
    if values.dtype.kind == "V" or values.dtype == np.float16:
        values = values.astype(np.float32)
    top = values.dtype.type(bounds.max)
    if int(top) > bounds.max:  # 2**63 - 1 and the like are no floats
        top = np.nextafter(top, values.dtype.type(0))
    rounded = np.rint(values)
    np.clip(rounded, values.dtype.type(bounds.min), top, out=rounded)
    rounded[np.isnan(rounded)] = 0
    return rounded.astype(dtype)


def narrowed(sums: Array, dtype: np.dtype[Any]) -> Array:
    """Sums in the dtype of a result: floats become integers as `stored` does, all else wraps."""
    if dtype.kind in "iu" and sums.dtype.kind not in "biu":
        return stored(sums, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        return sums.astype(dtype, copy=False)
