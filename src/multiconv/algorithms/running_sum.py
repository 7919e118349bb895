"""Box kernels of any size at a constant cost per sample."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

from multiconv._geometry import out_size, outputs, reached
from multiconv._machine import Machine, machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, fresh_output, shared


class RunningSum(NativeAlgorithm):
    """Windows of ``k`` samples as two sums: to the end of one block of ``k``, and from the next's.

    Three additions per sample and axis do for any ``k``. Nothing is ever subtracted: each output is
    a sum of its own window's samples and of no others, so that no error drifts along a line, and
    NaN and infinities stay where they belong.

    After van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and
    octagonal kernels" (1992), and Gil & Werman, "Computing 2-D min, median, and max filters"
    (1993), with sums in place of extrema.
    """

    name = "running_sum"
    summary = "box kernels of any size, all axes in one pass, at a constant cost per sample"
    value_sensitive = True

    EFFICIENCY = 0.2
    """Share of the peak multiply-add rate at which values in the cache are added."""

    LINE = 60e-9
    """Seconds that one line takes beyond its samples."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel problems whose taps are known to be equal."""
        if problem.group_in != 1:
            return Refusal("it treats channels one by one, this problem sums over them")
        if not traits.known:
            return Refusal("the kernel's values are not known")
        if not traits.constant:
            return Refusal("the kernel's taps are not all equal")
        return super().accepts(problem, traits)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """The sizes with the least predicted time."""
        return _best(problem)[0]

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Additions in the cache at the peak's share, and the memory traffic."""
        # No sample passes through more additions than its window holds, the tap and the bias apart.
        error = rounding(problem.acc_dtype) * (sum(problem.kernel) - problem.rank + 2)
        return Cost(CALL + _best(problem)[1], self.scratch(problem, planning.machine), error)


@lru_cache(maxsize=4096)
def _best(problem: Problem) -> tuple[tuple[int, ...], float]:
    """Outputs of one task along each axis, and the seconds of a run."""
    profile = machine()
    out = out_size(problem)
    first = next((a for a, k in enumerate(problem.kernel[:-1]) if k > 1), problem.rank - 1)
    choices = [[1]] * first + [
        _sizes(-(-n // (d if k > 1 else 1)), k, axis == problem.rank - 1)
        for axis, (n, k, d) in enumerate(zip(out, problem.kernel, problem.dilation, strict=True))
        if axis >= first
    ]
    best = min(
        itertools.product(*choices), key=lambda tile: _seconds(problem, tile, first, profile)
    )
    return best, _seconds(problem, best, first, profile)


def _sizes(outputs: int, kernel: int, last: bool) -> list[int]:
    """The whole axis, and powers of two that are worth their halo."""
    least = 512 if last else 16
    powers = [2**p for p in range(least.bit_length() - 1, 18) if least <= 2**p < outputs]
    return [-(-outputs // -(-outputs // p)) for p in powers if 4 * p >= kernel] + [outputs]


def _seconds(problem: Problem, tile: tuple[int, ...], first: int, profile: Machine) -> float:
    parts = 2 if problem.acc_dtype.kind == "c" else 1
    size = problem.acc_dtype.itemsize // parts
    lanes = max(profile.lanes * 4 // size, 1)
    samples = [
        (t - 1) * (s if k > 1 else 1) + k
        for t, s, k in zip(tile, problem.stride, problem.kernel, strict=True)
    ]
    lines = math.prod(samples[first:-1])
    slab = parts * -(-tile[-1] // lanes) * lanes
    work = lines * parts * samples[-1] * (2 + _additions(problem.kernel[-1], lanes // parts))
    rings = 0
    for axis in range(problem.rank - 2, first - 1, -1):
        rings += (problem.kernel[axis] + 1) * slab
        work += math.prod(samples[first : axis + 1]) * slab * 5
        slab *= tile[axis]
    held = size * (rings + 4 * parts * samples[-1])
    spill = 1.0 if held <= profile.cache / 2 else 1.5 if held <= profile.cache else 3.0
    one = spill * 2 * work / (profile.flops(size) * RunningSum.EFFICIENCY)
    one += lines * RunningSum.LINE
    tasks = problem.batch * problem.in_channels * math.prod(
        -(-n // t) for n, t in zip(out_size(problem), tile, strict=True)
    )
    read = problem.batch * problem.in_channels * reached(problem) * problem.x_dtype.itemsize
    traffic = 2 * read / profile.bandwidth1 / profile.threads
    return shared(one * tasks, profile, tasks) + traffic + fresh_output(problem, profile)


def _additions(kernel: int, lanes: int) -> float:
    """Values that are added for each sum along a line."""
    if kernel < 6 * lanes:
        return min(kernel - 1, 2 * math.sqrt(kernel) + 2)
    return 2 * math.sqrt(lanes) + 2 + 4 + min(lanes / 2, math.sqrt(2 * lanes) + 2)
