"""What a convention's function returns: a Problem and the way there and back."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from multiconv._geometry import check_memory
from multiconv._machine import memory_limit
from multiconv._memory import empty
from multiconv._problem import FLOAT64, Problem
from multiconv._typing import Array


def as_dtype(value: Any) -> np.dtype:
    """A NumPy dtype in the machine's byte order."""
    try:
        dtype: np.dtype = np.dtype(value)
    except TypeError:
        raise TypeError(f"dtype: {value!r} is no NumPy dtype") from None
    return dtype.newbyteorder("=")


def holds_numbers(dtype: np.dtype) -> bool:
    """Whether it is a dtype of numbers, bfloat16 among them."""
    return dtype.kind in "biufc" or dtype.name == "bfloat16"


@dataclass(frozen=True)
class ShapeDtype:
    """A shape and a dtype in place of an array.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype, optional
        float64 unless given.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.ShapeDtype((2, 3), "float32")
    ShapeDtype(shape=(2, 3), dtype=dtype('float32'))
    """

    shape: tuple[int, ...]
    dtype: Any = FLOAT64

    def __post_init__(self) -> None:
        try:
            shape = tuple(operator.index(n) for n in self.shape)
        except TypeError:
            raise TypeError(
                f"shape: {self.shape!r} is not allowed, give a tuple of integers"
            ) from None
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "dtype", as_dtype(self.dtype))
        if not holds_numbers(self.dtype):
            raise TypeError(f"dtype: {self.dtype} is not allowed, give one of numbers")
        if any(n < 0 for n in self.shape):
            raise ValueError(f"shape: {self.shape} has a negative size, allowed are sizes from 0")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)


@dataclass(frozen=True)
class Layout:
    """How an array becomes a canonical view: split axes, reorder them, merge axes."""

    split: tuple[int, ...] | None
    order: tuple[int, ...] | None
    shape: tuple[int, ...]
    flip: tuple[int, ...] = ()
    conjugate: bool = False

    @property
    def reshapes(self) -> bool:
        """Whether the view is a reshape and no more."""
        ordered = self.order is None or self.order == tuple(sorted(self.order))
        return ordered and not self.flip and not self.conjugate

    def view(self, array: Array) -> Array:
        """The canonical view; a copy only where the strides allow no view."""
        if self.split is not None:
            array = array.reshape(self.split)
        if self.order is not None:
            array = array.transpose(self.order)
        array = array.reshape(self.shape)
        if self.flip:
            array = np.flip(array, self.flip)
        return array.conj() if self.conjugate else array


@dataclass(frozen=True)
class Request:
    """A Problem and the way from the caller's arrays to it and back."""

    problem: Problem
    x: Layout
    w: Layout
    out: Layout
    out_shape: tuple[int, ...]
    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    empty: bool = False
    """Nothing to compute: the result is zeros (or has no elements)."""
    finish: Callable[[Array], Array] | None = None
    """What remains to be done to the sums, such as folding a border back."""
    kernel_is_data: bool = False
    """The kernel is as large as the data and other at each call: its values are worth no look."""
    sums_shape: tuple[int, ...] = ()
    """Shape of the sums, where `finish` changes it."""

    def check_memory(self) -> None:
        """Refuse a result that would not fit into the memory limit."""
        shape = self.sums_shape or self.out_shape
        check_memory(shape, self.problem.out_dtype.itemsize, memory_limit(), "result")

    def allocate(self) -> tuple[Array, Array]:
        """Fresh sums in the caller's layout, and their canonical view."""
        dtype, shape = self.problem.out_dtype, self.sums_shape or self.out_shape
        user = empty(shape, dtype)
        view = self.out.view(user)
        if self.out.order is None or np.may_share_memory(view, user):
            return user, view
        # Axes that cannot be merged in place: lay the memory out as the engine sees it.
        order, split = self.out.order, self.out.split or shape
        memory = empty(tuple(split[a] for a in order), dtype)
        user = memory.transpose(np.argsort(order)).reshape(shape)
        return user, memory.reshape(self.out.shape)
