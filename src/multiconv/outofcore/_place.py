"""A finished file or folder put in the place of an older one, in one step."""

from __future__ import annotations

import ctypes
import os
import shutil

AT_FDCWD, RENAME_EXCHANGE = -100, 2
LEFTOVER = ".partial"
"""How the files end that a killed writer of chunks leaves."""


def settle(path: str) -> None:
    """Bring what was written to the disk; take away what a killed writer left."""
    if os.path.isfile(path):
        sync(path)
        return
    for folder, _, names in os.walk(path):
        for name in names:
            file = os.path.join(folder, name)
            if name.endswith(LEFTOVER):
                os.unlink(file)
            else:
                sync(file)
        sync(folder)


def put(path: str, target: str) -> None:
    """Move ``path`` to ``target``; an older folder there goes to ``path``, an older file away."""
    if not os.path.isdir(target):
        os.replace(path, target)
    elif not _exchanged(path, target):
        aside = path + ".old"
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(target, aside)
        os.rename(path, target)
    sync(os.path.dirname(target))


def _exchanged(path: str, target: str) -> bool:
    """Swap two names at once, where the system can."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    names = os.fsencode(path), os.fsencode(target)
    done: int = swap(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
    return done == 0


def sync(path: str) -> None:
    """Bring a file or a folder's names to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
