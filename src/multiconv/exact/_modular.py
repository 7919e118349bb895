"""Convolution by number-theoretic transforms modulo as many primes as the sums need."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array
from multiconv.exact._primes import primes_for
from multiconv.exact._residues import combine
from multiconv.exact._transform import cyclic_convolution


def by_transforms(a: Array, b: Array, largest: int, offset: int) -> Array:
    """Rows of words: the sums plus ``offset``, which lie between 0 and ``largest``.

    For vectors of 64-bit integers; ``primes_of`` must have found primes.
    """
    count = a.size + b.size - 1
    primes = primes_of(count, largest)
    assert primes is not None
    residues = []
    for prime in primes:
        x, y = (_residues(v, prime, _order(count)) for v in (a, b))
        cyclic = cyclic_convolution(x, y, prime)
        residues.append((cyclic[:count] + np.uint64(offset % prime)) % np.uint64(prime))
    return combine(residues, primes)


def primes_of(count: int, largest: int) -> tuple[int, ...] | None:
    """The primes for ``count`` sums up to ``largest``, or None where there are too few."""
    return primes_for(_order(count), largest.bit_length())


def _order(count: int) -> int:
    return 1 << (count - 1).bit_length()


def _residues(values: Array, prime: int, length: int) -> Array:
    padded = np.zeros(length, np.uint64)
    padded[: values.size] = values % values.dtype.type(prime)
    return padded
