"""The functions that are convolved: called safely, on arrays where they can take them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats, check_breakpoints, check_callable, check_support

Evaluation = tuple[Array, Floats]
"""Values, and bounds of their errors."""


class Operand(ABC):
    """A function with a finite support.

    Parameters
    ----------
    support
        (low, high) pair outside which the function counts as zero.
    breakpoints
        Where it jumps, has a kink or is singular; those outside the support are ignored.
    name
        What error messages call it.

    Attributes
    ----------
    finest
        Parts of the support to look for narrow features in.
    """

    finest: int

    def __init__(self, support: Any, breakpoints: Any, name: str) -> None:
        self.name = name
        self.low, self.high = check_support(support, f"support_{name}")
        inside = check_breakpoints(breakpoints, f"breakpoints_{name}")
        inside = inside[(inside > self.low) & (inside < self.high)]
        self.edges: Floats = np.unique(np.concatenate([[self.low], inside, [self.high]]))

    @abstractmethod
    def evaluate(self, points: Floats) -> Evaluation:
        """Values and error bounds at points of any shape inside the support."""

    def values(self, points: Floats) -> Array:
        """Values, float64 or complex128, at points of any shape inside the support."""
        return self.evaluate(points)[0]


class Function(Operand):
    """A callable of one real number; arrays are passed where it proves to take them."""

    finest = 256

    def __init__(self, call: Any, support: Any, breakpoints: Any, name: str) -> None:
        check_callable(call, name)
        super().__init__(support, breakpoints, name)
        self._call: Callable[[Any], Any] = call
        self._takes_arrays = _takes_arrays(call, self._trial_points())

    def evaluate(self, points: Floats) -> Evaluation:
        flat = points.ravel()
        values = self._many(flat) if self._takes_arrays else self._one_by_one(flat)
        numbers = _as_numbers(values, self.name)
        bad = ~np.isfinite(numbers)
        if bad.any():
            first = int(np.argmax(bad))
            raise ValueError(
                f"{self.name}: its values must be finite inside the support "
                f"({self.low}, {self.high}), but {self.name}({float(flat[first])!r}) "
                f"is {numbers[first]}; a point where it has no value must be a breakpoint"
            )
        return numbers.reshape(points.shape), np.zeros(points.shape)

    def _many(self, points: Floats) -> Array:
        values = np.asarray(self._call(points.copy()))
        if values.shape != points.shape:
            raise ValueError(
                f"{self.name}: returned an array of shape {values.shape} for points of shape "
                f"{points.shape}, they must be the same"
            )
        return values

    def _one_by_one(self, points: Floats) -> Array:
        values = [self._call(point) for point in points.tolist()]
        for value in values:
            if np.ndim(value):
                raise ValueError(
                    f"{self.name}: returned an array of shape {np.shape(value)} for one point, "
                    "it must return one number"
                )
        return np.array(values)

    def _trial_points(self) -> Floats:
        """A few points in no order, none special."""
        golden = np.modf(0.3 + 0.6180339887498949 * np.arange(11))[0]
        cells = np.arange(11) % (self.edges.size - 1)
        points: Floats = self.edges[cells] + golden * np.diff(self.edges)[cells]
        return points


def _as_numbers(values: Array, name: str) -> Array:
    """Values as float64 or complex128."""
    try:
        if values.dtype.kind in "SUmM":
            raise TypeError
        if values.dtype.kind == "O":
            numbers = np.array([complex(value) for value in values])
            values = numbers if numbers.imag.any() else numbers.real
        return values.astype(np.complex128 if np.iscomplexobj(values) else np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: returned {values.flat[0]!r}, it must return numbers") from None


def _takes_arrays(call: Callable[[Any], Any], points: Floats) -> bool:
    """Whether an array of points gives what the points give one by one.

    Any exception means no: points are then given one at a time, and what that raises is the
    function's own affair and reaches the caller.
    """
    try:
        batch = np.asarray(call(points.copy()))
        if batch.shape != points.shape:
            return False
        together = batch.astype(np.complex128)
    except Exception:
        return False
    single = np.array([_alone(call, point) for point in points.tolist()])
    close = 1e-9 * np.max(np.abs(single[np.isfinite(single)]), initial=0)
    return bool(np.allclose(together, single, rtol=1e-9, atol=close, equal_nan=True))


def _alone(call: Callable[[Any], Any], point: float) -> complex:
    """The value at one point, of functions of numbers as of functions of arrays only."""
    try:
        return complex(call(point))
    except Exception:
        return complex(np.asarray(call(np.array([point])))[0])
