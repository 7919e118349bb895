"""NumPy's own files."""

from __future__ import annotations

import math
import os
import zipfile
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ._data import Data, FileError
from ._limits import Limits


def read(path: str, limits: Limits, member: str | None) -> Data:
    """The array of an ``.npy`` file, or one array of an ``.npz`` file."""
    if not path.lower().endswith(".npz"):
        with open(path, "rb") as file:
            return Data(_read_array(file, os.path.getsize(path), path, limits))
    with zipfile.ZipFile(path) as archive:
        chosen = _choose(path, [n.removesuffix(".npy") for n in archive.namelist()], member)
        entry = archive.getinfo(chosen + ".npy")
        with archive.open(entry) as file:
            array = _read_array(file, entry.file_size, f"{path}, array {chosen!r}", limits)
    return Data(array, meta={"name": chosen})


def _choose(path: str, names: list[str], member: str | None) -> str:
    listed = ", ".join(names) or "none"
    if member is None:
        if len(names) != 1:
            raise FileError(f"{path}: holds the arrays {listed}, choose one of them by its name")
        return names[0]
    if member not in names:
        raise FileError(f"{path}: holds no array {member!r}, allowed are {listed}")
    return member


def _read_array(file: IO[bytes], available: int, what: str, limits: Limits) -> NDArray[Any]:
    shape, _, dtype = header(file, available, what)
    limits.check_bytes(math.prod(shape) * dtype.itemsize)
    file.seek(0)
    return np.asarray(npy.read_array(file, allow_pickle=False))


def header(
    file: IO[bytes], available: int, what: str
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first axis varies fastest, and dtype; refuses one that lies."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.kind not in "biufc":
        raise FileError(f"{what}: holds {dtype} values, allowed are numbers")
    needed = math.prod(shape) * dtype.itemsize
    if needed > available:
        raise FileError(f"{what}: its header says {needed} bytes, the file has only {available}")
    return shape, fortran, dtype


def check(path: str, data: Data) -> None:
    """Every array can be written."""


def write(file: BinaryIO, path: str, data: Data) -> None:
    """Write the array as it is."""
    if path.lower().endswith(".npz"):
        named: dict[str, Any] = {data.meta.get("name", "arr_0"): data.array}
        np.savez_compressed(file, **named)
    else:
        np.save(file, data.array, allow_pickle=False)
