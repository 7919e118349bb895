"""Sizes of transforms with radix 2, 3, 4, 5 and 8."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache


def stages(n: int, weight: Mapping[int, float]) -> float:
    """The weights of the stages that a transform of n points takes, one way, added up."""
    total = 0.0
    for radix in (3, 5):
        while n % radix == 0:
            n //= radix
            total += weight[radix]
    bits = n.bit_length() - 1
    fours = {0: 0, 1: 2, 2: 1}[bits % 3] if bits > 1 else 0
    return total + (
        weight[2] if bits == 1 else fours * weight[4] + (bits - 2 * fours) // 3 * weight[8]
    )


@lru_cache(maxsize=64)
def smooth_below(end: int) -> tuple[int, ...]:
    """All products of 2, 3 and 5 below ``end``, rising."""
    powers = [[p**i for i in range(end.bit_length()) if p**i < end] for p in (2, 3, 5)]
    products = (a * b * c for a in powers[0] for b in powers[1] for c in powers[2])
    return tuple(sorted(n for n in products if n < end))


@lru_cache(maxsize=4096)
def smooth_from(n: int) -> int:
    """The least product of 2, 3 and 5 that is at least ``n``."""
    odd: list[int] = [3**i * 5**j for i in range(n.bit_length()) for j in range(n.bit_length())]
    return min(p << (-(-n // p) - 1).bit_length() for p in odd)
