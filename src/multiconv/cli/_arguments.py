"""Words of the command line as values."""

from __future__ import annotations

from typing import Any


def sizes(text: str, name: str) -> tuple[int, ...]:
    """``'64x56'`` as ``(64, 56)``."""
    try:
        found = tuple(int(n) for n in text.lower().replace(",", "x").split("x"))
    except ValueError:
        raise ValueError(f"{name}: {text!r} is no shape, write it as 64x56") from None
    if any(n < 0 for n in found):
        raise ValueError(f"{name}: {text!r} is no shape, sizes start from 0")
    return found


def per_axis(text: str, name: str) -> int | tuple[int, ...]:
    """``'2'`` as ``2`` and ``'2,3'`` as ``(2, 3)``."""
    try:
        found = tuple(int(n) for n in text.split(","))
    except ValueError:
        raise ValueError(
            f"{name}: {text!r} is not allowed, give an integer, or one for each axis as 2,3"
        ) from None
    return found[0] if len(found) == 1 else found


def padding_of(text: str) -> Any:
    """``'1'``, ``'1,2'``, ``'0:1,2:2'``, ``'same'`` or ``'valid'`` as the functions take it."""
    if text in ("same", "valid"):
        return text
    if ":" not in text:
        return per_axis(text, "padding")
    try:
        pairs = [pair.split(":") for pair in text.split(",")]
        return tuple((int(low), int(high)) for low, high in pairs)
    except ValueError:
        raise ValueError(
            f"padding: {text!r} is not allowed, write low:high for each axis, as 0:1,2:2"
        ) from None
