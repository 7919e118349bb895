"""A store that trusts no chunk: none from outside its folder, none that unpacks without bounds."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from zarr.storage import LocalStore

from . import _unpacking
from ._data import FileError

METADATA = ("zarr.json", ".zattrs", ".zarray", ".zgroup")


class GuardedStore(LocalStore):
    """A folder of chunks, each checked before it is unpacked."""

    _expected: int | None = None
    _codecs: frozenset[str] = frozenset()

    def expect(self, size: int, compressors: Iterable[Any]) -> None:
        """Say how many bytes a chunk unpacks to, and by which codecs."""
        self._expected = size
        self._codecs = frozenset(type(codec).__name__.lower() for codec in compressors)

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """The content of a file of the store."""
        self._check_place(key)
        return self._checked(key, await super().get(key, prototype, byte_range))

    def get_sync(self, key: str, **options: Any) -> Any:
        """The same, for callers that do not wait."""
        self._check_place(key)
        return self._checked(key, super().get_sync(key, **options))

    def _check_place(self, key: str) -> None:
        root = os.path.realpath(self.root)
        found = os.path.realpath(os.path.join(root, key))
        if os.path.commonpath([root, found]) != root:
            raise FileError(f"{self.root}: {key} leads to {found}, outside the store")

    def _checked(self, key: str, content: Any) -> Any:
        if (
            content is None
            or self._expected is None
            or key.endswith((".json", ".zattrs", ".zarray", ".zgroup"))
        ):
            return content
        said = _unpacking.size_said(content.to_bytes(), self._codecs, self._expected)
        if said > max(2 * self._expected, _unpacking.HARMLESS):
            raise FileError(
                f"{self.root}: chunk {key} unpacks to {said} bytes or more, the store's header "
                f"says {self._expected}"
            )
        return content
