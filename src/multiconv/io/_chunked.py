"""Arrays in files that are read and written region by region."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ._data import Data

Region = tuple[slice, ...]
"""One slice of step 1 for each axis, its ends inside the array."""


class Source(Protocol):
    """An array in a file; any number of threads may read at once.

    Attributes
    ----------
    outline : Data
        What the header says; the samples are zeros that take no memory.
    chunks : tuple of int
        Shape of the pieces in which the file keeps its samples.
    missing : int
        How many of the pieces the file does not have.
    """

    outline: Data
    chunks: tuple[int, ...]
    missing: int

    def read(self, region: Region) -> NDArray[Any]:
        """The samples of a region, as an array of their own."""


class Target(Protocol):
    """An array in a file that is filled region by region, each a whole number of chunks."""

    chunks: tuple[int, ...]

    def read(self, region: Region) -> NDArray[Any]:
        """What was written."""

    def write(self, region: Region, samples: NDArray[Any]) -> None:
        """Put samples in their place; threads may write different regions at once."""


def virtual(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Zeros that take no memory."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def lengths(region: Region) -> tuple[int, ...]:
    """The shape of a region."""
    return tuple(part.stop - part.start for part in region)


def everything(shape: tuple[int, ...]) -> Region:
    """The region that is the whole array."""
    return tuple(slice(0, n) for n in shape)
