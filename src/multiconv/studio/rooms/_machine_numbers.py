"""One small convolution in every dtype: what wraps, what is rounded away, what overflows."""

from __future__ import annotations

from typing import Any

import numpy as np

import multiconv as mc
from multiconv._typing import Array

WIDER = {"uint8": "int32", "int8": "int32", "int32": "int64", "float16": "float32",
         "float32": "float64"}  # fmt: skip
"""The dtypes shown, each with what ``dtype=`` may ask for instead."""

LONGEST, LARGEST = 8, 2**31


def numbers_of(values: dict[str, Any]) -> dict[str, Any]:
    """The exact result, and each dtype's, as text, with marks where they differ."""
    x, h = (_whole_numbers(values, name) for name in ("x", "h"))
    exact = mc.convolve_exact(x, h)
    return {
        "exact": [str(v) for v in exact],
        "rows": [_row(name, wide, x, h, exact) for name, wide in WIDER.items()],
    }  # fmt: skip


def _row(name: str, wide: str, x: list[int], h: list[int], exact: Array) -> dict[str, Any]:
    dtype = np.dtype(name)
    misfit = _misfit(dtype, [*x, *h])
    if misfit is not None:
        return {"dtype": name, "wide": wide, "misfit": str(misfit)}
    with np.errstate(over="ignore"):
        narrow, taps = (np.array(v, dtype=np.float64).astype(dtype) for v in (x, h))
        plain = mc.convolve(narrow, taps)
        asked = mc.convolve(narrow, taps, dtype=wide)
    return {"dtype": name, "wide": wide, "plain": _cells(plain, exact),
            "asked": _cells(asked, exact)}  # fmt: skip


def _misfit(dtype: np.dtype, numbers: list[int]) -> int | None:
    """A number that the dtype cannot hold at all."""
    if dtype.kind == "f":
        return next((v for v in numbers if abs(v) > np.finfo(dtype).max), None)
    info = np.iinfo(dtype)
    return next((v for v in numbers if not info.min <= v <= info.max), None)


def _cells(result: Array, exact: Array) -> list[dict[str, Any]]:
    cells = []
    for value, right in zip(result.tolist(), exact, strict=True):
        finite = abs(value) != float("inf")
        text = (str(int(value)) if finite else str(value)).replace("inf", "∞")
        cells.append({"text": text, "wrong": not finite or int(value) != int(right)})
    return cells


def _whole_numbers(values: dict[str, Any], name: str) -> list[int]:
    given = values.get(name)
    if not isinstance(given, list) or not 1 <= len(given) <= LONGEST:
        raise ValueError(f"{name}: give 1 to {LONGEST} whole numbers")
    for v in given:
        if type(v) not in (int, float) or v != v or abs(v) > LARGEST or v != int(v):
            raise ValueError(f"{name}: {v!r} is not allowed, give whole numbers up to 2^31")
    return [int(v) for v in given]
