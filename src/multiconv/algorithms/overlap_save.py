"""Block transforms: large kernels on single channels."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

from multiconv._geometry import out_size, window
from multiconv._machine import Machine, machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, fresh_output, shared


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

    EFFICIENCY = 0.6
    """Share of the peak multiply-add rate, counting 5 n log2 n operations a transform."""

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
        """Transforms of the best block size at the peak's share."""
        best = _best(problem)
        eps = rounding(problem.acc_dtype)
        error = 3 * eps * math.log2(math.prod(best.tile) + 1)
        return Cost(CALL + best.seconds, self.scratch(problem, planning.machine), error)


TRANSFORM = 1.5e-6
"""Seconds that one set of blocks, one in each lane, takes beyond its work."""

ROW = 10e-9
"""Seconds that one row of a block takes on its way into a lane and back."""


@dataclass(frozen=True)
class _Blocks:
    tile: tuple[int, ...]
    seconds: float


@lru_cache(maxsize=4096)
def _best(problem: Problem) -> _Blocks:
    """Block sizes by predicted time, from smooth numbers that hold the window."""
    profile = machine()
    wins = [window(k, d) for k, d in zip(problem.kernel, problem.dilation, strict=True)]
    spans = [(o - 1) * s + 1 for o, s in zip(out_size(problem), problem.stride, strict=True)]
    choices = [_sizes(w, s, problem.rank) for w, s in zip(wins, spans, strict=True)]
    best = _Blocks(tuple(c[-1] for c in choices), math.inf)
    for tile in itertools.product(*choices):
        seconds = _seconds(problem, tile, wins, spans, profile)
        if seconds < best.seconds:
            best = _Blocks(tile, seconds)
    return best


def _seconds(
    problem: Problem, tile: tuple[int, ...], wins: list[int], spans: list[int], profile: Machine
) -> float:
    paired = problem.acc_dtype.kind != "c"
    real = problem.acc_dtype.itemsize // (1 if paired else 2)
    lanes = max(profile.lanes * 4 // real, 1)
    blocks = problem.batch * math.prod(
        -(-s // (t - w + 1)) for s, t, w in zip(spans, tile, wins, strict=True)
    )
    batches = problem.groups * -(-blocks // (lanes * (2 if paired else 1)))
    n = math.prod(tile)
    transforms = 1 + problem.group_out
    operations = (5 * n * math.log2(n + 1) * transforms + 6 * n * problem.group_out) * lanes
    vectors = n * lanes * 2 * real  # bytes of one lane of blocks
    spill = 1.0 if vectors <= 2 * profile.cache else 1.5 if vectors <= 8 * profile.cache else 2.0
    far = vectors / (16 * profile.cache)  # beyond all caches each stage waits for memory
    spill *= math.sqrt(far) if far > 1 else 1.0
    filled = min(blocks, lanes * (2 if paired else 1))
    one = TRANSFORM + spill * operations / (profile.flops(real) * OverlapSave.EFFICIENCY)
    one += filled * n * (ROW / tile[-1] + 2 * real / profile.bandwidth1)
    return shared(one * batches, profile, batches) + fresh_output(problem, profile)


@lru_cache(maxsize=1024)
def _sizes(win: int, span: int, rank: int) -> tuple[int, ...]:
    """Smooth sizes from the least that holds the window to the one that holds everything."""
    most = {1: 2**20, 2: 1024, 3: 160}.get(rank, 48)
    whole = _smooth_from(win + span - 1)
    top = min(whole, max(_smooth_from(2 * win), most))
    sizes, size = [], _smooth_from(win)
    while size < top:
        sizes.append(size)
        size = _smooth_from(max(size + 1, int(size * (1.2 if rank < 3 else 1.3))))
    sizes.append(top)
    most = max(int(4096 ** (1 / rank)), 2)  # a search over all axes has to end
    return (*sizes[:: -(-len(sizes) // most)], top)


@lru_cache(maxsize=4096)
def _smooth_from(n: int) -> int:
    """The least product of 2, 3 and 5 that is at least ``n``."""
    odd: list[int] = [3**i * 5**j for i in range(n.bit_length()) for j in range(n.bit_length())]
    return min(p << (-(-n // p) - 1).bit_length() for p in odd)
