"""Parts of arrays in files, by the format that a file's suffix names."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from ._checks import check_member, check_source
from ._chunked import Source, Target
from ._data import Data, FileError
from ._formats import format_of, named

HEADER = 2**16
"""Bytes of a file's beginning that its fingerprint holds."""


@dataclass(frozen=True)
class Level:
    """One array of what is written: the result itself, or a smaller copy of a pyramid.

    Attributes
    ----------
    member : str or None
        Its name in the store.
    shape : tuple of int
        Its shape.
    factors : tuple of int
        How many samples of the level before make one of it, along each axis.
    """

    member: str | None
    shape: tuple[int, ...]
    factors: tuple[int, ...]


def split_member(path: str) -> tuple[str, str | None]:
    """``'file.h5:/dataset'`` as the file and the array in it."""
    head, colon, member = path.rpartition(":")
    if colon and not os.path.exists(path) and head.lower().endswith((".h5", ".hdf5", ".zarr")):
        return head, member
    return path, None


def reads_regions(path: str | os.PathLike[str]) -> bool:
    """Whether parts of the array in such a file can be read."""
    return bool(format_of(path).regions)


def writes_regions(path: str | os.PathLike[str]) -> bool:
    """Whether such a file can be written part by part."""
    form = format_of(path)
    return bool(form.regions) and form.name != "HDF5"


def open_source(path: str, member: str | None = None) -> Source:
    """An array whose parts can be read.

    Raises
    ------
    FileError, OSError, MissingExtraError
        As for `read`.
    """
    chosen = format_of(path)
    check_source(path)
    check_member(path, member)
    module = chosen.load("reading", regions=True)
    with named(path, chosen):
        found: Source = module.source(path, member)
        return found


def target_chunks(path: str, like: Data, template: Source) -> tuple[int, ...]:
    """What is to be written to a target at once is a whole number of these."""
    module = format_of(path).load("writing", regions=True)
    found: tuple[int, ...] = module.chunks(like, template)
    return found


def create_target(path: str, like: Data, template: Source) -> None:
    """Make an array to be filled part by part; whatever lies at ``path`` must be gone.

    Parameters
    ----------
    path : str
        Where; its suffix names the format.
    like : Data
        Shape, dtype and meaning of the result; the samples do not count.
    template : Source
        The input, whose chunks are kept where they suit.
    """
    module = format_of(path).load("writing", regions=True)
    module.create(path, like, template)


def open_target(path: str, member: str | None = None) -> Target:
    """The array that `create_target` made, or one level of it."""
    module = format_of(path).load("writing", regions=True)
    found: Target = module.target(path, member)
    return found


def levels(path: str, like: Data) -> tuple[Level, ...]:
    """What is to be written: the result, and the smaller copies where its kind has them."""
    whole = Level(None, tuple(like.array.shape), (1,) * like.array.ndim)
    if not format_of(path).folder or "ome" not in like.meta:
        return (whole,)
    module = format_of(path).load("writing", regions=True)
    return tuple(Level(*entry) for entry in module.levels(like))


def fingerprint(path: str) -> str:
    """What tells whether an input is still the one it was: size, time and header.

    Of a folder: how many files, their bytes and the latest time. A link in it that leads out is
    refused.
    """
    check_source(path)
    status = os.stat(path)
    if not format_of(path).folder:
        with open(path, "rb") as file:
            header = hashlib.blake2b(file.read(HEADER), digest_size=8).hexdigest()
        return f"{status.st_size} bytes, {status.st_mtime_ns}, {header}"
    count, size, latest = _survey(path)
    return f"{count} files, {size} bytes, {latest}"


def _survey(folder: str) -> tuple[int, int, int]:
    count, size, latest, waiting = 0, 0, 0, [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    raise FileError(f"{folder}: {entry.path} is a link, a store has none")
                if entry.is_dir():
                    waiting.append(entry.path)
                    continue
                status = entry.stat()
                count, size = count + 1, size + status.st_size
                latest = max(latest, status.st_mtime_ns)
    return count, size, latest
