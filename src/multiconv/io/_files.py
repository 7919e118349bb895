"""Whole files read and written, by the format that a file's suffix names."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ._checks import check_member, check_source, check_target
from ._data import Data
from ._formats import format_of, named
from ._limits import MAX_PIXELS, Limits
from ._safe import replacing


def read(
    path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS, member: str | None = None
) -> Data:
    """Read a file.

    Parameters
    ----------
    path : path-like
        The file; its suffix names the format.
    max_pixels : int
        Largest image that is decoded, in pixels of all its pages.
    member : str, optional
        Which array of an ``.npz`` or HDF5 file or a Zarr store that holds several.

    Returns
    -------
    Data
        Its samples and what their axes mean.

    Raises
    ------
    FileError
        If the file is damaged, or not what its suffix says.
    OSError
        If it cannot be opened.
    MemoryLimitError
        If its samples would need more memory than the limit.
    MissingExtraError
        If the library that reads the format is not installed.
    """
    chosen = format_of(path)
    check_source(path)
    check_member(path, member)
    module = chosen.load("reading")
    with named(path, chosen):
        data: Data = module.read(os.fspath(path), Limits(str(path), max_pixels), member)
    return data


def outline(path: str | os.PathLike[str]) -> Data:
    """What a sound's header says, for sounds that are too long to be held.

    Parameters
    ----------
    path : path-like
        A file of a format whose kind is ``'sound'``.

    Returns
    -------
    Data
        Its samples are zeros that take no memory.

    Raises
    ------
    FileError, OSError, MissingExtraError
        As for `read`.
    """
    chosen = format_of(path)
    check_source(path)
    module = chosen.load("reading")
    with named(path, chosen):
        data: Data = module.outline(os.fspath(path))
    return data


def blocks(path: str | os.PathLike[str], size: int) -> Iterator[NDArray[np.float64]]:
    """The samples of a sound in order, ``size`` at a time, of shape (samples, channels)."""
    chosen = format_of(path)
    module = chosen.load("reading")
    with named(path, chosen):
        yield from module.blocks(os.fspath(path), size)


def check_write(path: str | os.PathLike[str], data: Data) -> None:
    """Refuse what the format of ``path`` cannot hold; only shape and dtype of the array count."""
    chosen = format_of(path)
    chosen.load("writing").check(os.fspath(path), data)


def write(path: str | os.PathLike[str], data: Data) -> int:
    """Write a file in one step: ``path`` holds all of the new samples, or what it held before.

    Parameters
    ----------
    path : path-like
        The file; its suffix names the format.
    data : Data
        What to write.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    FileError
        If the format cannot hold the samples.
    OSError
        If the file cannot be written.
    MissingExtraError
        If the library that writes the format is not installed.
    """
    check_target(path)
    check_write(path, data)
    module = format_of(path).load("writing")
    with replacing(path) as file:
        module.write(file, os.fspath(path), data)
        return file.seek(0, os.SEEK_END)


@contextlib.contextmanager
def writing(
    path: str | os.PathLike[str], like: Data
) -> Iterator[Callable[[NDArray[np.float64]], None]]:
    """Yield a function that writes a sound's next samples; the file is there when all are.

    Parameters
    ----------
    path : path-like
        A file of a format whose kind is ``'sound'``.
    like : Data
        Rate, subtype and channels; the samples do not count.
    """
    check_target(path)
    check_write(path, like)
    module = format_of(path).load("writing")
    with replacing(path) as file, module.writing(file, os.fspath(path), like) as write_next:
        yield write_next
