"""One run at a target."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

try:
    import fcntl
except ImportError:  # Windows, which has no locks of this kind
    fcntl: Any = None  # type: ignore[no-redef]


@contextlib.contextmanager
def locked(path: str, target: str) -> Iterator[None]:
    """Hold a lock file, which is taken away at the end; whose process dies holds nothing.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    """
    descriptor = _held(path, target)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.close(descriptor)


def _held(path: str, target: str) -> int:
    while True:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # the run that held it has just taken the folder away
            continue
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise BlockingIOError(
                f"{target}: another run is writing it, wait for its end or stop it"
            ) from None
        os.close(descriptor)


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
