"""TIFF and BigTIFF, page by page and tile by tile."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ._chunked import Region, Source, lengths, virtual
from ._data import Data, FileError
from ._raw import RawArray
from ._tiff import layout, page_meta
from ._unpacking import HARMLESS, deflated_size

TILE = 256
DEFLATE = (8, 32946, 50013)
PLAIN = ("MINISBLACK", "RGB")


class TiffArray:
    """The first series of a file, to be read or filled by tiles, strips or pages."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._raw: RawArray | None = None
        self._places: list[tuple[Any, Any]] = []
        with tifffile.TiffFile(path) as file:
            if not file.series or not file.series[0].size:
                raise FileError(f"{path}: damaged, or not a TIFF file (it has no pages)")
            series = file.series[0]
            self._page: Any = series.keyframe
            _check(path, self._page, series)
            self.outline = _outline(series, self._page)
            if series.dataoffset is not None and not self._page.is_tiled:
                self._raw = _raw(path, series, file.byteorder)
            else:
                pages: Any = series.pages
                self._places = [(p.dataoffsets, p.databytecounts) for p in pages]
        self.missing = self._checked_places()
        piece = tuple(int(n) for n in self._page.chunks)
        ndim = self.outline.array.ndim
        self.chunks = (1,) * (ndim - len(piece)) + piece

    def read(self, region: Region) -> NDArray[Any]:
        """The samples of a region."""
        if self._raw is not None:
            return self._raw.read(region)
        found: NDArray[Any] = np.zeros(lengths(region), self.outline.array.dtype)
        with open(self._path, "rb") as file:
            for number, index in self._pages(region):
                for piece, offset, count, inside in self._pieces(number, region):
                    if count:
                        file.seek(offset)
                        samples = self._decoded(file.read(count), count, piece)
                        _copy(samples, inside, found[index], region[-len(inside) :])
        return found

    def write(self, region: Region, samples: NDArray[Any]) -> None:
        """Fill whole tiles; what hangs over the picture's edge is zero."""
        with open(self._path, "r+b", buffering=0) as file:
            for number, index in self._pages(region):
                for _, offset, count, inside in self._pieces(number, region):
                    tile = np.zeros(self._page.chunks, self.outline.array.dtype)
                    cut = _shifted(inside, region[-len(inside) :])
                    values = samples[index][cut]
                    tile[tuple(slice(0, n) for n in values.shape)] = values
                    file.seek(offset)
                    if file.write(tile.tobytes()) != count:
                        raise OSError(f"{self._path}: a tile was written in part")

    def _pages(self, region: Region) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The pages of a region: their numbers, and their places in the region."""
        outer = self.outline.array.shape[: -self._page.ndim]
        counts = lengths(region)[: len(outer)]
        for index in np.ndindex(*counts):
            place = tuple(part.start + i for part, i in zip(region, index, strict=False))
            yield int(np.ravel_multi_index(place, outer)) if outer else 0, index

    def _pieces(self, number: int, region: Region) -> Iterator[tuple[int, int, int, Region]]:
        """The tiles of a page that a region meets: number, place, length, and what they hold."""
        page, (offsets, counts) = self._page, self._places[number]
        wanted = region[-page.ndim :]
        spans = [range(part.start // n, -(-part.stop // n))
                 for part, n in zip(wanted, page.chunks, strict=True)]  # fmt: skip
        for index in np.ndindex(*map(len, spans)):
            tile = [span[i] for span, i in zip(spans, index, strict=True)]
            piece = int(np.ravel_multi_index(tile, page.chunked))
            held = zip(tile, page.chunks, page.shape, strict=True)
            inside = tuple(slice(t * n, min(t * n + n, size)) for t, n, size in held)
            yield piece, int(offsets[piece]), int(counts[piece]), inside

    def _decoded(self, content: bytes, count: int, piece: int) -> NDArray[Any]:
        page = self._page
        if len(content) < count:
            raise FileError(f"{self._path}: ends before its last sample")
        _check_expansion(self._path, page, content)
        try:
            samples = page.decode(content, piece, jpegtables=page.jpegtables)[0]
        except Exception as error:
            reason = " ".join(str(error).split())
            raise FileError(f"{self._path}: tile {piece} cannot be unpacked ({reason})") from error
        if samples is None:
            raise FileError(f"{self._path}: tile {piece} cannot be unpacked")
        return np.asarray(samples).reshape(samples.shape[1 : 1 + page.ndim])

    def _checked_places(self) -> int:
        """How many tiles the file does not have; refuses places that lie beyond its end."""
        size, missing = os.path.getsize(self._path), 0
        if self._raw is not None:
            ends = [self._raw.offset + math.prod(self._raw.shape) * self._raw.dtype.itemsize]
        else:
            ends = [int(np.max(np.add(o, c, dtype=np.int64), initial=0)) for o, c in self._places]
            missing = sum(int(np.count_nonzero(np.equal(c, 0))) for _, c in self._places)
        if max(ends, default=0) > size:
            raise FileError(
                f"{self._path}: its header says {max(ends)} bytes, the file has only {size}"
            )
        return missing


def source(path: str, member: str | None) -> TiffArray:
    """The first series of a file."""
    return TiffArray(path)


def target(path: str, member: str | None) -> TiffArray:
    """The series of a file that `create` made."""
    return TiffArray(path)


def chunks(like: Data, template: Source) -> tuple[int, ...]:
    """The tiles of a result: what is written at once is a whole number of them."""
    channels = (like.channels,) if like.channel_axis == -1 else ()
    return (1,) * (like.array.ndim - 2 - len(channels)) + (TILE, TILE, *channels)


def create(path: str, like: Data, template: Source) -> None:
    """Make a BigTIFF of uncompressed tiles, its room on the disk taken."""
    array, tile = like.array, (TILE, TILE)
    tifffile.imwrite(path, shape=array.shape, dtype=array.dtype, bigtiff=True, tile=tile,
                     compression=None, iccprofile=like.meta.get("icc"), **layout(like))  # fmt: skip
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _raw(path: str, series: Any, byteorder: str) -> RawArray:
    return RawArray(path, series.shape, series.dtype.newbyteorder(byteorder), series.dataoffset)


def _outline(series: Any, page: Any) -> Data:
    samples = virtual(series.shape, series.dtype)
    meta = page_meta(series, page)
    if series.axes.endswith("S"):
        return Data(samples, "image", -1, series.shape[-1] in (2, 4), meta=meta)
    channel = series.axes.index("C") - len(series.axes) if "C" in series.axes else None
    return Data(samples, "image", channel, meta=meta)


def _check(path: str, page: Any, series: Any) -> None:
    """Refuse what is not stored as plain samples, one picture a page."""
    plain = page.photometric.name in PLAIN and page.dtype.kind in "uif"
    if not plain or page.imagedepth != 1 or "S" in series.axes[:-1]:
        raise FileError(
            f"{path}: {page.photometric.name} pages of {page.bitspersample} bits cannot be read by "
            "tiles, only grey and RGB ones; convert it to one of these"
        )
    if 1 in page.extrasamples:
        raise FileError(
            f"{path}: colours that were multiplied by their opacity cannot be read by tiles"
        )


def _check_expansion(path: str, page: Any, content: bytes) -> None:
    """Refuse a tile that unpacks to much more than its header says, before it is unpacked."""
    said = math.prod(page.chunks) * page.dtype.itemsize
    most = max(2 * said, HARMLESS)
    if page.compression in DEFLATE and deflated_size(content, most) > most:
        raise FileError(f"{path}: a tile unpacks to more than the {said} bytes its header says")


def _copy(samples: NDArray[Any], inside: Region, found: NDArray[Any], wanted: Region) -> None:
    """What a tile holds of a region, into it."""
    both = tuple(slice(max(a.start, b.start), min(a.stop, b.stop))
                 for a, b in zip(inside, wanted, strict=True))  # fmt: skip
    found[_shifted(both, wanted)] = samples[_shifted(both, inside)]


def _shifted(part: Region, origin: Region) -> Region:
    return tuple(slice(p.start - o.start, p.stop - o.start)
                 for p, o in zip(part, origin, strict=True))  # fmt: skip
