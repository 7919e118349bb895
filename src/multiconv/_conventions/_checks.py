"""Checks of single arguments: one clear sentence each."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from multiconv._conventions._request import ShapeDtype, as_dtype, holds_numbers
from multiconv._problem import ACTIVATIONS, PRECISIONS, Problem, accumulator, takes_slope


def result_types(
    x: np.dtype, w: np.dtype, asked: Any, *more: ShapeDtype | None
) -> tuple[np.dtype, np.dtype]:
    """The accumulator's dtype and the result's."""
    try:
        result = np.result_type(x, w, *(one.dtype for one in more if one is not None))
    except TypeError:
        raise TypeError(f"x, w: {x.name} and {w.name} have no common dtype, convert one") from None
    if asked is not None:
        wanted = as_dtype(asked)
        rounds = x.kind in "iu" and result.kind == "f" and wanted.kind in "iu"
        if not rounds and (not np.can_cast(result, wanted, "safe") or not holds_numbers(wanted)):
            raise ValueError(
                f"dtype: {wanted.name} cannot hold {result.name} results, give one that can"
            )
        return accumulator(result if rounds else wanted), wanted
    return accumulator(result), result


def fill_value(cval: Any, dtype: np.dtype) -> complex:
    try:
        value = np.asarray(cval)
        number: Any = value.item() if value.ndim == 0 and value.dtype.kind in "biufc" else None
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise TypeError(f"cval: {cval!r} is not allowed, give one number")
    if dtype.kind in "biu":
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        if (
            isinstance(number, complex)
            or not math.isfinite(number)
            or number != int(number)
            or not (low <= number <= high)
        ):
            raise ValueError(
                f"cval: {number!r} is no {dtype.name} value, the result's dtype; ask for a wider "
                "dtype= or choose another value"
            )
        return int(number)
    if isinstance(number, complex) and dtype.kind != "c":
        raise ValueError(f"cval: {number!r} is complex, the result's dtype is {dtype.name}")
    return complex(number) if isinstance(number, complex) else float(number)


def precision_word(precision: str) -> Any:
    if precision not in PRECISIONS:
        words = ", ".join(repr(p) for p in PRECISIONS)
        raise ValueError(f"precision: {precision!r} is not allowed, choose one of {words}")
    return precision


def activation_words(activation: str | None, dtype: np.dtype) -> dict[str, Any]:
    """The fields of a Problem that an activation such as ``"leaky_relu:0.2"`` means."""
    if activation is None:
        return {}
    word, colon, number = activation.partition(":") if isinstance(activation, str) else ("", "", "")
    if word not in ACTIVATIONS:
        words = ", ".join(repr(a) for a in ACTIVATIONS)
        raise ValueError(f"activation: {activation!r} is not allowed, give None or one of {words}")
    if dtype.kind not in "fV":
        raise TypeError(
            f"activation: {activation!r} needs a real floating-point result, it is {dtype.name}"
        )
    if not colon:
        return {"activation": word}
    try:
        slope = float(number) if takes_slope(word) else math.nan
    except ValueError:
        slope = math.nan
    if not math.isfinite(slope):
        raise ValueError(
            f"activation: {activation!r} is not allowed, a number goes with a slope only, such as "
            "'leaky_relu:0.2'"
        )
    return {"activation": word, "slope": slope}


def group_count(groups: Any, channels: int, filters: int) -> int:
    count = as_index(groups, "groups")
    if count < 1 or channels % count or filters % count:
        raise ValueError(
            f"groups: {count} does not divide both {channels} input and {filters} output channels"
        )
    return count


def as_index(value: Any, name: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {value!r} is not allowed, give an integer") from None


def as_shape(value: Any, name: str) -> tuple[int, ...]:
    try:
        shape = tuple(as_index(n, name) for n in value)
    except TypeError:
        raise TypeError(f"{name}: {value!r} is not allowed, give a tuple of integers") from None
    expect(min(shape, default=0) >= 0,
           f"{name}: {shape} has a negative size, allowed are sizes from 0")  # fmt: skip
    return shape


def check_per_channel(values: ShapeDtype | None, name: str, filters: int) -> None:
    if values is not None and values.shape != (filters,):
        raise ValueError(
            f"{name}: shape {values.shape} is not allowed, one value per output channel is "
            f"({filters},)"
        )


def check_residual(residual: ShapeDtype | None, shape: tuple[int, ...]) -> None:
    if residual is not None and residual.shape != shape:
        raise ValueError(
            f"residual: shape {residual.shape} is not allowed, the result's is {shape}"
        )


def check_boundary(problem: Problem) -> None:
    for axis, (size, mode) in enumerate(zip(problem.in_size, problem.boundary, strict=True)):
        if size == 0 and mode != "constant":
            raise ValueError(
                f"padding_mode: {mode!r} needs at least one sample, spatial axis {axis} has none"
            )


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
