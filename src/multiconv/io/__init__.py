"""Readers and writers for images, sounds and arrays, found by a file's suffix.

Reading checks a file's header before anything large is allocated; writing replaces a file in one
step, or leaves it as it was. Arrays that are larger than memory are read and written by regions.
"""

from ._checks import check_target
from ._chunked import Region, Source, Target, everything, lengths, virtual
from ._data import Data, FileError
from ._files import blocks, check_write, outline, read, write, writing
from ._formats import Format, format_of, formats
from ._limits import MAX_PIXELS
from ._regions import (
    Level,
    create_target,
    fingerprint,
    levels,
    open_source,
    open_target,
    reads_regions,
    split_member,
    target_chunks,
    writes_regions,
)
from ._safe import replacing

__all__ = [
    "MAX_PIXELS",
    "Data",
    "FileError",
    "Format",
    "Level",
    "Region",
    "Source",
    "Target",
    "blocks",
    "check_target",
    "check_write",
    "create_target",
    "everything",
    "fingerprint",
    "format_of",
    "formats",
    "lengths",
    "levels",
    "open_source",
    "open_target",
    "outline",
    "read",
    "reads_regions",
    "replacing",
    "split_member",
    "target_chunks",
    "virtual",
    "write",
    "writes_regions",
    "writing",
]
