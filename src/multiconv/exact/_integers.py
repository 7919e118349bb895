"""Arrays of integers: 64-bit words where they fit, Python's integers where not."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from multiconv import _arrays
from multiconv._typing import Array


def integers(values: Any, name: str) -> Array:
    """An int64 array, or one of Python integers where int64 cannot hold all."""
    array = _array(values, name)
    if array.size == 0:
        raise ValueError(f"{name}: shape {array.shape} is empty, give at least one integer")
    if array.dtype.kind in "bi":
        return array.astype(np.int64)
    if array.dtype.kind not in "uO":
        raise TypeError(f"{name}: dtype {array.dtype} is not allowed, give integers")
    if array.dtype == object:
        array = _checked(array, name)
    return array.astype(np.int64 if peak(array) < 2**63 else object)


def _array(values: Any, name: str) -> Array:
    if not hasattr(values, "dtype"):
        values = np.array(values, dtype=object)
    if not (isinstance(values, np.ndarray) and values.dtype == object):
        values = _arrays.to_numpy(values, name)
    return np.asarray(values)


def peak(values: Array) -> int:
    """The largest magnitude."""
    return max(int(values.max()), -int(values.min()))


def reduced(values: Array, modulus: int) -> Array:
    """Residues from 0 up, as int64 where the modulus allows."""
    if values.dtype == object or modulus >= 2**63:
        values = values.astype(object) % modulus
    else:
        values = values % modulus
    return values.astype(np.int64) if modulus < 2**63 else values


def _checked(values: Array, name: str) -> Array:
    found = np.empty(values.shape, object)
    for place, value in enumerate(values.flat):
        try:
            found.flat[place] = operator.index(value)
        except TypeError:
            raise TypeError(f"{name}: {value!r} is not allowed, give integers") from None
    return found
