"""The graph of a call: one task for each chunk of the result, one for each side of a chunk read."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np
from dask.highlevelgraph import HighLevelGraph

from multiconv._blocks import Blocks
from multiconv._typing import Array

from ._join import Join, Part, parts_of

LARGE = 0.5
"""Share of a chunk from which on it is handed on whole: to cut it would save little."""

Graph = dict[Any, Any]


def lazy(x: Any, blocks: Blocks, name: str) -> Any:
    """The result, or the results, as Dask arrays."""
    chunks = tuple(r.parted(c) for r, c in zip(blocks.reaches, x.chunks, strict=True))
    graph = HighLevelGraph.from_collections(name, _layer(x, blocks, name, chunks), [x])
    if blocks.parts == 1:
        return _array(graph, name, chunks, blocks)
    return tuple(_one(graph, name, chunks, blocks, number) for number in range(blocks.parts))


def _one(graph: HighLevelGraph, name: str, chunks: Any, blocks: Blocks, number: int) -> Any:
    """One of several results."""
    own = f"{name}-{number}"
    layer: Graph = {(own, *p): (operator.getitem, (name, *p), number) for p in _places(chunks)}
    layers, needs = {**graph.layers, own: layer}, {**graph.dependencies, own: {name}}
    return _array(HighLevelGraph(layers, needs), own, chunks, blocks)


def _array(graph: HighLevelGraph, name: str, chunks: Any, blocks: Blocks) -> Any:
    return da.Array(graph, name, chunks, meta=np.empty((0,) * len(chunks), blocks.dtype))


def _places(chunks: Sequence[Sequence[int]]) -> itertools.product[tuple[int, ...]]:
    return itertools.product(*(range(len(sizes)) for sizes in chunks))


def _layer(x: Any, blocks: Blocks, name: str, chunks: Any) -> Graph:
    shared = f"{name}-blocks"
    layer: Graph = {shared: blocks}
    ends = [list(itertools.pairwise(itertools.accumulate(c, initial=0))) for c in chunks]
    for place in _places(chunks):
        region = tuple(slice(*spans[p]) for spans, p in zip(ends, place, strict=True))
        pieces = blocks.needed(region)
        axes = [parts_of(*both) for both in zip(x.chunks, pieces, strict=True)]
        sources = [_source(layer, x.name, name, parts) for parts in itertools.product(*axes)]
        sizes = tuple(tuple(part.length for part in parts) for parts in axes)
        join = Join(region, sizes, tuple(cut for _, cut in sources))
        layer[name, *place] = (_run, shared, join, [key for key, _ in sources])
    return layer


def _source(
    layer: Graph, x: str, name: str, parts: Sequence[Part]
) -> tuple[tuple[Any, ...], tuple[slice, ...]]:
    """Where to get what is needed of one chunk, and what to cut out of that.

    A chunk of which little is needed is cut along one axis where it lies, so that little travels
    and the chunk can go; neighbours at its edges and corners share that side of it.
    """
    key = (x, *(part.chunk for part in parts))
    cut = [slice(part.start, part.stop) for part in parts]
    axis = min(range(len(parts)), key=lambda a: parts[a].share)
    if parts[axis].share > LARGE:
        return key, tuple(cut)
    start, stop = parts[axis].start, parts[axis].stop
    side = (f"{name}-side", *key[1:], axis, start, stop)
    layer[side] = (_side, key, axis, start, stop)
    cut[axis] = slice(None)
    return side, tuple(cut)


def _side(chunk: Array, axis: int, start: int, stop: int) -> Array:
    """A copy: a view would keep the chunk in memory."""
    return chunk[(slice(None),) * axis + (slice(start, stop),)].copy()


def _run(blocks: Blocks, join: Join, parts: Sequence[Array]) -> Any:
    return blocks.run(join(parts), join.region)
