"""Which blocks are written: one line of JSON each, with the system before the next is done."""

from __future__ import annotations

import json
import os
from types import TracebackType

from ._job import Entry

Key = tuple[int, int]
"""A stage and a block."""


class Journal:
    """The blocks that are written, kept in a file.

    A line that a killed run wrote in part is no entry, and is overwritten.
    """

    def __init__(self, path: str) -> None:
        self.entries, length = _entries(path)
        self._file = open(path, "ab")  # noqa: SIM115
        self._file.truncate(length)

    def add(self, key: Key, entry: Entry) -> None:
        """Note that a block is written."""
        line = json.dumps([*key, entry.checksum, *entry.clipped]) + "\n"
        self._file.write(line.encode())
        self._file.flush()
        self.entries[key] = entry

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._file.close()


def _entries(path: str) -> tuple[dict[Key, Entry], int]:
    """What the whole lines say, and where the last of them ends."""
    entries: dict[Key, Entry] = {}
    length = 0
    if not os.path.exists(path):
        return entries, length
    with open(path, "rb") as file:
        for line in file:
            try:
                stage, block, crc, below, above = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            entries[stage, block] = Entry(crc, (below, above))
            length += len(line)
    return entries, length
