"""Convolution as one product of long integers: Kronecker's substitution."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array
from multiconv.exact._modular import by_transforms, primes_of

LONG = 2_000_000
"""Bits from which on transforms beat Python's product of integers."""


def by_one_product(a: Array, b: Array, largest: int, offset: int) -> Array:
    """Rows of words: the sums plus ``offset``, which lie between 0 and ``largest``.

    Each vector is evaluated at a power of two that is beyond every sum.
    """
    width = -(-largest.bit_length() // 32) or 1
    count = a.size + b.size - 1
    product = _product(_packed(a, width), _packed(b, width))
    if offset:
        product += int.from_bytes(offset.to_bytes(4 * width, "little") * count, "little")
    data = product.to_bytes(4 * width * count, "little")
    return np.frombuffer(data, "<u4").reshape(count, width)


def _packed(values: Array, width: int) -> int:
    """``sum of values[i] * 2 ** (32 * width * i)``."""
    bytes_of = _bytes_of_objects if values.dtype == object else _bytes_of_words
    size = np.abs(values)  # as an unsigned word that of the least integer is right, too
    positive, negative = (
        int.from_bytes(bytes_of(np.where(part, size, 0), width), "little")
        for part in (values > 0, values < 0)
    )
    return positive - negative


def _bytes_of_objects(values: Array, width: int) -> bytes:
    return b"".join(v.to_bytes(4 * width, "little") for v in values)


def _bytes_of_words(values: Array, width: int) -> bytes:
    words = np.zeros((values.size, width), "<u4")
    words[:, :2] = values.astype("<u8").view("<u4").reshape(-1, 2)[:, :width]
    return words.tobytes()


def _product(x: int, y: int) -> int:
    """``x * y``."""
    if min(x.bit_length(), y.bit_length()) < LONG:
        return x * y
    sign = 1 if (x < 0) == (y < 0) else -1
    a, b = (_limbs(abs(v)) for v in (x, y))
    largest = min(a.size, b.size) * (2**32 - 1) ** 2
    if primes_of(a.size + b.size - 1, largest) is None:
        return x * y
    sums = by_transforms(a, b, largest, 0)
    return sign * sum(
        int.from_bytes(np.ascontiguousarray(word).tobytes(), "little") << (32 * place)
        for place, word in enumerate(sums.T)
    )


def _limbs(x: int) -> Array:
    count = -(-x.bit_length() // 32)
    return np.frombuffer(x.to_bytes(4 * count, "little"), "<u4").astype(np.uint64)
