"""The functions that are convolved: called safely, on arrays where they can take them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from multiconv._typing import Array
from multiconv.continuous._checks import Floats, check_breakpoints, check_callable, check_support
from multiconv.continuous._scout import Mesh, scout

Evaluation = tuple[Array, Floats]
"""Values, and bounds of their errors."""


class Operand(ABC):
    """A function with a support.

    Parameters
    ----------
    support
        (low, high) pair outside which the function counts as zero; None for all real numbers.
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
        support = (-np.inf, np.inf) if support is None else support
        self.low, self.high = check_support(support, f"support_{name}", infinite=True)
        inside = check_breakpoints(breakpoints, f"breakpoints_{name}")
        inside = inside[(inside > self.low) & (inside < self.high)]
        self.edges: Floats = np.unique(np.concatenate([[self.low], inside, [self.high]]))

    @abstractmethod
    def evaluate(self, points: Floats) -> Evaluation:
        """Values and error bounds at points of any shape inside the support."""

    def values(self, points: Floats) -> Array:
        """Values, float64 or complex128, at points of any shape inside the support."""
        return self.evaluate(points)[0]

    @cached_property
    def mesh(self) -> Mesh:
        """What a first look at it shows."""
        mesh = scout(self.values, self.edges, self.finest)
        if mesh.peak == 0 and (mesh.low or mesh.high):
            raise ValueError(
                f"{self.name}: it is zero wherever it was looked at in the infinite support "
                f"({self.low}, {self.high}); give a finite support, or breakpoints near its values"
            )
        return mesh


class Function(Operand):
    """A callable of one real number; arrays are passed where it proves to take them."""

    finest = 256

    def __init__(self, call: Any, support: Any, breakpoints: Any, name: str) -> None:
        check_callable(call, name)
        super().__init__(support, breakpoints, name)
        self._call: Callable[[Any], Any] = call
        with noted(self.name):
            self._takes_arrays = takes_arrays(call, self._trial_points())

    def evaluate(self, points: Floats) -> Evaluation:
        flat = points.ravel()
        with noted(self.name):
            values = self._many(flat) if self._takes_arrays else self._one_by_one(flat)
        numbers = as_numbers(values, self.name)
        bad = ~np.isfinite(numbers)
        if bad.any():
            first = int(np.argmax(bad))
            raise ValueError(
                f"{self.name}: its values must be finite inside the support "
                f"({self.low}, {self.high}), but {self.name}({float(flat[first])!r}) "
                f"is {numbers[first]}; give the support where it has values, and a point where "
                "it has none as a breakpoint"
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
        low, high = self.edges[:-1][cells], self.edges[1:][cells]
        width = np.where(np.isfinite(high - low), high - low, 1.0)
        start = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high - width, -0.5))
        points: Floats = start + golden * width
        return points


@contextmanager
def noted(name: str) -> Iterator[None]:
    """Say of an exception which function raised it; far out, intermediate results overflow."""
    try:
        with np.errstate(over="ignore", under="ignore"):
            yield
    except Exception as raised:
        raised.add_note(f"raised while {name} was called")
        raise


def as_numbers(values: Array, name: str) -> Array:
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


def takes_arrays(call: Callable[..., Any], *coordinates: Floats) -> bool:
    """Whether arrays of coordinates give what the points give one by one.

    Any exception means no: points are then given one at a time, and what that raises is the
    function's own affair and reaches the caller.
    """
    try:
        batch = np.asarray(call(*(c.copy() for c in coordinates)))
        if batch.shape != coordinates[0].shape:
            return False
        together = batch.astype(np.complex128)
    except Exception:
        return False
    points = zip(*(c.tolist() for c in coordinates), strict=True)
    single = np.array([_alone(call, point) for point in points])
    close = 1e-9 * np.max(np.abs(single[np.isfinite(single)]), initial=0)
    return bool(np.allclose(together, single, rtol=1e-9, atol=close, equal_nan=True))


def _alone(call: Callable[..., Any], point: tuple[float, ...]) -> complex:
    """The value at one point, of functions of numbers as of functions of arrays only."""
    try:
        return complex(call(*point))
    except Exception:
        return complex(np.asarray(call(*(np.array([c]) for c in point)))[0])
