"""Tensors as they were, to tell whether they are so still."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter, is_
from typing import Any

import numpy as np
from torch import Tensor

from multiconv import _arrays, _core
from multiconv._typing import Array

SAMPLES = 256
"""How many of a tensor's numbers are compared at each call, one out of each part of it."""
FEW = 1024
"""Tensors of so many numbers are compared whole, which takes no longer."""

_version = attrgetter("_version")


class Seen:
    """Some tensors at one moment.

    One has changed when torch's own count of its changes says so, when its memory is another, or
    when one of its numbers is (of those that are compared): what is written by way of ``.data`` is
    not counted. Memory that is held is not used again, so an equal address is the same memory.

    Parameters
    ----------
    tensors : sequence of Tensor or None
    """

    def __init__(self, tensors: Sequence[Tensor | None]) -> None:
        self._all = tuple(tensors)
        self._there = [t for t in tensors if t is not None]
        self._counts = not any(t.is_inference() for t in self._there)
        self._places = [_place(t) for t in self._there] if self._counts else []
        self._versions = [place[0] for place in self._places]
        self._pointers = [place[1] for place in self._places]
        self._held = [_arrays.to_numpy(t.detach(), "weight") for t in self._there]
        self._samples = [_samples(array) for array in self._held]

    def are(self, tensors: Sequence[Tensor | None]) -> bool:
        """Whether these are the tensors, unchanged; none are whose changes nothing counts."""
        return self._counts and self._are_counted(tensors) and _core.are_same(self._samples)

    def _are_counted(self, tensors: Sequence[Tensor | None]) -> bool:
        """Whether they are the same by torch's count."""
        if len(tensors) != len(self._all):
            return False
        if all(map(is_, tensors, self._all)):  # the usual case, told with less
            return (
                list(map(_version, self._there)) == self._versions
                and list(map(Tensor.data_ptr, self._there)) == self._pointers
            )
        if any((a is None) != (b is None) for a, b in zip(tensors, self._all, strict=True)):
            return False
        there = [t for t in tensors if t is not None]
        return not any(t.is_inference() for t in there) and self._places == [*map(_place, there)]


def _place(tensor: Tensor) -> tuple[Any, ...]:
    return tensor._version, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()


def _samples(array: Array) -> _core.Samples:
    address, _ = array.__array_interface__["data"]
    return _core.Samples(address, _scattered(array.shape, array.strides), array.itemsize)


@lru_cache(maxsize=256)
def _scattered(shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """Bytes to one place out of each part, at random: equal steps would miss channels or taps."""
    size = math.prod(shape)
    parts = np.linspace(0, size, (size if size <= FEW else SAMPLES) + 1).astype(np.intp)
    places = np.random.default_rng(0).integers(parts[:-1], parts[1:])
    offsets = np.zeros(len(places), np.int64)
    for index, stride in zip(np.unravel_index(places, shape), strides, strict=True):
        offsets += index * stride
    return offsets
