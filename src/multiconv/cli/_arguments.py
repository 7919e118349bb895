"""Words of the command line as values."""

from __future__ import annotations


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
