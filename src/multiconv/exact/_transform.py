"""The number-theoretic transform: the Fourier transform in the integers modulo a prime.

Elements are 64-bit words below a prime of 31 bits. A transform of length ``n`` is one of the rows
and one of the columns of a matrix, so that each step works on long runs of words, on few enough of
them at once to stay in the cache. Frequencies come out in a scrambled order, which a product of two
transforms does not mind.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from multiconv._typing import Array
from multiconv.exact._primes import root_of_unity

CACHED = 2**14
"""Words that are worked on at once."""


class Factors(NamedTuple):
    """Constant factors, and for each its quotient ``floor(2**32 * factor / prime)``."""

    value: Array
    quotient: Array

    def of(self, columns: slice) -> Factors:
        """Those of some columns."""
        return Factors(self.value[:, columns], self.quotient[:, columns])


def cyclic_convolution(a: Array, b: Array, prime: int) -> Array:
    """The cyclic convolution modulo ``prime`` of two vectors of one power-of-two length."""
    field = _Field.of(prime, a.size)
    product = field.forward(a) * field.forward(b) % np.uint64(prime)
    return field.inverse(product)


class _Field:
    """Transforms of one length modulo one prime."""

    def __init__(self, prime: int, length: int) -> None:
        self.prime, self.length = prime, length
        self.rows = 2 ** ((length.bit_length() - 1) // 2)
        self.columns = length // self.rows
        root = root_of_unity(prime, length)
        back = pow(root, -1, prime)
        self.roots = [self._steps(root), self._steps(back)]
        self.twiddles = [self._twiddles(root, 1), self._twiddles(back, pow(length, -1, prime))]

    @staticmethod
    @lru_cache(maxsize=16)
    def of(prime: int, length: int) -> _Field:
        return _Field(prime, length)

    def forward(self, x: Array) -> Array:
        """The scrambled transform, as a matrix."""
        x = x.reshape(self.rows, self.columns).copy()
        self._spread(x, self.twiddles[0])
        x = np.ascontiguousarray(x.T)
        self._spread(x)
        return x

    def inverse(self, x: Array) -> Array:
        """The vector of which a matrix is the transform."""
        self._gather(x)
        x = np.ascontiguousarray(x.T)
        self._gather(x, self.twiddles[1])
        return x.ravel()

    def _spread(self, x: Array, after: Factors | None = None) -> None:
        """Transform the columns in place, by decimation in frequency."""
        for columns in _parts(x):
            part = x[:, columns].copy()
            half = len(x) // 2
            while half:
                low, high = _halves(part, half)
                total = self._reduced(low + high)
                low += np.uint64(self.prime)
                low -= high
                high[...] = self._times(low, self.roots[0][half])
                low[...] = total
                half //= 2
            x[:, columns] = self._times(part, after.of(columns)) if after else part

    def _gather(self, x: Array, before: Factors | None = None) -> None:
        """Undo `_spread`, but for a factor ``len(x)``, by decimation in time."""
        for columns in _parts(x):
            part = (
                self._times(x[:, columns], before.of(columns)) if before else x[:, columns].copy()
            )
            half = 1
            while half < len(x):
                low, high = _halves(part, half)
                turned = self._times(high, self.roots[1][half])
                high[...] = self._reduced(low + (np.uint64(self.prime) - turned))
                low[...] = self._reduced(low + turned)
                half *= 2
            x[:, columns] = part

    def _times(self, x: Array, factors: Factors) -> Array:
        """Products below the prime, of words below 2**32, by Shoup's method.

        Source: Harvey, "Faster arithmetic for number-theoretic transforms" (2014), section 2.
        """
        whole = x * factors.quotient
        whole >>= np.uint64(32)
        whole *= np.uint64(self.prime)
        product: Array = x * factors.value
        product -= whole
        return self._reduced(product)

    def _reduced(self, x: Array) -> Array:
        """``x`` below twice the prime, below the prime; a negative word is a huge one."""
        return np.minimum(x, x - np.uint64(self.prime))

    def _steps(self, root: int) -> dict[int, Factors]:
        """For each step, by the half of its span, its powers of the root as a column."""
        longest = max(self.rows, self.columns)
        powers = self._powers(pow(root, self.length // longest, self.prime), max(longest // 2, 1))
        halves = [2**i for i in range(longest.bit_length() - 1)]
        return {h: self._factors(powers[:: len(powers) // h][:, None]) for h in halves}

    def _twiddles(self, root: int, scale: int) -> Factors:
        """``scale * root ** (k * j)`` for row frequency ``k``, scrambled, and column ``j``."""
        exponents = _scrambled(self.rows)
        powers = self._powers(root, self.length) * np.uint64(scale) % np.uint64(self.prime)
        return self._factors(powers[np.multiply.outer(exponents, np.arange(self.columns))])

    def _powers(self, root: int, count: int) -> Array:
        """``1, root, root**2, ...``, by doubling."""
        powers = np.ones(count, np.uint64)
        done = 1
        while done < count:
            more = min(done, count - done)
            step = np.uint64(pow(root, done, self.prime))
            powers[done : done + more] = powers[:more] * step % np.uint64(self.prime)
            done *= 2
        return powers

    def _factors(self, value: Array) -> Factors:
        return Factors(value, (value << np.uint64(32)) // np.uint64(self.prime))


def _parts(x: Array) -> list[slice]:
    """Columns of ``x`` that fit into the cache together.

    Steps work on a copy of them: lines a power of two apart share too few places in the cache.
    """
    width = max(CACHED // len(x), 8)
    return [slice(start, start + width) for start in range(0, x.shape[1], width)]


def _halves(x: Array, half: int) -> tuple[Array, Array]:
    blocks = x.reshape(-1, 2, half, x.shape[1])
    return blocks[:, 0], blocks[:, 1]


def _scrambled(size: int) -> Array:
    """Numbers below a power of two in the order of their reversed bits."""
    order = np.zeros(1, np.int64)
    while order.size < size:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order
