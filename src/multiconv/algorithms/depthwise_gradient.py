"""Weight gradients of layers whose channels are convolved by themselves."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._in_place import KernelInPlace
from multiconv.algorithms._native import CALL, shared


class DepthwiseGradient(KernelInPlace):
    """Rows of data times rows of gradients; the sums of a row of taps stay in registers.

    Lanes are channels where these lie side by side, and pixels elsewhere.
    """

    name = "depthwise_gradient"
    summary = "weight gradients of depthwise layers, floats, one or two axes"

    SHARE = 0.12
    """Of the peak multiply-add rate, in registers."""

    STAGE = 4
    """Multiply-adds that staging a sample is worth."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds in full vectors, staging, and the memory."""
        machine, size = planning.machine, problem.acc_dtype.itemsize
        lanes = max(machine.lanes * 4 // size, 1)
        places, taps = math.prod(problem.kernel), math.prod(out_size(problem))
        read = problem.in_channels * reached(problem)
        last = problem.data_format == "channels_last" and problem.groups >= lanes
        width = problem.groups if last else problem.kernel[-1]
        filled = width / (-(-width // lanes) * lanes)
        products = problem.out_channels * problem.group_in * places * taps / filled
        staged = 0 if last else read * self.STAGE
        alone = 2 * (products + staged) / (machine.flops(size) * self.SHARE)
        moved = read + problem.out_channels * problem.group_in * places
        alone += moved * size / machine.bandwidth1
        error = (places * problem.group_in + 1) * rounding(problem.acc_dtype)
        return Cost(CALL + shared(alone, machine), self.scratch(problem, machine), error)
