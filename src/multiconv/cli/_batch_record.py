"""Which files of a batch are done, kept in the folder of the results."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from multiconv import io
from multiconv._version import __version__

from ._one_file import Request

NAME = ".multiconv-batch"


class Record:
    """The files that were written, from which inputs, and by what."""

    def __init__(self, folder: Path, request: Request) -> None:
        self._path = folder / NAME
        kernels = [[kernel.label, kernel.array.tobytes()] for kernel in request.kernels]
        made_by = repr((__version__, kernels, request.settings)).encode()
        self._maker = hashlib.blake2b(made_by, digest_size=8).hexdigest()
        self._entries = _entries(self._path)
        self.count = 0

    def holds(self, source: str, target: Path) -> bool:
        """Whether a file is done and neither it nor its result has changed since."""
        entry = self._entries.get(target.name)
        if entry is None:
            return False
        try:
            held = entry == self._entry(source, target)
        except (OSError, ValueError):
            return False
        self.count += held
        return held

    def add(self, source: str, target: Path) -> None:
        """Note that a file is done."""
        line = json.dumps([target.name, self._entry(source, target)]) + "\n"
        with open(self._path, "ab") as file:
            file.write(line.encode())
        self.count += 1

    def _entry(self, source: str, target: Path) -> list[str]:
        read, written = io.fingerprint(source), io.fingerprint(str(target))
        return [self._maker, os.path.abspath(source), read, written]


def _entries(path: Path) -> dict[str, list[str]]:
    """What the whole lines say; the last about a file counts."""
    entries: dict[str, list[str]] = {}
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                name, entry = json.loads(line)
            except ValueError:  # a run was killed while it wrote this line
                continue
            entries[name] = entry
    return entries
