"""Weight gradients of large kernels by transforms, whose sums over tiles have one way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from multiconv._geometry import inputs, out_size
from multiconv._memory import empty
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import (
    NO_EPILOGUE,
    Algorithm,
    Cost,
    Epilogue,
    Planning,
    Refusal,
    Step,
    weight_bytes,
)

LONGER = 3
"""Times that the kernel is as long as the result, at least, along some axis."""

SIZES = (2, 4, 8)
"""Times that blocks are as long as the result."""

LEAST, LARGEST = 8, 2**17
"""Taps of a block along an axis, at least, and samples that it reads, at most."""

CALL, BLOCK, ROW = 20e-6, 3e-6, 12e-9
"""Seconds that a run takes beyond its child's, and that copies take for a block and for a row."""

TRIPS = 3.0
"""Trips through memory that copies are worth."""


class _Axis(NamedTuple):
    """Pieces of an axis: how many, how far apart, how long, and where the first begins."""

    pieces: int
    apart: int
    length: int
    first: int = 0


@dataclass(frozen=True)
class _Blocks:
    """A kernel in blocks, and the data that each reads."""

    problem: Problem
    taps: tuple[_Axis, ...]
    samples: tuple[_Axis, ...]

    @property
    def read(self) -> int:
        """Bytes of what all blocks read."""
        return inputs(self.problem) * self.problem.x_dtype.itemsize

    @property
    def kept(self) -> int:
        """Bytes of all blocks."""
        return weight_bytes(self.problem)

    def copies(self, size: int, row: int, planning: Planning) -> float:
        """Seconds in which so many bytes are put into blocks whose rows have so many."""
        pieces = math.prod(axis.pieces for axis in self.taps)
        return BLOCK * pieces + ROW * size / row + TRIPS * size / planning.machine.bandwidth1

    def seconds(self, planning: Planning) -> float:
        """Of a run, beside the child's."""
        row = self.problem.in_size[-1] * self.problem.x_dtype.itemsize
        return CALL + self.copies(self.read, row, planning)


@dataclass(frozen=True)
class _Prepared:
    blocks: _Blocks
    step: Step
    packed: Any
    kernel: Array
    direct: Step


class FftGradient(Algorithm):
    """Cuts a kernel that is longer than the result into blocks, each a channel of its own.

    Weight gradients are such problems: their kernel is the gradient of a layer's output, their
    result a layer's kernel. Transforms are linear, so that what `fft_tiled` adds up over these
    channels at each frequency is the sum over all blocks, of which one transform leads back. Where
    values that are no numbers meet the zeros that fill the last block up, all is summed directly.
    After Mathieu, Henaff & LeCun, "Fast training of convolutional networks through FFTs" (2014).
    """

    name = "fft_gradient"
    summary = "weight gradients of layers with large kernels, floats, by transforms of blocks"
    value_sensitive = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Sums of floats under a kernel much longer than the result."""
        if problem.acc_dtype.name not in ("float32", "float64"):
            return Refusal("it is for real floats")
        if problem.rank > 3:
            return Refusal("it takes up to three axes")
        if problem.batch * problem.out_channels == 1:
            return Refusal("one channel would leave lanes empty")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if problem.bias or problem.scale or problem.residual or problem.activation:
            return Refusal("it is for sums alone")
        if set(problem.boundary) != {"constant"} or problem.cval != 0:
            return Refusal("it continues the data by zeros only")
        if max(problem.in_dilation) > 1:
            return Refusal("it would transform the zeros between samples")
        if not traits.finite:
            return Refusal("the kernel has NaN or infinite taps, which a transform would spread")
        if 0 in (problem.batch, problem.group_in, *problem.kernel, *out_size(problem)):
            return Refusal("an axis is empty")
        return None if _ways(problem) else Refusal("the kernel is not much longer than the result")

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """The child's, and the copy of what blocks read."""
        blocks, step = _best(problem, traits, planning)
        seconds = blocks.seconds(planning) + step.cost.seconds
        return Cost(seconds, blocks.read + step.cost.bytes, step.cost.error)

    def packing(self, problem: Problem, traits: KernelTraits, planning: Planning) -> float:
        """The copy of the kernel; the rest is the child's."""
        blocks, _ = _best(problem, traits, planning)
        row = blocks.problem.kernel[-1] * problem.acc_dtype.itemsize
        return blocks.copies(blocks.kept, row, planning)

    def children(
        self, problem: Problem, traits: KernelTraits, planning: Planning
    ) -> tuple[Step, ...]:
        """Blocks as channels."""
        return (_best(problem, traits, planning)[1],)

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """What blocks read, and the child's."""
        blocks, step = _best(problem, traits, planning)
        return blocks.read + step.scratch_bytes(threads, prepared and prepared.packed)

    def prepared_bytes(self, problem: Problem, traits: KernelTraits, planning: Planning) -> int:
        """The child's, and the blocks."""
        blocks, step = _best(problem, traits, planning)
        return blocks.kept + step.prepared_bytes

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        """The child's preparation of the blocks."""
        blocks, step = _best(problem, traits, planning)
        if problem.flip:
            kernel = np.flip(kernel, tuple(range(3, kernel.ndim)))
        taps = _pieces(kernel, blocks.taps)
        direct = planning.step(replace(problem, precision="highest", flip=False), traits)
        return _Prepared(blocks, step, step.prepare(taps), taps, direct)

    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """All blocks at once."""
        prepared.step.run(prepared.packed, _pieces(x, prepared.blocks.samples), epilogue, out)
        if not np.isfinite(out).all():
            _sum_directly(prepared, x, out)


def _sum_directly(prepared: _Prepared, x: Array, out: Array) -> None:
    direct = prepared.direct
    kernel = _whole(prepared.kernel, prepared.blocks.taps, direct.problem.kernel)
    direct.run(direct.prepare(kernel), x, NO_EPILOGUE, out)


def _best(problem: Problem, traits: KernelTraits, planning: Planning) -> tuple[_Blocks, Step]:
    steps = [(b, planning.step(b.problem, traits.part, whole=True)) for b in _ways(problem)]
    return min(steps, key=lambda s: s[0].seconds(planning) + s[1].cost.seconds)


@lru_cache(maxsize=1024)
def _ways(problem: Problem) -> tuple[_Blocks, ...]:
    """Blocks of several lengths."""
    results = out_size(problem)
    if math.prod(results) == 1:  # a product of matrices
        return ()
    if all(k < LONGER * n for k, n in zip(problem.kernel, results, strict=True)):
        return ()
    found = (_in_blocks(problem, size, results) for size in SIZES)
    return tuple({b.problem: b for b in found if b is not None}.values())


def _in_blocks(problem: Problem, size: int, results: tuple[int, ...]) -> _Blocks | None:
    taps, samples = [], []
    for k, n, d, s, (low, _) in zip(
        problem.kernel, results, problem.dilation, problem.stride, problem.padding, strict=True
    ):
        count = -(-k // max(size * n, LEAST))
        block = -(-k // count)
        taps.append(_Axis(count, block, block))
        samples.append(_Axis(count, block * d, (block - 1) * d + (n - 1) * s + 1, -low))
    number = math.prod(axis.pieces for axis in taps)
    read = tuple(axis.length for axis in samples)
    if number == 1 or math.prod(read) > LARGEST:
        return None
    whole = replace(
        problem, kernel=tuple(axis.length for axis in taps), in_size=read, flip=False,
        in_channels=problem.in_channels * number, padding=((0, 0),) * problem.rank,
    )  # fmt: skip
    return _Blocks(whole, tuple(taps), tuple(samples))


def _pieces(array: Array, axes: Sequence[_Axis]) -> Array:
    """Pieces of the spatial axes as so many more channels, zeros where there is nothing."""
    counts, lengths = [a.pieces for a in axes], [a.length for a in axes]
    found = empty((*array.shape[:3], *counts, *lengths), array.dtype)
    outer = np.s_[:, :, :]
    for place in product(*map(range, counts)):
        piece = found[outer + place]
        source, target = [], []
        for axis, number, size in zip(axes, place, array.shape[3:], strict=True):
            begin = axis.first + number * axis.apart
            low, high = max(begin, 0), min(begin + axis.length, size)
            source.append(slice(low, max(high, low)))
            target.append(slice(low - begin, max(high, low) - begin))
        part = piece[outer + tuple(target)]
        if part.shape != piece.shape:
            piece[...] = 0
        part[...] = array[outer + tuple(source)]
    batch, groups, channels = array.shape[:3]
    return found.reshape(batch, groups, channels * math.prod(counts), *lengths)


def _whole(pieces: Array, axes: Sequence[_Axis], sizes: tuple[int, ...]) -> Array:
    """The array that lies in such pieces, one beside the other."""
    counts, rank = [a.pieces for a in axes], len(axes)
    apart = pieces.reshape(*pieces.shape[:2], -1, *counts, *(a.length for a in axes))
    order = [axis for a in range(rank) for axis in (3 + a, 3 + rank + a)]
    joined = apart.transpose(0, 1, 2, *order)
    joined = joined.reshape(*joined.shape[:3], *(a.pieces * a.length for a in axes))
    return joined[np.s_[:, :, :] + tuple(slice(n) for n in sizes)]
