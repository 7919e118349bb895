"""Sums from their residues modulo several primes: the Chinese remainder theorem."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from multiconv._typing import Array


def combine(residues: Sequence[Array], primes: Sequence[int]) -> Array:
    """The numbers below the product of the primes that have these residues, as rows of words."""
    width = -(-math.prod(primes).bit_length() // 32)
    words = np.zeros((width, residues[0].size), np.uint64)
    for digit, prime in zip(reversed(_digits(residues, primes)), reversed(primes), strict=True):
        carry = digit
        for word in words:
            word *= np.uint64(prime)
            word += carry
            carry = word >> np.uint64(32)
            word &= np.uint64(2**32 - 1)
    return np.ascontiguousarray(words.T, np.uint32)


def _digits(residues: Sequence[Array], primes: Sequence[int]) -> list[Array]:
    """Mixed-radix digits, each below its prime, by Garner's algorithm (Knuth, TAOCP 2, 4.3.2)."""
    digits: list[Array] = []
    for rest, prime in zip(residues, primes, strict=True):
        p = np.uint64(prime)
        for digit, earlier in zip(digits, primes, strict=False):
            inverse = np.uint64(pow(earlier, -1, prime))
            rest = (rest + (p - digit % p)) * inverse % p
        digits.append(rest)
    return digits
