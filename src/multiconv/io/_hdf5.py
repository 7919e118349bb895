"""HDF5, read only, through h5py."""

from __future__ import annotations

import itertools
import math
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ._chunked import Region, everything, virtual
from ._data import Data, FileError
from ._limits import Limits
from ._unpacking import DEFLATE_RATIO, HARMLESS, deflated_size


class Hdf5Array:
    """A dataset of a file."""

    missing = 0  # HDF5 writers leave out what holds the fill value

    def __init__(self, path: str, member: str | None) -> None:
        self._file = h5py.File(path, "r")
        self._dataset = _chosen(path, self._file, member)
        dataset = self._dataset
        if dataset.dtype.kind not in "biufc" or dataset.shape is None:
            raise FileError(f"{path}: holds {dataset.dtype} values, allowed are numbers")
        if dataset.external or dataset.is_virtual:
            raise FileError(f"{path}: {dataset.name} keeps its samples in other files")
        self.outline = Data(virtual(dataset.shape, dataset.dtype.newbyteorder("=")))
        self.chunks = dataset.chunks or (1,) * (dataset.ndim - 1) + dataset.shape[-1:]

    def read(self, region: Region) -> NDArray[Any]:
        """The samples of a region."""
        if self._dataset.compression == "gzip":
            self._check_expansion(region)
        samples = self._dataset[region]
        return np.asarray(samples, samples.dtype.newbyteorder("="))

    def _check_expansion(self, region: Region) -> None:
        """Refuse a chunk that unpacks to much more than the header says, before it is unpacked."""
        dataset, said = self._dataset, math.prod(self.chunks) * self._dataset.dtype.itemsize
        most = max(2 * said, HARMLESS)
        spans = [range(part.start // n * n, part.stop, n)
                 for part, n in zip(region, self.chunks, strict=True)]  # fmt: skip
        for place in itertools.product(*spans):
            stored = dataset.id.get_chunk_info_by_coord(place).size
            if stored * DEFLATE_RATIO <= most:
                continue
            if deflated_size(dataset.id.read_direct_chunk(place)[1], most) > most:
                raise FileError(
                    f"{dataset.file.filename}: a chunk unpacks to more than the {said} bytes its "
                    "header says"
                )


def source(path: str, member: str | None) -> Hdf5Array:
    """The dataset that is named, or the only one."""
    return Hdf5Array(path, member)


def read(path: str, limits: Limits, member: str | None) -> Data:
    """All samples at once."""
    found = source(path, member)
    limits.check_bytes(found.outline.array.nbytes)
    return Data(found.read(everything(found.outline.array.shape)))


def check(path: str, data: Data) -> None:
    """HDF5 is read only."""
    raise FileError(f"{path}: HDF5 files are only read; write .zarr, .npy or .tif")


def _chosen(path: str, file: Any, member: str | None) -> Any:
    names: list[str] = []
    file.visititems(
        lambda name, node: names.append(name) if isinstance(node, h5py.Dataset) else None
    )
    listed = ", ".join(names) or "none"
    if member is None and len(names) != 1:
        raise FileError(f"{path}: holds the arrays {listed}, choose one of them by its name")
    chosen = (names[0] if member is None else member).strip("/")
    if chosen not in names:  # links to other files are not among them
        raise FileError(f"{path}: holds no array {member!r}, allowed are {listed}")
    return file[chosen]
