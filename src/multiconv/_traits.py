"""What the values of a kernel reveal, computed once and cheaply."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from multiconv import _core
from multiconv._cosines import LEAST_TAPS, cosines
from multiconv._products import ranks_of
from multiconv._typing import Array

KEPT_BYTES = 2**16
"""Largest kernel whose traits are kept: its bytes tell it from others sooner than a look."""


@dataclass(frozen=True)
class KernelTraits:
    """Facts about kernel values. `UNKNOWN` stands for a kernel that was not looked at.

    Attributes
    ----------
    known : bool
        Whether the values were looked at; all else is pessimistic where they were not.
    constant : bool
        Every tap has the same value (a box).
    mean : bool
        Every tap is one over their number, as near as its dtype can say.
    separable : bool
        Each (output, input) slice is an outer product of one vector per axis, exact for integers
        and to a few units in the last place for floats.
    symmetric : bool
        The kernel equals itself flipped on all axes.
    zero_fraction : float
        Share of taps that are zero.
    wide_range : bool
        Some part of the kernel is so small beside the rest that a transform would lose it.
    wide_in_double : bool
        A transform would lose it in double precision too.
    finite : bool
        No NaN and no infinity.
    ranks : tuple of int
        How many outer products of a vector along the first axis and a factor along the others sum
        to the kernel; how many to these factors; and so on. Empty where they are many, unknown, or
        all one.
    rough_ranks : tuple of int
        The same where about ``1e-4`` of the kernel may be missing.
    cosines : int
        How many cosines make up the kernel along each of its long axes; 0 where too many do, or
        nobody asked.
    boxes : int
        How many boxes of equal taps make up each slice at most, one beside the other; 0 where they
        are many.
    """

    known: bool = False
    constant: bool = False
    mean: bool = False
    separable: bool = False
    symmetric: bool = False
    zero_fraction: float = 0.0
    wide_range: bool = False
    wide_in_double: bool = False
    finite: bool = True
    ranks: tuple[int, ...] = ()
    rough_ranks: tuple[int, ...] = ()
    cosines: int = 0
    boxes: int = 0

    @property
    def part(self) -> KernelTraits:
        """What is known of some of the taps, whichever they are."""
        return KernelTraits(
            finite=self.finite, wide_range=self.wide_range, wide_in_double=self.wide_in_double
        )


UNKNOWN = KernelTraits()
NOT_FINITE = KernelTraits(finite=False)
BEST = (
    KernelTraits(known=True, constant=True, mean=True, separable=True, symmetric=True, boxes=1),
    KernelTraits(known=True, separable=True, symmetric=True, cosines=1),
    KernelTraits(known=True, zero_fraction=1.0, boxes=1),
)
"""The most that a kernel of many slices may show."""


def look(kernel: Array, rank: int, *, fast: bool = False) -> KernelTraits:
    """The traits of a kernel of shape ``(groups, out, in, *spatial)``; ``fast`` asks for cosines.

    Of kernels that sum over channels only finiteness is told: no other trait of theirs would change
    a choice, and they can be as large as the data.
    """
    if kernel.size == 0:
        return UNKNOWN
    if kernel.shape[2] != 1:
        return look_at_data(kernel)
    if kernel.nbytes > KEPT_BYTES:
        return _look_at(kernel, rank, fast)
    return _kept_look(kernel.tobytes(), kernel.dtype, kernel.shape, rank, fast)


def look_at_data(kernel: Array) -> KernelTraits:
    """Whether a kernel that is data is finite, and nothing else."""
    return KernelTraits(finite=_all_finite(kernel))


@lru_cache(maxsize=64)
def _kept_look(
    content: bytes, dtype: np.dtype, shape: tuple[int, ...], rank: int, fast: bool
) -> KernelTraits:
    return _look_at(np.frombuffer(content, dtype).reshape(shape), rank, fast)


def _look_at(kernel: Array, rank: int, fast: bool) -> KernelTraits:
    finite = kernel.dtype.kind not in "fcV" or bool(np.isfinite(kernel).all())
    if finite and bool((kernel == kernel.flat[0]).all()):
        return _look_at_box(kernel)
    spatial = tuple(range(kernel.ndim - rank, kernel.ndim))
    separable = finite and _separable(kernel, rank)
    unclear = finite and not separable
    slices = kernel.reshape(-1, *kernel.shape[3:])
    ranks = ranks_of(slices) if unclear else ()
    wide = finite and _wide_range(kernel)
    return KernelTraits(
        known=True,
        separable=separable,
        symmetric=finite and _symmetric(kernel, spatial),
        zero_fraction=1 - int(np.count_nonzero(kernel)) / kernel.size,
        wide_range=wide,
        wide_in_double=wide and _wide_range(kernel, in_double=True),
        finite=finite,
        ranks=ranks,
        rough_ranks=ranks or (ranks_of(slices, rough=True) if unclear else ()),
        cosines=_cosines(kernel, rank) if fast and separable else 0,
        boxes=_boxes(kernel, rank) if finite else 0,
    )


def _look_at_box(kernel: Array) -> KernelTraits:
    """The traits of a kernel whose taps are all equal: what the first one tells."""
    empty = not kernel.flat[0]
    one = 1 / kernel[0, 0].size
    return KernelTraits(
        known=True,
        constant=True,
        mean=kernel.dtype.name in ("float32", "float64")
        and bool(kernel.flat[0] == kernel.dtype.type(one)),
        separable=not empty and kernel.dtype.kind in "iufc",
        symmetric=True,
        zero_fraction=float(empty),
        boxes=1,
    )


def _boxes(kernel: Array, rank: int) -> int:
    if rank > 8 or kernel.dtype.char not in "bBhHiIlLqQfdFD":
        return 0
    return _core.tap_boxes(kernel, rank)


def _cosines(kernel: Array, rank: int) -> int:
    """The most that any line through the kernel needs; 0 where one needs too many."""
    factors = rank_one_factors(kernel, rank) or []
    long = [f for f in factors if f.dtype.kind == "f" and max(f.shape[3:]) >= LEAST_TAPS]
    counts = [cosines(line) for f in long for line in f.reshape(-1, max(f.shape[3:]))]
    return max(counts) if counts and min(counts) > 0 else 0


def _all_finite(kernel: Array) -> bool:
    """Whether the sum of all taps is finite: quick, and at worst pessimistic."""
    with np.errstate(over="ignore", invalid="ignore"):
        return kernel.dtype.kind not in "fcV" or bool(np.isfinite(kernel.sum()))


def _separable(kernel: Array, rank: int) -> bool:
    if rank == 1 and kernel.dtype.kind in "iufc":  # every vector is its own outer product
        return bool(kernel.any(axis=-1).all())
    return rank_one_factors(kernel, rank) is not None


def _symmetric(kernel: Array, spatial: tuple[int, ...]) -> bool:
    flipped = np.flip(kernel, spatial)
    corner: tuple[Any, ...] = (..., *(0 for _ in spatial))  # differs in most kernels that are not
    return bool((kernel[corner] == flipped[corner]).all() and (kernel == flipped).all())


def rank_one_factors(kernel: Array, rank: int) -> list[Array] | None:
    """One factor per spatial axis whose outer product is the kernel, or None.

    Factor ``a`` has the kernel's shape with every spatial axis but ``a`` reduced to 1. The vectors
    through the largest tap are the factors if there are any, so no decomposition is needed.
    """
    lead = kernel.shape[: kernel.ndim - rank]
    flat = kernel.reshape(-1, *kernel.shape[kernel.ndim - rank :])
    if flat[0].size == 0 or kernel.dtype.kind not in "iufc":
        return None
    factors = _whole_factors(flat) if kernel.dtype.kind in "iu" else _float_factors(flat)
    if factors is None:
        return None
    shapes = ([k if a == axis else 1 for a, k in enumerate(flat.shape[1:])] for axis in range(rank))
    return [f.reshape(*lead, *shape) for f, shape in zip(factors, shapes, strict=True)]


def _float_factors(flat: Array) -> list[Array] | None:
    """Vectors for each axis, of all slices at once; the first slice tells of most that none are."""
    if len(flat) > 1 and _float_factors(flat[:1]) is None:
        return None
    size = np.abs(flat)
    peaks = np.unravel_index(size.reshape(len(flat), -1).argmax(1), flat.shape[1:])
    index = (np.arange(len(flat)), *peaks)
    largest = flat[index][:, None]
    if not largest.all():
        return None
    vectors = [flat[(*index[:axis], slice(None), *index[axis + 1 :])]
               for axis in range(1, flat.ndim)]  # fmt: skip
    vectors[1:] = [v / largest for v in vectors[1:]]
    product = vectors[0]
    for axis, v in enumerate(vectors[1:], start=1):
        product = product[..., None] * v.reshape(-1, *(1,) * axis, v.shape[1])
    close = np.abs(product - flat) <= 16 * np.finfo(flat.dtype).eps * size
    return vectors if bool(close.all()) else None


def _whole_factors(flat: Array) -> list[Array] | None:
    """The same for integers, exactly."""
    slices = []
    for taps in flat:
        values = taps.astype(object)
        peak = np.unravel_index(int(np.argmax(np.abs(values))), taps.shape)
        if values[peak] == 0:
            return None
        factors = [
            values[tuple(slice(None) if a == axis else p for a, p in enumerate(peak))]
            for axis in range(taps.ndim)
        ]
        factors[1:] = [f // math.gcd(*f) for f in factors[1:]]
        scale = math.prod(f[p] for f, p in zip(factors[1:], peak[1:], strict=True))
        factors[0] = factors[0] // scale
        if not bool((_outer(factors) == values).all()):
            return None
        slices.append([_wrapped(f, taps.dtype) for f in factors])
    return [np.stack(vectors) for vectors in zip(*slices, strict=True)]


def _wrapped(integers: Array, dtype: np.dtype) -> Array:
    """Python integers modulo the dtype: a factor's sign may lead just outside it."""
    modulus = 2 ** (8 * dtype.itemsize)
    wrapped: Array = (integers % modulus).astype(f"u{dtype.itemsize}").view(dtype)
    return wrapped


def _outer(factors: list[Array]) -> Array:
    product = factors[0]
    for f in factors[1:]:
        product = product[..., None] * f
    return product


def _wide_range(kernel: Array, part: int = 8, *, in_double: bool = False) -> bool:
    """Whether some non-zero run of taps is below the noise that a transform would add."""
    if kernel.dtype.kind not in "fc":
        return False
    eps = np.finfo(np.float64 if in_double else kernel.dtype).eps
    size = np.abs(kernel).reshape(-1)
    largest, smallest = size.max(), size.min()
    if smallest >= eps * 2**10 * largest:
        return False
    if smallest == 0:
        smallest = size.min(where=size > 0, initial=largest)
    # Double precision is taken for the sake of every tap.
    if smallest < (eps * 2**10 if in_double else eps / 64) * largest:
        return True
    runs = _run_maxima(size, part)
    runs = runs[runs > 0]
    return bool(runs.size and runs.min() < eps * 2**10 * largest)


def _run_maxima(size: Array, part: int) -> Array:
    """The largest of each run of so many values; the last run may be shorter."""
    whole = size.size // part * part
    runs = np.array(size[:whole:part])
    for start in range(1, part):
        np.maximum(runs, size[start:whole:part], out=runs)
    return runs if whole == size.size else np.append(runs, size[whole:].max())
