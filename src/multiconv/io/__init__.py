"""Readers and writers for images, sounds and arrays, found by a file's suffix.

Reading checks a file's header before anything large is allocated; writing replaces a file in one
step, or leaves it as it was.
"""

from ._data import Data, FileError
from ._formats import (
    Format,
    blocks,
    check_target,
    check_write,
    format_of,
    formats,
    outline,
    read,
    write,
    writing,
)
from ._limits import MAX_PIXELS
from ._safe import replacing

__all__ = [
    "MAX_PIXELS",
    "Data",
    "FileError",
    "Format",
    "blocks",
    "check_target",
    "check_write",
    "format_of",
    "formats",
    "outline",
    "read",
    "replacing",
    "write",
    "writing",
]
