"""Files refused from their entries in the file system, before any work is done."""

from __future__ import annotations

import os
import stat

from ._data import FileError
from ._formats import format_of


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse a file that could not be written, before any work is done."""
    folder = format_of(path).folder
    target = os.path.realpath(path)
    parent = os.path.dirname(target)
    if not os.path.isdir(parent):
        raise FileNotFoundError(f"{path}: the directory {parent} does not exist")
    if folder:
        _check_store(path)
    elif os.path.isdir(target):
        raise IsADirectoryError(f"{path}: is a directory, give a file")
    elif os.path.exists(target) and not os.path.isfile(target):
        raise FileError(f"{path}: is not a regular file")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path}: no permission to write in {parent}")
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(f"{path}: no permission to replace this file")


def _check_store(path: str | os.PathLike[str]) -> None:
    """Refuse to replace what is no Zarr store."""
    if os.path.islink(path):
        raise FileError(f"{path}: is a link, give the store that it leads to")
    if not os.path.lexists(path) or (os.path.isdir(path) and not os.listdir(path)):
        return
    if not any(os.path.isfile(os.path.join(path, n)) for n in ("zarr.json", ".zgroup", ".zarray")):
        raise FileError(f"{path}: exists and is no Zarr store, move it away or give another name")


def check_member(path: str | os.PathLike[str], member: str | None) -> None:
    """Refuse the name of an array where a file holds only one."""
    if member is not None and format_of(path).name not in ("NPZ", "Zarr", "HDF5"):
        raise FileError(
            f"{path}: only .npz files hold arrays by name, and .zarr and .h5, leave {member!r} out"
        )


def check_source(path: str | os.PathLike[str]) -> None:
    """Refuse what cannot be opened, from its entry in the file system."""
    folder = format_of(path).folder
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise type(error)(f"{path}: cannot be read ({reason})") from None
    if folder and not stat.S_ISDIR(status.st_mode):
        raise FileError(f"{path}: is no directory, as a Zarr store is")
    if stat.S_ISDIR(status.st_mode) and not folder:
        raise IsADirectoryError(f"{path}: is a directory, give a file")
    if not folder and not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path}: is not a regular file")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"{path}: no permission to read this file")
    if status.st_size == 0 and not folder:
        raise FileError(f"{path}: the file is empty")
