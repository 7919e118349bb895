"""Kernels as short sums of outer products, one axis against the others.

Found by cross approximation with complete pivoting (Tyrtyshnikov, "Incomplete cross approximation
in the mosaic-skeleton method", Computing 64, 2000): rows and columns of what remains are the
factors, so a kernel's small outer taps keep their digits, which a singular value decomposition
would round to the largest tap's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from multiconv._typing import Array

MOST_TERMS = 6
LARGEST = 2**16
"""Taps of kernels that are looked at."""

MOST_SLICES = 16
LEFT_OUT = 64
"""Rounding units of the terms that their sum may miss a tap by."""

AMPLIFICATION = 4
"""How many times the kernel the terms may be together: what their rounding errors grow by."""

SMALLEST_SHARE = 2.0**-8
"""Least tap, neighbours included, beside the terms that cancel to it."""

ROUGH = 1e-4
"""What a rough sum may leave out, relative to the largest tap and to the sum of all."""


class Split(NamedTuple):
    """A kernel ``(slices, *spatial)`` as ``sum over r of left[:, r] * right[:, r]``.

    ``left (slices, r, *spatial)`` extends along the kernel's first axis of more than one tap,
    ``right`` along the others; ``sizes`` tells of each entry of ``right`` how large the numbers
    were that it comes from, to which its rounding errors are relative.
    """

    left: Array
    right: Array
    sizes: Array


def ranks_of(kernel: Array, rough: bool = False) -> tuple[int, ...]:
    """Numbers of terms: of ``(slices, *spatial)``, then of the right factors, and so on.

    Ends where a factor is no short sum, and at factors along one axis.
    """
    if kernel.dtype.char not in "fdFD" or kernel.size > LARGEST or len(kernel) > MOST_SLICES:
        return ()
    rows, columns = _unfolding(kernel.shape[1:])
    if _has_many_terms(kernel[0].reshape(rows, columns)):
        return ()
    tolerance = ROUGH if rough else LEFT_OUT * float(np.finfo(kernel.dtype).eps)
    sizes = np.zeros(kernel.shape)
    found = split(kernel, tolerance, sizes)
    ranks = []
    while found is not None:
        ranks.append(found.right.shape[1])
        kernel, sizes = (f.reshape(-1, *f.shape[2:]) for f in (found.right, found.sizes))
        found = split(kernel, tolerance, sizes)
    return tuple(ranks)


def split(kernel: Array, tolerance: float, sizes: Array) -> Split | None:
    """The terms of ``(slices, *spatial)``, the same number for every slice; None where many."""
    spatial = kernel.shape[1:]
    rows, columns = _unfolding(spatial)
    terms = []
    for taps, noise in zip(kernel, sizes, strict=True):
        found = _terms(taps.reshape(rows, columns), noise.reshape(rows, columns), tolerance)
        if found is None:
            return None
        terms.append(found)
    rank = max(len(t[0]) for t in terms)
    axis = first_axis(spatial)
    one = (*(1,) * axis, rows, *(1,) * (len(spatial) - axis - 1))
    others = (*(1,) * (axis + 1), *spatial[axis + 1 :])
    stacked = [np.stack([_padded(t[f], rank) for t in terms]) for f in range(3)]
    shapes = (one, others, others)
    return Split(*(s.reshape(-1, rank, *n) for s, n in zip(stacked, shapes, strict=True)))


def first_axis(spatial: tuple[int, ...]) -> int:
    """The first axis of more than one tap."""
    return next((a for a, k in enumerate(spatial) if k > 1), 0)


def _unfolding(spatial: tuple[int, ...]) -> tuple[int, int]:
    """Taps along the first axis of more than one, and along all others."""
    axis = first_axis(spatial)
    return spatial[axis], math.prod(spatial[axis + 1 :])


def _most_terms(rows: int, columns: int) -> int:
    """With more terms than this, too little work is saved."""
    return min(MOST_TERMS, rows * columns // (2 * (rows + columns)))


def _has_many_terms(matrix: Array) -> bool:
    """Whether a few rows and columns alone prove it; quick."""
    most = _most_terms(*matrix.shape)
    if most == 0:
        return True
    rows, columns = (np.linspace(0, n - 1, min(n, most + 3)).astype(int) for n in matrix.shape)
    some = matrix[np.ix_(rows, columns)]
    values = np.linalg.svd(some, compute_uv=False)
    return len(values) > most and bool(values[most] > ROUGH * len(values) * np.abs(matrix).max())


def _terms(matrix: Array, noise: Array, tolerance: float) -> tuple[Array, Array, Array] | None:
    """Columns, rows and the rows' sizes; no entry of a column is above 1."""
    rest = matrix.astype(np.result_type(matrix, np.float64))
    size = remaining = np.abs(rest)
    scale = np.maximum(size, noise)
    largest, total = scale.max(), scale.sum()
    together = np.zeros(size.shape)
    columns, rows, sizes = [], [], []
    for _ in range(_most_terms(*size.shape)):
        i, j = divmod(int(remaining.argmax()), size.shape[1])
        columns.append(rest[:, j] / (rest[i, j] or 1))
        rows.append(rest[i].copy())
        sizes.append(np.maximum(size[i] + together[i], noise[i]))
        rest = rest - np.outer(columns[-1], rows[-1])
        remaining = np.abs(rest)
        together += np.outer(np.abs(columns[-1]), size[i] + together[i])
        if tolerance == ROUGH:
            done = remaining.max() <= ROUGH * largest and remaining.sum() <= ROUGH * total
        else:
            done = bool((remaining <= tolerance * (together + noise)).all())
        if done:
            tame = together.max() <= AMPLIFICATION * largest
            tame = tame and together.sum() <= AMPLIFICATION * total
            tame = tame and (tolerance == ROUGH or _keeps_small_taps(scale, together))
            return (np.array(columns), np.array(rows), np.array(sizes)) if tame else None
    return None


def _keeps_small_taps(size: Array, together: Array) -> bool:
    for axis in (0, 1):
        beside = np.moveaxis(size.copy(), axis, 0)
        from_size = np.moveaxis(size, axis, 0)
        np.maximum(beside[1:], from_size[:-1], out=beside[1:])
        np.maximum(beside[:-1], from_size[1:], out=beside[:-1])
        size = np.moveaxis(beside, 0, axis)
    return bool((SMALLEST_SHARE * together <= size).all())


def _padded(rows: Array, count: int) -> Array:
    return np.concatenate([rows, np.zeros((count - len(rows), rows.shape[1]), rows.dtype)])
