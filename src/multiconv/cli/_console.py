"""The terminal: consoles, and how sizes and times are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command end: whoever read our output, such as head, has seen enough."""
        raise BrokenPipeError


console = _Console(highlight=False)
"""Results."""


def duration(seconds: float) -> str:
    """Three digits and the unit that suits: ``'1.23 ms'``."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale * 0.9995:
            return f"{_three_digits(seconds / scale)} {unit}"
    return f"{_three_digits(seconds * 1e9)} ns"


def size(count: int) -> str:
    """Bytes in the unit that suits: ``'1.5 MB'``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{_three_digits(count / scale)} {unit}"
    return f"{count} B"


def shape(sizes: Sequence[int]) -> str:
    """``'3 x 4'``."""
    return " x ".join(str(n) for n in sizes)


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"
