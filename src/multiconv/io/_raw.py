"""Uncompressed samples in C order, read and written by their position in a file.

A memory map would do the same, but it ends the process with SIGBUS where a file shrinks while it
is read or the disk is full, and what it has touched counts as the process's memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from multiconv import _memory

from ._chunked import Region, lengths
from ._data import FileError

NEARLY = 0.8
"""Share of a row that is read from which the rest is read along."""


@dataclass(frozen=True)
class RawArray:
    """An array of ``shape`` whose first sample lies ``offset`` bytes into the file."""

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int

    def read(self, region: Region) -> NDArray[Any]:
        """The samples of a region in the machine's byte order."""
        wider = self._wider(region)
        if wider != region:
            cut = (slice(p.start - w.start, p.stop - w.start)
                   for p, w in zip(region, wider, strict=True))  # fmt: skip
            return np.ascontiguousarray(self.read(wider)[tuple(cut)])
        found = _memory.empty(lengths(region), self.dtype.newbyteorder("=")).view(self.dtype)
        content = _bytes_of(found)
        with open(self.path, "rb", buffering=0) as file:
            for start, place in self._runs(region, len(content)):
                file.seek(start)
                self._fill(file, content[place])
        return found.astype(self.dtype.newbyteorder("="), copy=False)

    def write(self, region: Region, samples: NDArray[Any]) -> None:
        """Put the samples of a region in their place."""
        stored = np.ascontiguousarray(samples, self.dtype)
        content = _bytes_of(stored)
        with open(self.path, "r+b", buffering=0) as file:
            for start, place in self._runs(region, len(content)):
                file.seek(start)
                _write_all(file, content[place])

    def _wider(self, region: Region) -> Region:
        """The region with nearly whole rows, planes and so on made whole: fewer runs to read."""
        wider = list(region)
        for axis in reversed(range(1, len(region))):
            size = self.shape[axis]
            if not NEARLY * size <= region[axis].stop - region[axis].start:
                break
            wider[axis] = slice(0, size)
        return tuple(wider)

    def _fill(self, file: FileIO, part: memoryview) -> None:
        while part:
            count = file.readinto(part)
            if not count:
                raise FileError(f"{self.path}: ends before its last sample")
            part = part[count:]

    def _runs(self, region: Region, size: int) -> Iterator[tuple[int, slice]]:
        """Where each run of neighbouring bytes lies in the file, and where in the region."""
        if not size:
            return
        outer = len(region)
        while outer and region[outer - 1] == slice(0, self.shape[outer - 1]):
            outer -= 1
        outer = max(outer - 1, 0)  # the innermost axis that is cut is one run too
        strides = [math.prod(self.shape[a + 1 :]) for a in range(len(region))]
        first = self.offset + self.dtype.itemsize * sum(
            part.start * stride for part, stride in zip(region, strides, strict=True)
        )
        counts = lengths(region)[:outer]
        run = size // math.prod(counts)
        for number, index in enumerate(np.ndindex(*counts)):
            step = sum(i * stride for i, stride in zip(index, strides, strict=False))
            start = first + self.dtype.itemsize * step
            yield start, slice(number * run, (number + 1) * run)


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """The bytes of a C-contiguous array, to be read or filled."""
    return memoryview(cast(Any, array.reshape(-1).view(np.uint8)))


def _write_all(file: FileIO, part: memoryview) -> None:
    while part:
        part = part[file.write(part) :]
