"""Zarr: directories of compressed chunks; pyramids as OME-Zarr describes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from . import _ome
from ._chunked import Region, Source, everything, virtual
from ._data import Data, FileError
from ._limits import Limits
from ._zarr_store import GuardedStore

CHUNK = 2**20
"""Bytes of a chunk where the input has none that could be kept."""
SMALLEST = 2**14


class ZarrArray:
    """An array of a store, to be read or filled."""

    def __init__(self, array: Any, outline: Data) -> None:
        self._array = array
        self.outline = outline
        self.chunks: tuple[int, ...] = array.shards or array.chunks

    @property
    def missing(self) -> int:
        """Chunks that were never written; readers take the fill value for them."""
        return max(0, int(self._array.nchunks - self._array.nchunks_initialized))

    @property
    def array(self) -> Any:
        """The array as zarr knows it."""
        return self._array

    def read(self, region: Region) -> NDArray[Any]:
        """The samples of a region."""
        return np.asarray(self._array[region])

    def write(self, region: Region, samples: NDArray[Any]) -> None:
        """Put the samples of a region in their place."""
        self._array[region] = samples


def source(path: str, member: str | None) -> ZarrArray:
    """The array of a store: its only one, the largest of a pyramid, or the one named."""
    store = GuardedStore(path, read_only=True)
    node = zarr.open(store, mode="r")
    if not isinstance(node, zarr.Group):
        if member is not None:
            raise FileError(f"{path}: holds one array without a name, leave {member!r} out")
        return _opened(path, store, node, {})
    scales = _ome.multiscale(node.attrs)
    if scales is None or member is not None:
        return _opened(path, store, node[_chosen(path, node, member)], {})
    names = _ome.levels(path, scales)
    shapes = [node[name].shape for name in names]
    others = sorted({name for name, _ in node.members()} - {name.split("/")[0] for name in names})
    meta = {"ome": dict(node.attrs), "levels": list(zip(names, shapes, strict=True)),
            "left_out": others}  # fmt: skip
    return _opened(path, store, node[names[0]], meta, _ome.channel_axis(scales))


def read(path: str, limits: Limits, member: str | None) -> Data:
    """All samples at once."""
    found = source(path, member)
    limits.check_bytes(found.outline.array.nbytes)
    samples = found.read(everything(found.outline.array.shape))
    outline = found.outline
    return Data(samples, outline.kind, outline.channel_axis, meta=outline.meta)


def _opened(
    path: str, store: GuardedStore, array: Any, meta: Mapping[str, Any], channel: int | None = None
) -> ZarrArray:
    if not isinstance(array, zarr.Array) or array.dtype.kind not in "biufc":
        held = getattr(array, "dtype", "no")
        raise FileError(f"{path}: holds {held} values, allowed are numbers")
    store.expect(math.prod(array.chunks) * array.dtype.itemsize, array.compressors)
    samples = virtual(array.shape, array.dtype.newbyteorder("="))
    return ZarrArray(array, Data(samples, "image" if "ome" in meta else "array", channel,
                                 meta=meta))  # fmt: skip


def _dimensions(array: Any) -> tuple[str | None, ...] | None:
    return getattr(array.metadata, "dimension_names", None)


def _chosen(path: str, group: Any, member: str | None) -> str:
    names = [name for name, _ in group.members(max_depth=None) if name in group
             and isinstance(group[name], zarr.Array)]  # fmt: skip
    listed = ", ".join(sorted(names)) or "none"
    if member is None and len(names) == 1:
        return str(names[0])
    if member is None:
        raise FileError(f"{path}: holds the arrays {listed}, choose one of them by its name")
    if member.strip("/") not in names:
        raise FileError(f"{path}: holds no array {member!r}, allowed are {listed}")
    return member.strip("/")


def check(path: str, data: Data) -> None:
    """Refuse what makes no chunk."""
    if data.array.ndim == 0 or data.array.size == 0:
        shape = "x".join(str(n) for n in data.array.shape)
        raise FileError(f"{path}: Zarr stores hold samples, not an array of shape {shape or '()'}")


def create(path: str, like: Data, template: Source) -> None:
    """Make a store without samples; a pyramid with all of its levels."""
    if "ome" not in like.meta:
        _create_array(path, None, like.array, template)
        return
    shapes = [shape for _, shape in like.meta["levels"]]
    step = _ome.factors(shapes[0], like.array.shape)
    zarr.create_group(path, zarr_format=3, attributes=_ome.described(like.meta["ome"], step))
    for (name, _), shape in zip(like.meta["levels"], _level_shapes(like), strict=True):
        _create_array(path, name, virtual(shape, like.array.dtype), template)


def target(path: str, member: str | None) -> ZarrArray:
    """An array of a store that `create` made."""
    array: Any = zarr.open_array(path, path=member or "", mode="r+",
                                 config={"write_empty_chunks": True})  # fmt: skip
    return ZarrArray(array, Data(virtual(array.shape, array.dtype)))


def levels(like: Data) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """Each level of a result's pyramid: its name, its shape, how many samples make one of it."""
    shapes = _level_shapes(like)
    known = like.meta.get("levels", ())
    steps = [(1,) * like.array.ndim]
    steps += [_ome.factors(a[1], b[1]) for a, b in pairwise(known)]
    names = [name for name, _ in known]
    return list(zip(names, shapes, steps, strict=False))


def _level_shapes(like: Data) -> list[tuple[int, ...]]:
    """The source's, where the result has its shape; else by its factors, rounded up."""
    known = [tuple(shape) for _, shape in like.meta.get("levels", ())]
    shape = tuple(like.array.shape)
    if known and known[0] == shape:
        return known
    shapes = [shape]
    for larger, smaller in pairwise(known):
        shape = tuple(-(-n // f) for n, f in
                      zip(shape, _ome.factors(larger, smaller), strict=True))  # fmt: skip
        shapes.append(shape)
    return shapes


def chunks(like: Data, template: Source) -> tuple[int, ...]:
    """The chunks, or shards, of a result: what is written at once is a whole number of them."""
    options = _options(like.array, template)
    found: tuple[int, ...] = options.get("shards") or options["chunks"]
    return found


def _create_array(path: str, name: str | None, array: NDArray[Any], template: Source) -> None:
    zarr.create_array(path, name=name, shape=array.shape, dtype=array.dtype, zarr_format=3,
                      **_options(array, template))  # fmt: skip


def _options(array: NDArray[Any], template: Source) -> dict[str, Any]:
    """Chunks as the input's where they suit; of a Zarr array also what else belongs to it."""
    alike = array.ndim == template.outline.array.ndim
    if alike and isinstance(template, ZarrArray):
        given = template.array
        options = {
            "chunks": given.chunks, "shards": given.shards, "attributes": dict(given.attrs),
            "dimension_names": _dimensions(given),
        }  # fmt: skip
        if given.metadata.zarr_format == 3:
            options["compressors"] = given.compressors
        return options
    piece = math.prod(template.chunks) * template.outline.array.itemsize
    return {"chunks": template.chunks if alike and piece >= SMALLEST else _cube(array)}


def _cube(array: NDArray[Any]) -> tuple[int, ...]:
    """Chunks with sides as equal as the array's shape allows."""
    room, chunks = CHUNK // array.itemsize, list(array.shape)
    for place, axis in enumerate(sorted(range(array.ndim), key=lambda a: array.shape[a])):
        side = max(1, int(room ** (1 / (array.ndim - place)) + 1e-9))
        chunks[axis] = min(array.shape[axis], side)
        room = max(1, room // chunks[axis])
    return tuple(chunks)
