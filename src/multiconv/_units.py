"""How times and sizes are written for people."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Three digits and the unit that suits: ``'1.23 ms'``."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale * 0.9995:
            return f"{three_digits(seconds / scale)} {unit}"
    return f"{three_digits(seconds * 1e9)} ns"


def size(count: int) -> str:
    """Bytes in the unit that suits: ``'1.5 MB'``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{three_digits(count / scale)} {unit}"
    return f"{count} B"


def three_digits(value: float) -> str:
    """``'1.23'``, ``'45.6'``, ``'789'``."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def ratio(value: float) -> str:
    """``'0.45'``, ``'4.51'``, ``'12.3'``, ``'120'``."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
