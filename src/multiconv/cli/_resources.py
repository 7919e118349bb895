"""Where samples come from, and what may be used to convolve them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from multiconv import io


@dataclass(frozen=True)
class Place:
    """An array in a file."""

    path: str
    member: str | None = None

    @classmethod
    def of(cls, text: str, member: str | None) -> Place:
        """INPUT as people write it: a file, or ``file.h5:/dataset``."""
        path, named = io.split_member(text)
        if named is not None and member is not None:
            raise ValueError(f"array: {member!r} and {named!r} are both given, leave one out")
        return cls(path, member or named)


@dataclass(frozen=True)
class Resources:
    """What a job may use, and how it deals with what it finds.

    Attributes
    ----------
    memory : int
        Bytes that the process may take.
    scheduler : str or None
        The address of a cluster.
    restart : bool
        Forget a run that was stopped.
    fill : bool
        Take the fill value for chunks that were never written.
    quiet : bool
        Show no progress.
    files : int
        How many files are in work at once.
    """

    memory: int
    scheduler: str | None = None
    restart: bool = False
    fill: bool = False
    quiet: bool = False
    files: int = 1

    def shared(self, files: int) -> Resources:
        """What one of several files at a time may use."""
        return replace(self, memory=self.memory // files, quiet=True, files=files)


@contextlib.contextmanager
def limited(memory: int | None) -> Iterator[None]:
    """Let readers and plans refuse what takes more than was asked for."""
    name = "MULTICONV_MEMORY_LIMIT"
    before = os.environ.get(name)
    if memory is not None:
        os.environ[name] = str(memory)
    try:
        yield
    finally:
        if before is not None:
            os.environ[name] = before
        else:
            os.environ.pop(name, None)
