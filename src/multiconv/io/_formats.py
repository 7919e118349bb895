"""The list of formats."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from multiconv._errors import MissingExtraError

from ._data import FileError, Kind


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
    regions : str
        The module that reads, and mostly also writes, a part of an array; empty where only whole
        files are.
    folder : bool
        Whether it is a folder of files.
    extra : str
        The extra of this package that brings the library.
    """

    name: str
    suffixes: tuple[str, ...]
    kind: Kind
    module: str
    library: str
    regions: str = ""
    folder: bool = False
    extra: str = "cli"

    def load(self, doing: str, *, regions: bool = False) -> Any:
        """The module that reads and writes this format, or its regions."""
        module = self.regions if regions else self.module
        try:
            return import_module(f"{__package__}.{module}")
        except ImportError as error:
            raise MissingExtraError(
                f"{doing} {self.name} files needs {self.library}: "
                f"pip install 'multiconv[{self.extra}]'"
            ) from error


FORMATS = (
    Format("PNG", (".png",), "image", "_pillow", "Pillow"),
    Format("JPEG", (".jpg", ".jpeg"), "image", "_pillow", "Pillow"),
    Format("TIFF", (".tif", ".tiff"), "image", "_tiff", "tifffile", "_tiff_regions"),
    Format("WAV", (".wav",), "sound", "_sound", "soundfile"),
    Format("FLAC", (".flac",), "sound", "_sound", "soundfile"),
    Format("NPY", (".npy",), "array", "_numpy", "numpy", "_npy_regions"),
    Format("NPZ", (".npz",), "array", "_numpy", "numpy"),
    Format("text", (".txt", ".csv"), "array", "_text", "numpy"),
    Format("Zarr", (".zarr",), "array", "_zarr", "zarr", "_zarr", True, "volumes"),
    Format("HDF5", (".h5", ".hdf5"), "array", "_hdf5", "h5py", "_hdf5", False, "volumes"),
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


@contextlib.contextmanager
def named(path: str | os.PathLike[str], chosen: Format) -> Iterator[None]:
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
