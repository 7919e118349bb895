"""Long transforms, partitioned into short ones: kernels about as long as the signal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from multiconv._geometry import out_size
from multiconv._machine import Machine, machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, HAND_OUT, ROUNDS_MORE, NativeAlgorithm, far_output


class Partitioned(NativeAlgorithm):
    """Transforms the whole signal at once, or a few long blocks of it that overlap by the kernel.

    A long transform is one of the columns, then one of the rows of a matrix: short ones, side by
    side in the vector lanes, that stay in cache. Real signals are folded into complex ones of half
    their length. Outputs whose windows hold nothing but values that the transform would blur are
    transformed again without the larger ones; those that meet NaN or infinity are summed directly.
    After Bailey, "FFTs in external or hierarchical memory" (1990), and Crandall & Fagin, "Discrete
    weighted transforms and large-integer arithmetic" (1994), section on right-angle convolution.
    """

    name = "partitioned"
    summary = "floats and complex, one axis, channels one by one, kernels of thousands of taps"
    value_sensitive = True

    PACKING = 0.0  # a run's time has it: such kernels are as long as the data

    EFFICIENCY = 0.35
    """Share of the peak multiply-add rate, counting 5 n log2 n operations a transform."""

    PASSES = 8
    """Trips through memory that a block's points make, when they do not stay in cache."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel floats along one axis, with kernels that a transform keeps."""
        if problem.rank != 1:
            return Refusal("it convolves along one axis")
        if problem.acc_dtype.kind not in "fc":
            return Refusal("a transform would round integers")
        if problem.group_in != 1:
            return Refusal("it treats input channels one by one, this problem sums over them")
        if max(*problem.dilation, *problem.in_dilation) > 1:
            return Refusal("it does not skip the zeros of dilation")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if not traits.finite:
            return Refusal("the kernel has NaN or infinite taps, which a transform would spread")
        if traits.wide_range:
            return Refusal("the kernel's range is so wide that a transform would lose small taps")
        return super().accepts(problem, traits)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """The length of a block with the least predicted time."""
        return (_best(problem).length,)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Transforms there and back for each block; that of the kernel takes half as long again."""
        best = _best(problem)
        error = 3 * rounding(problem.acc_dtype) * math.log2(best.length)
        looks = next(times for taps, times in LOOKS.items() if problem.kernel[0] >= taps)
        seconds = CALL + ROUNDS_MORE + best.seconds * looks + far_output(problem, planning.machine)
        return Cost(seconds, self.scratch(problem, planning.machine), error)


LOOKS = {512: 1.6, 256: 1.8, 0: 7.8}
"""How much longer it takes, by taps: the fewer, the more windows are looked at one by one."""

UNIT = 256
"""Points of a transform come in multiples of it: so do rows and columns in vector lanes."""


@dataclass(frozen=True)
class _Blocks:
    length: int
    seconds: float


@lru_cache(maxsize=4096)
def _best(problem: Problem) -> _Blocks:
    """The block length by predicted time, the kernel's transform included."""
    profile = machine()
    (taps,), (stride,), (count,) = problem.kernel, problem.stride, out_size(problem)
    images = problem.batch * problem.out_channels
    whole = _length_from(problem, _whole(problem))
    best = _Blocks(whole, images * _seconds(problem, whole, profile))
    blocks = 2
    while blocks <= count:
        length = _length_from(problem, (-(-count // blocks) - 1) * stride + taps)
        step = (length - taps) // stride + 1
        seconds = _seconds(problem, length, profile) * images * -(-count // step)
        if length < whole and seconds < best.seconds:
            best = _Blocks(length, seconds)
        if length < 2 * taps:
            break
        blocks += max(blocks // 4, 1)
    return best


def _whole(problem: Problem) -> int:
    """The length of a single block: what leaves at its end must not return to where outputs are."""
    (taps,), (stride,), (count,) = problem.kernel, problem.stride, out_size(problem)
    first = -problem.padding[0][0]
    end = first + (count - 1) * stride + taps
    shift = first + taps - 1  # from a sample to the output whose window it ends
    if problem.boundary[0] == "constant" and problem.cval == 0:
        first = max(first, min(0, first + taps - 1))
        end = max(first, min(end, problem.in_size[0]))
    shift -= first
    return max((count - 1) * stride + shift + 1, end - first + taps - 1 - shift, taps)


def _seconds(problem: Problem, length: int, profile: Machine) -> float:
    """Time of one block."""
    real = problem.acc_dtype.kind != "c"
    itemsize = problem.acc_dtype.itemsize // (1 if real else 2)
    points = length // 2 if real else length
    operations = points * (2 * 5 * math.log2(points) + 6)
    alone = operations / (profile.transform_flops(itemsize) * Partitioned.EFFICIENCY)
    moved = Partitioned.PASSES * points * 2 * itemsize
    spilled = moved / profile.bandwidth if 2 * points * itemsize > profile.cache else 0.0
    return min(alone, alone / profile.threads + 3 * (profile.wake + HAND_OUT)) + spilled


def _length_from(problem: Problem, least: int) -> int:
    """The least length of a block that holds so many values."""
    unit = UNIT if problem.acc_dtype.kind == "c" else 2 * UNIT
    return unit * _smooth_from(-(-least // unit))


@lru_cache(maxsize=4096)
def _smooth_from(n: int) -> int:
    """The least product of 2, 3, 5 and 7 that is at least ``n``."""
    odd = [1]
    for prime in (3, 5, 7):
        odd = [p * prime**i for p in odd for i in range(n.bit_length()) if p * prime**i < 2 * n]
    return min(p << (-(-n // p) - 1).bit_length() for p in odd)
