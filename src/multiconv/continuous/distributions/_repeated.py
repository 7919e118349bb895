"""Additions where a term may be missing, and of many equal terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Part = TypeVar("Part")


def both(f: Part | None, g: Part | None, add: Callable[[Part, Part], Part]) -> Part | None:
    return add(f, g) if f is not None and g is not None else f if g is None else g


def power(base: Part, count: int, add: Callable[[Part, Part], Part]) -> Part:
    """The sum of ``count`` copies, by doubling."""
    result = None
    while True:
        if count & 1:
            result = base if result is None else add(result, base)
        count >>= 1
        if not count:
            assert result is not None
            return result
        base = add(base, base)
