"""Hysteresis across chunks: lines are labelled in each, and joined where chunks meet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from multiconv._typing import Array
from multiconv.filters._hysteresis import components, merged


@dataclass(frozen=True)
class Border:
    """The labels along a chunk's sides, -1 where there is no line; which lines are strong."""

    top: Array
    bottom: Array
    left: Array
    right: Array
    strong: Array


@dataclass(frozen=True)
class Lines:
    """The lines of one chunk."""

    shape: tuple[int, ...]
    at: Array
    """Where their pixels are, flat."""
    label: Array
    """And the number of each one's line."""
    border: Border


def connected(marks: Any) -> Any:
    """The pixels that are marked 1 or 2 and hang together with one that is marked 2."""
    if 0 in marks.shape:
        return marks.astype(np.bool_)
    name = f"canny-{tokenize(marks.name)}"
    rows, columns = map(range, marks.numblocks)
    places = list(itertools.product(rows, columns))
    layer: dict[Any, Any] = {}
    for place in places:
        lines = (f"{name}-lines", *place)
        layer[lines] = (_lines, (marks.name, *place))
        layer[f"{name}-border", *place] = (_border, lines)
    layer[f"{name}-kept"] = (_kept, [[(f"{name}-border", r, c) for c in columns] for r in rows])
    for number, place in enumerate(places):
        layer[name, *place] = (_drawn, (f"{name}-lines", *place), f"{name}-kept", number)
    graph = HighLevelGraph.from_collections(name, layer, [marks])
    return da.Array(graph, name, marks.chunks, meta=np.empty((0, 0), np.bool_))


def _lines(marks: Array) -> Lines:
    at, root = components(marks > 0)
    first, label = np.unique(root, return_inverse=True)
    strong = np.zeros(first.size, np.bool_)
    strong[label[marks.ravel()[at] == 2]] = True
    drawn = np.full(marks.shape, -1)
    drawn.ravel()[at] = label
    top, bottom, left, right = (
        side.copy() for side in (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1])
    )
    return Lines(marks.shape, at, label, Border(top, bottom, left, right, strong))


def _border(lines: Lines) -> Border:
    return lines.border


def _kept(grid: Sequence[Sequence[Border]]) -> list[Array]:
    """For each chunk, which of its lines hang together with a strong one anywhere."""
    counts = [border.strong.size for row in grid for border in row]
    starts = np.reshape([0, *np.cumsum(counts)[:-1]], (len(grid), len(grid[0])))
    strong = np.concatenate([border.strong for row in grid for border in row])
    across = [
        (_numbered([b.bottom for b in above], starts[r]),
         _numbered([b.top for b in below], starts[r + 1]))
        for r, (above, below) in enumerate(itertools.pairwise(grid))
    ]  # fmt: skip
    across += [
        (_numbered([b.right for b in left], starts[:, c]),
         _numbered([b.left for b in right], starts[:, c + 1]))
        for c, (left, right) in enumerate(itertools.pairwise(zip(*grid, strict=True)))
    ]  # fmt: skip
    root = merged(strong.size, *_pairs(across))
    kept = np.zeros(strong.size, np.bool_)
    kept[root[strong]] = True
    return np.split(kept[root], np.cumsum(counts)[:-1])


def _numbered(sides: Sequence[Array], starts: Array) -> Array:
    """Sides in a row, with the lines of all chunks counted through."""
    return np.concatenate([
        np.where(side < 0, -1, side + start) for side, start in zip(sides, starts, strict=True)
    ])  # fmt: skip


def _pairs(across: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """The lines that touch across two rows of pixels, diagonally too."""
    firsts, seconds = [np.empty(0, int)], [np.empty(0, int)]
    for one, other in across:
        for a, b in ((one, other), (one[1:], other[:-1]), (one[:-1], other[1:])):
            both = (a >= 0) & (b >= 0)
            firsts.append(a[both])
            seconds.append(b[both])
    return np.concatenate(firsts), np.concatenate(seconds)


def _drawn(lines: Lines, kept: Sequence[Array], number: int) -> Array:
    result = np.zeros(lines.shape, np.bool_)
    result.ravel()[lines.at[kept[number][lines.label]]] = True
    return result
