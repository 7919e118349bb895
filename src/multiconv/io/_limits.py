"""How large a file's contents may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from multiconv._errors import MemoryLimitError
from multiconv._machine import memory_limit

from ._data import FileError

MAX_PIXELS = 10**9


@dataclass(frozen=True)
class Limits:
    """Refuses a file from its header, before its samples are decoded."""

    path: str
    max_pixels: int = MAX_PIXELS

    def check_image(self, size: Sequence[int], bytes_per_pixel: int) -> None:
        """Refuse an image of ``size`` (every axis but the channels) that is too large."""
        pixels = math.prod(size)
        if pixels > self.max_pixels:
            shape = "x".join(str(n) for n in size)
            raise FileError(
                f"{self.path}: {shape} = {pixels} pixels, which need {pixels * bytes_per_pixel} "
                f"bytes, are more than the {self.max_pixels} that max-pixels allows"
            )
        self.check_bytes(pixels * bytes_per_pixel)

    def check_bytes(self, needed: int) -> None:
        """Refuse samples that do not fit into the memory limit."""
        if needed > memory_limit():
            raise MemoryLimitError(
                f"{self.path}: its samples need {needed} bytes, the memory limit is "
                f"{memory_limit()} bytes (set MULTICONV_MEMORY_LIMIT to change it)"
            )
