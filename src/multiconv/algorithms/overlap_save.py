"""Block transforms: large kernels on single channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from multiconv._geometry import out_size, outputs, reached, window
from multiconv._machine import Machine, machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import (
    CALL,
    ROUNDS_MORE,
    NativeAlgorithm,
    far_output,
    handed_out,
    streamed,
)
from multiconv.algorithms._radices import smooth_below, smooth_from, stages


class OverlapSave(NativeAlgorithm):
    """Blocks that overlap by the kernel are transformed, multiplied, transformed back.

    Many blocks at once, one per vector lane; two real blocks share the parts of a complex one.
    Blocks whose values a transform would blur (NaN, infinity, a huge range) are summed directly.
    After Stockham, "High-speed convolution and correlation" (1966), and Frigo & Johnson, "The
    Design and Implementation of FFTW3" (2005), section on vector lanes.
    """

    name = "overlap_save"
    summary = "floats and complex, channels one by one, large kernels, by block transforms"
    value_sensitive = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel floats with kernels that a transform keeps."""
        if problem.acc_dtype.kind not in "fc":
            return Refusal("a transform would round integers")
        if problem.group_in != 1:
            return Refusal("it treats input channels one by one, this problem sums over them")
        if max(problem.in_dilation) > 1:
            return Refusal("it does not skip the zeros of input dilation")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if not traits.finite:
            return Refusal("the kernel has NaN or infinite taps, which a transform would spread")
        if traits.wide_range:
            return Refusal("the kernel's range is so wide that a transform would lose small taps")
        return super().accepts(problem, traits)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """The block sizes with the least predicted time."""
        return _best(problem).tile

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """All blocks' transforms, at the best block size."""
        best = _best(problem)
        eps = rounding(problem.acc_dtype)
        error = 3 * eps * math.log2(math.prod(best.tile) + 1)
        return Cost(
            CALL + ROUNDS_MORE + START + best.seconds,
            self.scratch(problem, planning.machine),
            error,
        )

    def packing(self, problem: Problem, traits: KernelTraits, planning: Planning) -> float:
        """The kernel's transform."""
        return _best(problem).preparation


STAGE = {2: 17.4, 3: 27.6, 4: 34.9, 5: 32.8, 8: 48.1}
"""Operations at the peak rate that take as long as a stage of each radix does for one point."""

READ, WRITE = 6.4, 3
"""The same for one byte on its way into a lane, and back."""

SET, ROW_IN, ROW_OUT = 860e-9, 230e-9, 130e-9
"""Seconds that the blocks in all lanes take beyond their work, at once and for each row."""

START = 670e-9
"""Seconds until the first block is loaded."""

SHARED = 8.3e-6
"""Seconds until other threads have the kernel's spectrum in their caches."""

APART = 2.0
"""How much longer blocks take whose taps are far apart."""

TRIPS = {1: 2.4, 4: 3.2, 12: 8.8}
"""Trips through memory, of several axes' transforms, of what exceeds the cache so many times."""

ROOT, TAP, POINT = 2.6e-9, 2.6e-9, 0.7e-9
"""Seconds that each root of unity, tap and point of a spectrum takes in preparation."""


@dataclass(frozen=True)
class _Blocks:
    tile: tuple[int, ...]
    seconds: float
    preparation: float


@dataclass(frozen=True)
class _Axis:
    """One axis of a problem: outputs, the inputs under a window, how far windows are apart."""

    outputs: int
    window: int
    stride: int

    def sizes(self, most: int, finest: float) -> tuple[int, ...]:
        """Block sizes worth a look, each by a factor above the one before."""
        whole = smooth_from(self.window + (self.outputs - 1) * self.stride)
        top = min(whole, max(smooth_from(2 * self.window), most))
        sizes = [top]
        for size in _quick_sizes(top.bit_length()):
            if self.window <= size < sizes[-1] / finest:
                sizes.append(size)
        return tuple(sizes)

    def step(self, size: Array) -> Array:
        """Outputs of a block of each size."""
        return (size - self.window) // self.stride + 1


@lru_cache(maxsize=4096)
def _best(problem: Problem) -> _Blocks:
    """Block sizes by predicted time, of a run and of a preparation."""
    profile = machine()
    axes = [
        _Axis(o, window(k, d), s)
        for o, k, d, s in zip(
            out_size(problem), problem.kernel, problem.dilation, problem.stride, strict=True
        )
    ]
    most = {1: 2**20, 2: 1024, 3: 160}.get(problem.rank, 48)
    finest = {1: 1.0, 2: 1.1, 3: 1.2}.get(problem.rank, 1.5)
    choices = [axis.sizes(most, finest) for axis in axes]
    limit = max(int(1024 ** (1 / problem.rank)), 2)  # a search over all axes has to end
    choices = [sizes[:: -(-len(sizes) // limit)] for sizes in choices]
    tiles, weights = _grid(choices), _grid([[_weight(n) for n in sizes] for sizes in choices])
    seconds = _seconds(problem, tiles, weights, axes, profile)
    preparation = _preparation(problem, tiles, weights, profile)
    best = int((seconds + preparation).argmin())
    tile = tuple(int(n) for n in tiles[best])
    return _Blocks(tile, float(seconds[best]), float(preparation[best]))


def _grid(choices: Sequence[Sequence[float]]) -> Array:
    """All combinations of one value for each axis, ``[combination, axis]``."""
    return np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, len(choices))


def _seconds(
    problem: Problem, tiles: Array, weights: Array, axes: list[_Axis], profile: Machine
) -> Array:
    """A run with each block size."""
    complex_values = problem.acc_dtype.kind == "c"
    value = problem.acc_dtype.itemsize
    real = value // 2 if complex_values else value
    lanes = profile.vector(real)
    together = lanes if complex_values else 2 * lanes
    channels = problem.group_out

    points = tiles.prod(axis=1)
    stages: Array = np.zeros(len(tiles))
    kept, blocks = points, np.full(len(tiles), problem.batch)
    rows_out = kept
    for axis, size, weight in zip(axes, tiles.T, weights.T, strict=True):
        stages += weight * (points + channels * kept)  # back go lines with outputs only
        step = np.minimum(axis.step(size), axis.outputs)
        rows_out = kept // size
        kept = rows_out * step
        blocks = blocks * -(-axis.outputs // step)
    sets = problem.groups * -(-blocks // together)

    moved = together * value * (READ * points + WRITE * kept * channels)
    size = points * lanes * 2 * real
    far = size / (16 * profile.cache)  # beyond all caches each stage waits for memory
    stages *= np.sqrt(np.maximum(far, 1.0))
    one = SET + ROW_IN * points / tiles[:, -1] + ROW_OUT * rows_out * channels
    one = one + lanes * stages / profile.transform_flops(real) + moved / profile.flops32
    if problem.rank > 1:
        for times, trips in TRIPS.items():
            one += trips * np.maximum(size - times * profile.cache, 0) / profile.bandwidth1
    arrays = value * (problem.batch * problem.in_channels * reached(problem) + outputs(problem))
    memory = 1.5 * max(arrays - 4 * profile.cache, 0) / profile.bandwidth1
    alone = one * sets + memory
    run: Array = np.minimum(alone, handed_out(alone, profile, sets) + SHARED)
    run += far_output(problem, profile)
    if problem.rank > 1 and max(problem.dilation) > 1:
        run *= APART
    return np.maximum(run, streamed(problem, profile))


def _preparation(problem: Problem, tiles: Array, weights: Array, profile: Machine) -> Array:
    """Every kernel's transform, in double precision, of the lines that hold taps."""
    points = tiles.prod(axis=1)
    kernels = problem.groups * problem.group_out
    lanes = max(profile.lanes // 2, 1)
    lines = kernels if problem.rank == 1 else 1
    rest, roots = points, tiles[:, 0]
    work: Array = np.zeros(len(tiles))
    for axis, taps in enumerate(problem.kernel):
        size = tiles[:, axis]
        rest = rest // size
        work += weights[:, axis] * size * lanes * -(-lines * rest // lanes)
        lines *= taps
        if axis > 0:
            new = (tiles[:, :axis] != size[:, None]).all(axis=1)
            roots = roots + new * size
    repeats = 1 if problem.rank == 1 else kernels
    work *= repeats * 1.2 / profile.flops64
    work += ROOT * roots + kernels * (TAP * math.prod(problem.kernel) + POINT * points)
    return work


@lru_cache(maxsize=4096)
def _weight(n: int) -> float:
    """Operations at the peak rate that a transform of n points takes for each, one way."""
    return stages(n, STAGE)


@lru_cache(maxsize=64)
def _quick_sizes(bits: int) -> tuple[int, ...]:
    """Products of 2, 3 and 5 below ``2**bits``, falling, whose transforms no larger one beats."""
    quick: list[int] = []
    least = math.inf
    for size in reversed(smooth_below(2**bits)):
        if size * _weight(size) < least:
            quick.append(size)
            least = size * _weight(size)
    return tuple(quick)
