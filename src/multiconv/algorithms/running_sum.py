"""Box kernels of any size at a constant cost per sample."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

from multiconv._geometry import out_size, reached
from multiconv._machine import Machine, machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, far_output, shared


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
        seconds = CALL + START + _best(problem)[1]
        return Cost(seconds, self.scratch(problem, planning.machine), error)


MOVE, CONVERT, DOUBLING, BLOCKS, RING = 0.25, 18, 6, 1.8, 10
"""Time of one vector in vector multiply-adds at the peak rate: to read and write it, to do so where
it is stored in another type, to double the windows along a line, to add windows of whole vectors,
and to pass through the ring of an axis."""

APART = 5
"""The same to read one sample where neighbouring taps lie apart along a line."""

LOOP = 52e-9
"""Seconds that one line, and one entry of a ring, takes beyond its vectors."""

START = 150e-9
"""Seconds that a call takes beyond its work and others."""

TASK = 56e-9
"""Seconds that one task takes beyond its lines."""


@lru_cache(maxsize=4096)
def _best(problem: Problem) -> tuple[tuple[int, ...], float]:
    """Outputs of one task along each axis, and the seconds of a run."""
    profile = machine()
    first = next((a for a, k in enumerate(problem.kernel) if k > 1), problem.rank - 1)
    tiles = list(itertools.product(*(_sizes(problem, a, first) for a in range(problem.rank))))
    seconds = [_seconds(problem, tile, first, profile) for tile in tiles]
    least = min(seconds)
    return tiles[seconds.index(least)], least


def _sizes(problem: Problem, axis: int, first: int) -> list[int]:
    """Outputs that a task may take along an axis: all, or powers of two that are worth the halo."""
    if axis < first:
        return [1]
    kernel = problem.kernel[axis]
    phases = problem.dilation[axis] if kernel > 1 else 1
    whole = -(-out_size(problem)[axis] // phases)
    least = max(512 if axis == problem.rank - 1 else 16, kernel // 4)
    powers = [2**p for p in range(20) if least <= 2**p < whole]
    most = max(int(1024 ** (1 / problem.rank)), 2)  # a search over all axes has to end
    powers = powers[:: -(-len(powers) // most) or 1]
    return [-(-whole // -(-whole // p)) for p in powers] + [whole]


def _seconds(problem: Problem, tile: tuple[int, ...], first: int, profile: Machine) -> float:
    parts = 2 if problem.acc_dtype.kind == "c" else 1
    size = problem.acc_dtype.itemsize // parts
    lanes = profile.vector(size)
    samples = [
        (t - 1) * (s if k > 1 else 1) + k
        for t, s, k in zip(tile, problem.stride, problem.kernel, strict=True)
    ]
    lines = math.prod(samples[first:-1])
    each = _line_steps(problem.kernel[-1], lanes)
    each += CONVERT * (problem.x_dtype != problem.acc_dtype)
    each += APART * lanes * (min(problem.kernel[-1], problem.dilation[-1]) > 1)
    steps = lines * -(-parts * samples[-1] // lanes) * each
    loops = lines
    slab = -(-parts * tile[-1] // lanes)
    held = 4 * parts * samples[-1] * size
    for axis in range(problem.rank - 2, first - 1, -1):
        held += (problem.kernel[axis] + 1) * slab * lanes * size
        taken = math.prod(samples[first : axis + 1])
        loops += taken
        steps += taken * slab * RING
        slab *= tile[axis]
    spill = 1.0 if held <= profile.cache / 2 else 1.2 if held <= profile.cache else 1.5
    task = spill * steps * 2 * lanes / profile.flops(size) + loops * LOOP + TASK
    channels = problem.batch * problem.in_channels
    tasks = channels * math.prod(-(-n // t) for n, t in zip(out_size(problem), tile, strict=True))
    read = 2 * channels * reached(problem) * problem.x_dtype.itemsize / profile.bandwidth1
    return shared(task * tasks + read, profile, tasks) + far_output(problem, profile)


def _line_steps(kernel: int, lanes: int) -> float:
    if kernel == 1:
        return MOVE
    steps = MOVE + DOUBLING * min(kernel, 2 * lanes).bit_length()
    return steps + BLOCKS if kernel >= 2 * lanes else steps
