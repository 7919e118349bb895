"""Integers as rows of 32-bit words, the lowest first."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array

WORD = 2**32


def to_objects(words: Array, offset: int) -> Array:
    """Python integers, ``offset`` subtracted from each."""
    count, width = words.shape
    if width <= 2:
        low = words[:, 0].astype(np.uint64)
        if width == 2:
            low |= words[:, 1].astype(np.uint64) << np.uint64(32)
        values = low.astype(object)
    else:
        data, step = np.ascontiguousarray(words, "<u4").tobytes(), 4 * width
        values = np.empty(count, object)
        values[:] = [
            int.from_bytes(data[at : at + step], "little") for at in range(0, count * step, step)
        ]
    return values - offset if offset else values


def modulo(words: Array, modulus: int) -> Array:
    """Residues as int64, for a modulus below 2**63, word by word from the highest."""
    rest = np.zeros(len(words), np.uint64)
    for word in words.T[::-1]:
        rest = _shifted(rest, word, modulus)
    return rest.astype(np.int64)


def _shifted(rest: Array, word: Array, modulus: int) -> Array:
    """``(rest * 2**32 + word) % modulus`` for ``rest`` below the modulus.

    Floats have the quotient to one unit, and miss it only next to a multiple of the modulus: the
    remainder is hardly below 0, a word with both top bits set, or hardly above the modulus.
    """
    m = np.uint64(modulus)
    if modulus < WORD:
        return ((rest << np.uint64(32)) | word) % m
    quotient = (rest.astype(np.float64) * (WORD / modulus)).astype(np.uint64)
    rest = (rest << np.uint64(32)) - quotient * m
    rest = np.where(rest >> np.uint64(62) == 3, rest + m, rest)
    rest = np.minimum(rest, rest - m) + word
    return np.minimum(rest, rest - m)
