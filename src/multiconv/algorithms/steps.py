"""Piecewise constant kernels at a cost per step, not per tap."""

from __future__ import annotations

import math
from functools import lru_cache

from multiconv._geometry import out_size, outputs, reached, result_bytes
from multiconv._machine import machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, far_output, shared


class Steps(NativeAlgorithm):
    """Staircases, Haar-like features, boxes within boxes: the sums under each box of equal taps.

    The boxes lie side by side, so that each output is a sum of its own window's products and of no
    others: errors are no larger than those of direct summation, and NaN and infinities stay where
    they belong. Sums under windows after Gil & Werman, "Computing 2-D min, median, and max filters"
    (1993); kernels as few boxes after Viola & Jones, "Rapid object detection using a boosted
    cascade of simple features" (2001), who subtract prefix sums instead.
    """

    name = "steps"
    summary = "piecewise constant kernels: staircases, Haar-like features, boxes within boxes"
    value_sensitive = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel problems whose kernel is known to be a few boxes."""
        if problem.group_in != 1:
            return Refusal("it treats channels one by one, this problem sums over them")
        if not traits.known:
            return Refusal("the kernel's values are not known")
        if not traits.boxes:
            return Refusal("the kernel is not a few boxes of equal taps")
        return super().accepts(problem, traits)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """Outputs whose sums stay in cache, many beside the halo."""
        return _tile(problem)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Additions of every box in the cache at the peak's share, and the memory traffic."""
        profile = planning.machine
        parts = 2 if problem.acc_dtype.kind == "c" else 1
        size = problem.acc_dtype.itemsize // parts
        lanes = profile.vector(size)
        tile, count = self.tile(problem), out_size(problem)
        least = traits.boxes ** (1 / problem.rank)
        spans = [max(k / least, 1) if k > 1 else 1 for k in problem.kernel]
        read = [(t - 1) * s + k for t, s, k in zip(tile, problem.stride, spans, strict=True)]
        lines = math.prod(read[:-1])
        steps = lines * (parts * read[-1] / lanes + 4) * _line_steps(spans[-1], lanes)
        ring = parts * tile[-1] / lanes
        for axis in range(problem.rank - 2, -1, -1):
            if problem.kernel[axis] > 1:
                steps += math.prod(read[: axis + 1]) * ring * RING
            ring *= tile[axis]
        steps += ring * ADD
        box = steps * 2 * lanes / profile.flops(size) + lines * LOOP + BOX
        if problem.rank > 1:
            box *= PLANES
        tasks = problem.batch * problem.in_channels
        tasks *= math.prod(-(-n // t) for n, t in zip(count, tile, strict=True))
        moved = problem.batch * problem.in_channels * reached(problem) * problem.x_dtype.itemsize
        moved += result_bytes(problem)
        alone = tasks * ((traits.boxes + WHOLE) * box + TASK) + moved / profile.bandwidth1
        seconds = CALL + shared(alone, profile, tasks) + far_output(problem, profile)
        error = rounding(problem.acc_dtype) * (sum(problem.kernel) + traits.boxes + 1)
        return Cost(seconds, self.scratch(problem, profile), error)


MOVE, DOUBLING, BLOCKS, RING, ADD = 12.0, 1.8, 8.4, 8.4, 11.0
"""Time of one vector in vector multiply-adds at the peak rate: to read and write it, to double the
windows along a line, to add windows of whole vectors, to pass through the ring of an axis, and to
join the sums of the boxes before."""

PLANES = 0.64
"""What boxes of several axes take of that."""

LOOP, BOX, TASK = 110e-9, 130e-9, 430e-9
"""Seconds that one line, one box of a tile and one tile take beyond their vectors."""

WHOLE = 1.1
"""Boxes whose time a tile takes once, whatever the kernel."""

LINE, EACH = 2048, 8
"""Outputs of a tile along the last axis at least, and tiles that a problem is cut into at least."""


@lru_cache(maxsize=4096)
def _tile(problem: Problem) -> tuple[int, ...]:
    """As many windows along each axis, until their sums fill half the cache."""
    count = out_size(problem)
    room = machine().cache // (2 * problem.acc_dtype.itemsize)
    room = max(min(room, outputs(problem) // EACH), LINE)
    base = [*problem.kernel[:-1], max(problem.kernel[-1], LINE // 4)]

    def times(factor: int) -> tuple[int, ...]:
        return tuple(min(n, factor * k) for n, k in zip(count, base, strict=True))

    factor = 1
    while times(factor) != count and math.prod(times(2 * factor)) <= room:
        factor *= 2
    return tuple(-(-n // -(-n // t)) for n, t in zip(count, times(factor), strict=True))


def _line_steps(span: float, lanes: int) -> float:
    if span <= 1:
        return MOVE
    steps = MOVE + DOUBLING * math.log2(min(span, 2 * lanes))
    return steps + BLOCKS if span >= 2 * lanes else steps
