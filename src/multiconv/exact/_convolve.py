"""The public function: checks, any rank as one vector, and the choice of the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from multiconv import _api
from multiconv._typing import Array
from multiconv.exact import _choice as choice
from multiconv.exact._integers import integers, peak, reduced
from multiconv.exact._kronecker import by_one_product
from multiconv.exact._modular import by_transforms
from multiconv.exact._words import modulo, to_objects
from multiconv.kernels._arguments import integer


def convolve_exact(a: Any, b: Any, *, modulus: int | None = None) -> Array:
    """The full convolution of integers of any size, exactly: the product of two polynomials.

    Parameters
    ----------
    a, b : array_like of int
        Python's or NumPy's integers, of equal rank.
    modulus : int, optional
        Compute modulo this number, from 1 up.

    Returns
    -------
    ndarray
        Each axis as long as both together, less one. Python integers (dtype object), which cannot
        overflow; residues from 0 up as int64 for a ``modulus`` of at most ``2**63 - 1``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Notes
    -----
    By what is the fastest for the sizes given: the engine's sums where 64 bits hold them,
    number-theoretic transforms modulo primes of 31 bits (Pollard 1971) whose residues the Chinese
    remainder theorem puts together, or one product of long integers (Kronecker's substitution),
    which itself goes by transforms where it is long. No floating-point sum is among them.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.convolve_exact([1, 10**20], [1, -(10**20)])
    array([1, 0, -10000000000000000000000000000000000000000], dtype=object)
    >>> mc.convolve_exact([3, 5, 7], [2, 4], modulus=10)
    array([6, 2, 4, 8])
    """
    if modulus is not None:
        modulus = integer("modulus", modulus, low=1)
    x, y = integers(a, "a"), integers(b, "b")
    if x.ndim != y.ndim or x.ndim == 0:
        raise ValueError(f"b: rank {y.ndim} does not go with a's {x.ndim}, give equal ranks from 1")
    if modulus is not None:
        x, y = reduced(x, modulus), reduced(y, modulus)
    shape = tuple(n + m - 1 for n, m in zip(x.shape, y.shape, strict=True))
    flat = _sums(_line(x, shape), _line(y, shape), modulus)
    whole = np.zeros(math.prod(shape), flat.dtype)
    whole[: flat.size] = flat
    return whole.reshape(shape)


def _line(x: Array, shape: tuple[int, ...]) -> Array:
    """``x`` in an array of zeros, as one vector up to its last element.

    The convolution of such vectors is that of the arrays, since no sum reaches the next line.
    """
    padded = np.zeros((x.shape[0], *shape[1:]), x.dtype)
    padded[tuple(slice(n) for n in x.shape)] = x
    last = np.ravel_multi_index([n - 1 for n in x.shape], padded.shape)
    return padded.ravel()[: int(last) + 1]


def _sums(x: Array, y: Array, modulus: int | None) -> Array:
    bound = min(x.size, y.size) * peak(x) * peak(y)
    offset = bound if min(x.min(), y.min()) < 0 else 0
    largest = bound + offset
    if largest == 0:
        return np.zeros(x.size + y.size - 1, object if modulus is None else x.dtype)
    if _direct_is_best(x, y, bound, largest):
        long, short = (x, y) if x.size >= y.size else (y, x)
        sums = _api.convolve(long, short)
        result: Array = sums.astype(object) if modulus is None else sums % modulus
        return result
    words = _way(x, y, largest)(x, y, largest, offset)
    if modulus is None or modulus >= 2**63:
        values = to_objects(words, offset)
        return values if modulus is None else values % modulus
    return modulo(words, modulus)


def _way(x: Array, y: Array, largest: int) -> Callable[[Array, Array, int, int], Array]:
    """What is faster of the two that know no limit."""
    if object in (x.dtype, y.dtype):
        return by_one_product
    sizes = (x.size, y.size, largest)
    long = choice.transform_seconds(*sizes) < choice.product_seconds(*sizes)
    return by_transforms if long else by_one_product


def _direct_is_best(x: Array, y: Array, bound: int, largest: int) -> bool:
    if bound >= 2**63 or object in (x.dtype, y.dtype):
        return False
    sizes = (x.size, y.size)
    others = (choice.transform_seconds, choice.product_seconds)
    return choice.direct_seconds(*sizes) <= min(f(*sizes, largest) for f in others)
