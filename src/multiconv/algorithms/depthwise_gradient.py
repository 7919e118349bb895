"""Weight gradients of layers whose channels are convolved by themselves."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._in_place import KernelInPlace, layer_refusal
from multiconv.algorithms._native import CALL, shared


class DepthwiseGradient(KernelInPlace):
    """Rows of data times rows of gradients; the sums of a row of taps stay in registers.

    Lanes are channels, whose rows are turned around where they do not lie side by side, and pixels
    where channels are few.
    """

    name = "depthwise_gradient"
    summary = "weight gradients of depthwise layers, floats, one or two axes"

    SHARE = 0.5
    """Of the peak multiply-add rate, in registers."""

    STAGE, ROW = 0.5, 130
    """Clock cycles that a number takes to be staged, and a row of taps beyond its products."""

    EDGE = 12
    """Clock cycles of a pixel at the end of a row, where taps look outside."""

    TOGETHER = 8
    """Taps of a row whose sums stay in registers."""

    TRIPS = 0.5
    """Trips through memory that data and gradients are worth."""

    BEYOND = 8
    """Times as many outputs as taps have layers that are no gradients, at least."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Gradients, and what the kernel takes."""
        return layer_refusal(problem, self.BEYOND) or super().accepts(problem, traits)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds in full vectors, staging, rows, and the memory."""
        machine, size = planning.machine, problem.acc_dtype.itemsize
        lanes = machine.vector(size)
        clock = machine.clock(size)
        images, places = problem.group_in, math.prod(problem.kernel)
        numbers = problem.in_channels * reached(problem) + problem.out_channels * images * places
        by_channels = problem.groups >= lanes and problem.rank > 1
        last = problem.data_format == "channels_last" and problem.groups >= lanes
        if by_channels or last:
            vectors, wide = -(-problem.groups // lanes), problem.kernel[-1]
        else:
            vectors, wide = problem.groups, -(-problem.kernel[-1] // lanes)
        rows = vectors * images * math.prod(problem.kernel[:-1])
        *tall, taps = out_size(problem)
        runs = rows * math.prod(tall) * -(-taps // self.TOGETHER)
        ends = sum(max(n, 0) for n in problem.padding[-1]) / problem.dilation[-1]
        cycles = rows * wide * math.prod(tall) * taps / (2 * self.SHARE)
        cycles += (self.ROW + self.EDGE * min(ends, wide)) * runs
        cycles += 0 if last else self.STAGE * numbers
        alone = cycles / clock + self.TRIPS * numbers * size / machine.bandwidth1
        error = (places * images + 1) * rounding(problem.acc_dtype)
        return Cost(CALL + shared(alone, machine), self.scratch(problem, machine), error)
