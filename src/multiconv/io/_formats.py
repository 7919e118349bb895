"""The list of formats, and reading and writing by it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from multiconv._errors import MissingExtraError

from ._data import Data, FileError, Kind
from ._limits import MAX_PIXELS, Limits
from ._safe import replacing


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes
    ----------
    name : str
        What people call it.
    suffixes : tuple of str
        How its files' names end, in lower case.
    kind : {'image', 'sound', 'array'}
        What it holds.
    module : str
        The module of this package with its ``read``, ``check`` and ``write``.
    library : str
        The distribution that module needs.
    """

    name: str
    suffixes: tuple[str, ...]
    kind: Kind
    module: str
    library: str

    def load(self, doing: str) -> Any:
        """The module that reads and writes this format."""
        try:
            return import_module(f"{__package__}.{self.module}")
        except ImportError as error:
            raise MissingExtraError(
                f"{doing} {self.name} files needs {self.library}: pip install 'multiconv[cli]'"
            ) from error


FORMATS = (
    Format("PNG", (".png",), "image", "_pillow", "Pillow"),
    Format("JPEG", (".jpg", ".jpeg"), "image", "_pillow", "Pillow"),
    Format("TIFF", (".tif", ".tiff"), "image", "_tiff", "tifffile"),
    Format("WAV", (".wav",), "sound", "_sound", "soundfile"),
    Format("FLAC", (".flac",), "sound", "_sound", "soundfile"),
    Format("NPY", (".npy",), "array", "_numpy", "numpy"),
    Format("NPZ", (".npz",), "array", "_numpy", "numpy"),
    Format("text", (".txt", ".csv"), "array", "_text", "numpy"),
)


def formats() -> tuple[Format, ...]:
    """All formats that can be read and written."""
    return FORMATS


def format_of(path: str | os.PathLike[str]) -> Format:
    """The format that a file's suffix names.

    Raises
    ------
    FileError
        If no format has this suffix.
    """
    suffix = Path(path).suffix.lower()
    for candidate in FORMATS:
        if suffix in candidate.suffixes:
            return candidate
    known = ", ".join(s for f in FORMATS for s in f.suffixes)
    given = f"the suffix {suffix!r} is unknown" if suffix else "the name has no suffix"
    raise FileError(f"{path}: {given}, allowed are {known}")


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
        Which array of an ``.npz`` file that holds several.

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
    _check_source(path)
    if member is not None and chosen.name != "NPZ":
        raise FileError(f"{path}: only .npz files hold arrays by name, leave {member!r} out")
    module = chosen.load("reading")
    with _named(path, chosen):
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
    _check_source(path)
    module = chosen.load("reading")
    with _named(path, chosen):
        data: Data = module.outline(os.fspath(path))
    return data


def blocks(path: str | os.PathLike[str], size: int) -> Iterator[NDArray[np.float64]]:
    """The samples of a sound in order, ``size`` at a time, of shape (samples, channels)."""
    chosen = format_of(path)
    module = chosen.load("reading")
    with _named(path, chosen):
        yield from module.blocks(os.fspath(path), size)


@contextlib.contextmanager
def _named(path: str | os.PathLike[str], chosen: Format) -> Iterator[None]:
    """Errors that name the file."""
    try:
        yield
    except (FileError, PermissionError):
        raise
    except MemoryError as error:
        if isinstance(error, ValueError):  # a MemoryLimitError, which says it all
            raise
        raise FileError(f"{path}: there is not enough memory to read it") from error
    except Exception as error:  # whatever a library raises means that the file is bad
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"{path}: damaged, or not a {chosen.name} file ({reason})") from error


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


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse a file that could not be written, before any work is done."""
    format_of(path)
    target = os.path.realpath(path)
    parent = os.path.dirname(target)
    if not os.path.isdir(parent):
        raise FileNotFoundError(f"{path}: the directory {parent} does not exist")
    if os.path.isdir(target):
        raise IsADirectoryError(f"{path}: is a directory, give a file")
    if os.path.exists(target) and not os.path.isfile(target):
        raise FileError(f"{path}: is not a regular file")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path}: no permission to write in {parent}")
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(f"{path}: no permission to replace this file")


def _check_source(path: str | os.PathLike[str]) -> None:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise type(error)(f"{path}: cannot be read ({reason})") from None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(f"{path}: is a directory, give a file")
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path}: is not a regular file")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"{path}: no permission to read this file")
    if status.st_size == 0:
        raise FileError(f"{path}: the file is empty")
