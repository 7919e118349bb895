"""PNG with 16 bits a sample, which Pillow cuts to 8 in all but plain grey."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import PngImagePlugin

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
PAETH = 4
ROWS = 256  # filtered at a time


def announced(file: BinaryIO) -> tuple[tuple[int, int], int]:
    """Rows and columns that a PNG file's first bytes announce, and bytes a pixel; else none."""
    head = file.read(26)
    file.seek(0)
    if len(head) < 26 or head[12:16] != b"IHDR":
        return (0, 0), 1
    columns, rows, depth, colour = struct.unpack(">IIBB", head[16:26])
    channels = {kind: n for n, kind in COLOUR_TYPES.items()}.get(colour, 3)
    return (rows, columns), channels * (2 if depth == 16 else 1)


def is_deep(image: Any) -> bool:
    """Whether an opened image has 16 bits a sample and several channels."""
    return bool(image.tile) and str(image.tile[0].args).endswith("A;16B" if image.mode == "RGBA"
                                                                 else "RGB;16B")  # fmt: skip


def read(file: BinaryIO, image: Any) -> NDArray[np.uint16]:
    """All 16 bits of an opened image."""
    raw = image.tile[0].args
    if raw == "LA;16B":  # four bytes a pixel: decoded as four channels of one byte
        image.tile = [image.tile[0]._replace(args="RGBA")]
        return np.asarray(image).view(">u2").astype(np.uint16)
    high = np.asarray(image).astype(np.uint16)
    # Read as little-endian, the "high" byte that the decoder keeps is the low one.
    file.seek(0)
    again = PngImagePlugin.PngImageFile(file)
    again.tile = [again.tile[0]._replace(args=raw.replace("16B", "16L"))]
    return np.asarray(high << 8 | np.asarray(again), np.uint16)


def write(file: BinaryIO, samples: NDArray[np.uint16], meta: Mapping[str, Any]) -> None:
    """Write (rows, columns) or (rows, columns, channels) samples."""
    rows, columns = samples.shape[:2]
    pixels = samples.reshape(rows, columns, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 16, COLOUR_TYPES[pixels.shape[2]], 0, 0, 0)
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", header)
    if "icc" in meta:
        _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(meta["icc"]))
    if "dpi" in meta:
        per_metre = [round(float(d) / 0.0254) for d in meta["dpi"]]
        _chunk(file, b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if "exif" in meta:
        _chunk(file, b"eXIf", meta["exif"].removeprefix(b"Exif\0\0"))
    packer = zlib.compressobj()
    above = np.zeros((1, columns, pixels.shape[2] * 2), np.uint8)
    for start in range(0, rows, ROWS):
        block = pixels[start : start + ROWS].astype(">u2").view(np.uint8)
        block = np.concatenate([above, block.reshape(len(block), columns, -1)])
        _chunk(file, b"IDAT", packer.compress(_paeth(block)))
        above = block[-1:]
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _paeth(block: NDArray[np.uint8]) -> bytes:
    """All rows but the first, each less Paeth's prediction from its neighbours.

    W3C, "Portable Network Graphics (PNG) Specification", section 9.4.
    """
    padded = np.pad(block, ((0, 0), (1, 0), (0, 0))).astype(np.int16)
    left, up, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    nearest = np.where((to_left <= to_up) & (to_left <= to_corner), left,
                       np.where(to_up <= to_corner, up, corner))  # fmt: skip
    rest = (padded[1:, 1:] - nearest).astype(np.uint8)
    filters = np.full((len(rest), 1), PAETH, np.uint8)
    return np.concatenate([filters, rest.reshape(len(rest), -1)], axis=1).tobytes()


def _chunk(file: BinaryIO, name: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)) + name + content)
    file.write(struct.pack(">I", zlib.crc32(name + content)))
