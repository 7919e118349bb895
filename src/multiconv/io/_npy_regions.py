"""NumPy's ``.npy`` files, region by region."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ._chunked import Region, Source, virtual
from ._data import Data
from ._numpy import header
from ._raw import RawArray

ROW = 2**12
"""Bytes that lie in a row and are read or written at once."""


class NpyArray:
    """The array of an ``.npy`` file, to be read or filled."""

    missing = 0

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            shape, self._fortran, dtype = header(file, os.path.getsize(path), path)
            offset = file.tell()
        stored = shape[::-1] if self._fortran else shape
        self._samples = RawArray(path, stored, dtype, offset)
        self.outline = Data(virtual(shape, dtype.newbyteorder("=")))
        self.chunks = self._turned((1,) * (len(stored) - 1) + stored[-1:])

    def read(self, region: Region) -> NDArray[Any]:
        """The samples of a region."""
        found = self._samples.read(self._turned(region))
        return np.ascontiguousarray(found.T) if self._fortran else found

    def write(self, region: Region, samples: NDArray[Any]) -> None:
        """Put the samples of a region in their place."""
        self._samples.write(self._turned(region), samples.T if self._fortran else samples)

    def _turned(self, axes: tuple[Any, ...]) -> tuple[Any, ...]:
        return axes[::-1] if self._fortran else axes


def source(path: str, member: str | None) -> NpyArray:
    """The array of a file."""
    return NpyArray(path)


def target(path: str, member: str | None) -> NpyArray:
    """The array of a file that `create` made."""
    return NpyArray(path)


def chunks(like: Data, template: Source) -> tuple[int, ...]:
    """Parts of rows that are long enough to be written at once."""
    array = like.array
    row = max(1, min(ROW // array.itemsize, array.shape[-1])) if array.ndim else 1
    return (1,) * (array.ndim - 1) + (row,) * min(array.ndim, 1)


def create(path: str, like: Data, template: Source) -> None:
    """Make a file of zeros, its room on the disk reserved."""
    array = like.array
    with open(path, "w+b") as file:
        entry = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False,
                 "shape": array.shape}  # fmt: skip
        npy.write_array_header_1_0(file, entry)
        size = math.prod(array.shape) * array.itemsize
        file.flush()
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), file.tell(), size)
        file.truncate(file.tell() + size)
        os.fsync(file.fileno())
