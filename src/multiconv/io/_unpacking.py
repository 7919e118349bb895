"""How much a compressed piece unpacks to, found out before it is unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Collection

HARMLESS = 2**28
"""Bytes that a piece may unpack to, whatever its header says."""
DEFLATE_RATIO = 1032
"""How much shorter than the samples Deflate can be at best."""
ZSTD = b"\x28\xb5\x2f\xfd"


def deflated_size(content: bytes, enough: int, wbits: int = zlib.MAX_WBITS) -> int:
    """What zlib or gzip data unpack to, as far as ``enough`` bytes; 0 where it is surely less."""
    if len(content) * DEFLATE_RATIO <= enough:
        return 0
    unpacking, size = zlib.decompressobj(wbits), 0
    while content and size <= enough:
        size += len(unpacking.decompress(content, 2**20))
        content = unpacking.unconsumed_tail
    return size


def size_said(content: bytes, codecs: Collection[str], expected: int) -> int:
    """What a chunk unpacks to by its own header; 0 where none of the codecs says."""
    names = " ".join(codecs)
    if "zstd" in names and content[:4] == ZSTD:
        return _zstd_size(content)
    if "blosc" in names and len(content) >= 16:
        return int.from_bytes(content[4:8], "little")
    if "gzip" in names or "zlib" in names:
        return deflated_size(content, max(2 * expected, HARMLESS) + 1, zlib.MAX_WBITS | 32)
    return 0


def _zstd_size(content: bytes) -> int:
    """The size in a Zstandard frame's header (RFC 8878, section 3.1.1); 0 where it has none."""
    descriptor = content[4]
    single, flag = descriptor >> 5 & 1, descriptor >> 6
    width = (single, 2, 4, 8)[flag]
    start = 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(content[start : start + width], "little")
    return size + 256 if flag == 1 else size
