"""Parts of chunks, and the block that they make."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from multiconv._typing import Array


@dataclass(frozen=True)
class Part:
    """What is needed of one chunk along one axis."""

    chunk: int
    start: int
    stop: int
    share: float

    @property
    def length(self) -> int:
        return self.stop - self.start


def parts_of(sizes: Sequence[int], pieces: Sequence[slice]) -> list[Part]:
    """What some pieces of an axis take of its chunks of such sizes, in the pieces' order."""
    ends = list(itertools.accumulate(sizes))
    found = []
    for piece in pieces:
        place = piece.start
        while place < piece.stop:
            chunk = bisect_right(ends, place)
            first = ends[chunk] - sizes[chunk]
            stop = min(piece.stop, ends[chunk])
            share = (stop - place) / sizes[chunk]
            found.append(Part(chunk, place - first, stop - first, share))
            place = stop
    return found


@dataclass(frozen=True)
class Join:
    """How parts, in C order, become the block that one region of the result needs."""

    region: tuple[slice, ...]
    sizes: tuple[tuple[int, ...], ...]
    """Of the parts, along each axis."""
    cuts: tuple[tuple[slice, ...], ...]
    """What to take of each part."""

    def __call__(self, parts: Sequence[Array]) -> Array:
        """The block, copied once; not at all where it is one part."""
        if len(parts) == 1:
            return np.asarray(parts[0])[self.cuts[0]]
        shape = tuple(map(sum, self.sizes))
        if not parts:
            return np.empty(shape)
        block = np.empty(shape, parts[0].dtype)
        ends = [itertools.pairwise(itertools.accumulate(n, initial=0)) for n in self.sizes]
        places = itertools.product(*([slice(*e) for e in axis] for axis in ends))
        for place, part, cut in zip(places, parts, self.cuts, strict=True):
            block[place] = part[cut]
        return block
