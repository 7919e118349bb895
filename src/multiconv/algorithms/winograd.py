"""Minimal filtering: layers with many channels and small kernels."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

from multiconv._geometry import out_size, reached, result_bytes
from multiconv._machine import Machine, machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal, weight_bytes
from multiconv.algorithms._native import CALL, NativeAlgorithm, shared


class Winograd(NativeAlgorithm):
    """Tiles of the input and kernels are transformed, multiplied over channels, transformed back.

    ``m`` outputs of a filter of ``r`` taps take ``m + r - 1`` products along each axis. The points
    of the transforms are chosen for accuracy; values that a transform would blur (NaN, infinity, a
    huge range) are summed directly. After Winograd, "Arithmetic Complexity of Computations" (1980),
    Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), and Barabasz et al.,
    "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks"
    (2020).
    """

    name = "winograd"
    summary = "float layers with several channels, kernels of 2 to 7 taps a side, without stride"
    PACKING = 1.75

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Layers whose kernels a transform keeps."""
        if min(problem.group_in, problem.group_out) < 2:
            return Refusal("with so few channels the transforms cost more than they save")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if not traits.finite:
            return Refusal("the kernel has NaN or infinite taps, which a transform would spread")
        if math.prod(out_size(problem)) < math.prod(problem.kernel):
            return Refusal("so few outputs share no transformed kernel")
        return super().accepts(problem, traits)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """Outputs of a tile along each axis, with the least predicted time."""
        return _best(problem)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Transforms, products and what they move, at the best tile."""
        tile = self.tile(problem)
        return Cost(
            CALL + _seconds(problem, tile, planning.machine),
            self.scratch(problem, planning.machine),
            _error(problem, tile),
        )


MOST_PRODUCTS, MOST_TAPS = 8, 7
"""Of an axis that is transformed."""

PREPARED, PREPARED_MORE, PREPARED_LOW = 4.5, 2**16, 2**20
"""Tiles whose weights take at most so many times what weights take, and so many bytes more, are
preferred; with ``low_memory`` those that take at most so many bytes more than weights."""

ERROR_FACTOR = 8
"""Tiles with a smaller bound than so many times direct summation's are preferred."""

GROWTH = {
    (2, 2): 2.9, (3, 2): 2.9, (4, 2): 5.1, (5, 2): 7.5, (6, 2): 13.2, (7, 2): 21.0,
    (2, 3): 3.5, (3, 3): 5.6, (4, 3): 8.2, (5, 3): 13.9, (6, 3): 21.8,
    (2, 4): 6.1, (3, 4): 8.9, (4, 4): 14.6, (5, 4): 22.5,
    (2, 5): 9.9, (3, 5): 15.4, (4, 5): 23.1,
    (2, 6): 16.5, (3, 6): 24.0,
    (2, 7): 25.7,
}  # fmt: skip
"""What an axis' transforms make of independent rounding errors, by outputs and taps of a tile."""

ROUNDINGS = 48
"""Additions that the roundings of the transforms themselves are worth."""

PRODUCTS = 1.7
"""Operations at the peak rate that take as long as one of the matrix products does."""

FORWARD, BACK = 6.9, 3.6
"""The same for a byte of transformed input, and of products."""

BEGUN = 500
"""The same for each product of a tile and each tap summed, however few channels there are."""

ARRAYS, NEAR, FAR = 3.6, 0.71, 0.6
"""Trips at one thread's bandwidth that input and output are worth, weights that caches hold, and
what is beyond these."""

MANY, AGAIN = 80, 2.0
"""Products of a tile from which on no cache holds a block of tiles, and the trips these take."""

APART = 2.0
"""How much longer arrays take whose taps lie apart."""

BEGIN = 6e-6
"""Seconds that a run takes beyond its work."""


def _error(problem: Problem, tile: tuple[int, ...]) -> float:
    """Six standard deviations of the error, were all products as large as they can be, and a bias.

    Roundings are taken for independent and uniform: a sum of n terms then errs by a standard
    deviation of ``eps sqrt(n) / 6``. Sums of equal terms are rounded the same way again and again;
    an eighth of a unit each time makes ``eps n / 16``. Each axis multiplies both by its `GROWTH`.
    """
    _, taps = _products(problem, tile)
    terms = problem.group_in * taps
    units = math.sqrt(terms + ROUNDINGS) + terms / 16
    return rounding(problem.acc_dtype) * units * _growth(problem, tile)


def _growth(problem: Problem, tile: tuple[int, ...]) -> float:
    """What all axes' transforms make of independent rounding errors."""
    axes = zip(tile, problem.kernel, strict=True)
    return math.prod(GROWTH[m, k] for m, k in axes if m > 1)


def _direct_error(problem: Problem) -> float:
    return rounding(problem.acc_dtype) * (math.prod(problem.kernel) * problem.group_in + 1)


def _tiles(axis: int, outputs: int, kernel: int) -> list[int]:
    """Outputs that a tile may have along an axis."""
    if kernel == 1:
        return [1]
    summed = [1] if axis == 0 else []
    if kernel > MOST_TAPS:
        return summed
    most = max(min(MOST_PRODUCTS + 1 - kernel, outputs), 2)
    return summed + list(range(2, most + 1))


@lru_cache(maxsize=4096)
def _best(problem: Problem) -> tuple[int, ...]:
    """The quickest tile of those that are accurate and small enough, else the most accurate."""
    profile = machine()
    rank = problem.rank
    if rank > 3 or rounding(problem.acc_dtype) == 0:
        return (0,) * rank
    axes = [
        _tiles(a, n, k)
        for a, (n, k) in enumerate(zip(out_size(problem), problem.kernel, strict=True))
    ]
    tiles = [tile for tile in itertools.product(*axes) if max(tile) > 1]
    if not tiles:
        return (0,) * rank
    allowed = math.inf if problem.precision == "fast" else ERROR_FACTOR * _direct_error(problem)
    weights = weight_bytes(problem)
    most = weights + PREPARED_LOW if problem.low_memory else PREPARED * weights + PREPARED_MORE
    good = [
        tile
        for tile in tiles
        if _packed(problem, tile, profile) <= most and _error(problem, tile) <= allowed
    ]
    if not good:
        return min(tiles, key=lambda tile: (_error(problem, tile), tile))
    return min(
        good, key=lambda tile: (_seconds(problem, tile, profile) * _worth(problem, tile), tile)
    )


def _worth(problem: Problem, tile: tuple[int, ...]) -> float:
    """What time counts for: tiles that err more must save some."""
    return 1 + _growth(problem, tile) / math.prod(problem.kernel) / 100


def _products(problem: Problem, tile: tuple[int, ...]) -> tuple[int, int]:
    """Products of a tile, and taps that are summed one by one."""
    products = taps = 1
    for m, k in zip(tile, problem.kernel, strict=True):
        if m > 1:
            products *= m + k - 1
        else:
            taps *= k
    return products, taps


def _lanes(problem: Problem, profile: Machine) -> int:
    return profile.vector(problem.acc_dtype.itemsize)


def _packed(problem: Problem, tile: tuple[int, ...], profile: Machine) -> int:
    """Bytes of transformed weights, and of two bits for each weight as it was."""
    products, taps = _products(problem, tile)
    lanes = _lanes(problem, profile)
    kernels = problem.in_channels * -(-problem.group_out // lanes) * lanes
    marks = -(-math.prod(problem.kernel) // (4 * problem.acc_dtype.itemsize))
    lines = problem.groups * -(-problem.group_out // (2 * lanes)) * products * 64
    return kernels * (products * taps + marks) * problem.acc_dtype.itemsize + lines


def _seconds(problem: Problem, tile: tuple[int, ...], profile: Machine) -> float:
    products, taps = _products(problem, tile)
    size = problem.acc_dtype.itemsize
    lanes = _lanes(problem, profile)
    rows = problem.batch * problem.groups
    for n, m, d in zip(out_size(problem), tile, problem.dilation, strict=True):
        phases = min(d, n) if m > 1 else 1  # outputs of a tile are as far apart as taps
        rows *= phases * -(-n // (phases * m))
    into = -(-problem.group_in // lanes) * lanes
    out = -(-problem.group_out // lanes) * lanes
    into *= products * rows * size
    back = products * rows * out * size
    flops = PRODUCTS * 2.0 * products * taps * rows * problem.group_in * out
    flops += FORWARD * into + BACK * back + BEGUN * lanes / 16 * products * taps * rows
    arrays = problem.batch * problem.in_channels * reached(problem) * problem.x_dtype.itemsize
    arrays += result_bytes(problem)
    weights = _packed(problem, tile, profile)
    near = min(weights, profile.threads * profile.cache)
    trips = ARRAYS * (APART if max(problem.dilation) > 1 else 1) * arrays
    trips += NEAR * near + FAR * (weights - near)
    trips += AGAIN * (into + back) if products > MANY else 0
    alone = flops / profile.flops(size) + trips / profile.bandwidth1
    return shared(alone, profile) + BEGIN
