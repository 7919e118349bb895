"""What is to be computed and written, block by block."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from multiconv import io
from multiconv.io import Region

from ._grid import Grid


class Samples(NamedTuple):
    """A block of the result, and how many of its values were clipped from below and above."""

    array: NDArray[Any]
    clipped: tuple[int, int] = (0, 0)


class Entry(NamedTuple):
    """What the journal keeps of a block that is written."""

    checksum: int
    clipped: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Stage:
    """One array to be written; it can be pickled if `compute` can.

    Attributes
    ----------
    shape, block : tuple of int
        Of the array and of a block.
    compute : callable
        Gives the `Samples` of a region.
    member : str or None
        The array's name in its store.
    """

    shape: tuple[int, ...]
    block: tuple[int, ...]
    compute: Callable[[Region], Samples]
    member: str | None = None

    @property
    def grid(self) -> Grid:
        """The blocks."""
        return Grid(self.shape, self.block)


@dataclass(frozen=True)
class Job:
    """All that makes one result.

    Attributes
    ----------
    target : str
        Where the result is to lie.
    identity : mapping
        What a kept run must agree in, to be gone on with: words for people, and values.
    create : callable
        Makes the file or store that the stages fill, at the path it is given.
    stages : callable
        Gives the stages, in their order, for the path that they fill and the shapes of blocks of a
        kept run, if there is one.
    check_input : callable
        Raises if the input is not what it was.
    """

    target: str
    identity: Mapping[str, str]
    create: Callable[[str], None]
    stages: Callable[[str, Sequence[tuple[int, ...]] | None], Sequence[Stage]]
    check_input: Callable[[], None]


@dataclass(frozen=True)
class Task:
    """One stage's blocks, each a call."""

    path: str
    stage: Stage

    def __call__(self, number: int) -> Entry:
        """Compute and write one block."""
        region = self.stage.grid[number]
        array, clipped = self.stage.compute(region)
        array = np.ascontiguousarray(array)
        io.open_target(self.path, self.stage.member).write(region, array)
        return Entry(checksum(array), clipped)

    def kept(self, number: int, entry: Entry) -> bool:
        """Whether a block lies in the file as the journal says."""
        found = io.open_target(self.path, self.stage.member).read(self.stage.grid[number])
        return checksum(np.ascontiguousarray(found)) == entry.checksum


def checksum(array: NDArray[Any]) -> int:
    """CRC-32 of a C-contiguous array's bytes."""
    return zlib.crc32(cast(Any, array.reshape(-1).view(np.uint8)))
