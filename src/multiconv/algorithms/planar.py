"""Layers whose channels are planes of pixels, several output channels at once."""

from __future__ import annotations

import math

import numpy as np

from multiconv._geometry import out_size, outputs
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import CALL, COMPUTE, far_output, shared
from multiconv.algorithms._shared_loads import SharedLoads


class Planar(SharedLoads):
    """Neighbouring pixels in the lanes, a few output channels beside each other in registers.

    Each load of the input serves several products, and nothing is turned around on its way to the
    lanes. For few input channels, or few in each group, whose planes lie one after another.
    """

    name = "planar"
    summary = "layers of few input channels a group that lie in planes, any geometry"

    ROWS = 8
    """Output channels of a block."""

    PRODUCT, LOAD, AROUND = 0.55, 1.7, 9.0
    """Clock cycles of a vector of products, of a tap that a block's products share, and of a vector
    of sums on its way through the registers and lines."""

    WHOLE = 2.8
    """How many times that integers take."""

    SAMPLE, APART, FAR, HOLE, ROW = 0.29, 3.6, 6.0, 10.0, 107.0
    """Clock cycles that a sample takes on its way to a box: whose neighbours go there too, with a
    stride, whose neighbours are other channels', between zeros; and a row of them."""

    NEAR, BEYOND = 2.0, 8.0
    """Trips through memory that weights take for each image: what caches hold, and what not."""

    CALL_MORE = 2.5e-6
    """Seconds that a call takes beyond others."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Products of all lanes, the samples' way into boxes and the sums' way out."""
        machine = planning.machine
        item = np.dtype(COMPUTE[problem.acc_dtype.name]).itemsize
        lanes = machine.vector(item)
        terms = math.prod(problem.kernel) * problem.group_in
        blocks = -(-problem.group_out // self.ROWS)
        each = terms * (self.PRODUCT * problem.group_out + self.LOAD * blocks)
        if problem.acc_dtype.kind in "iu":
            each *= self.WHOLE
        each += self.AROUND * problem.group_out
        cycles = problem.batch * problem.groups * _vectors(problem, lanes) * each
        *outer, last = _extents(problem)
        rows = problem.batch * problem.in_channels * math.prod(outer)
        cycles += rows * (self.ROW + last * self._sample(problem))
        if problem.data_format == "channels_last":
            cycles += self.FAR * outputs(problem)
        alone = cycles / machine.clock(item)
        weights = problem.out_channels * terms * item
        near = min(weights, machine.cache)
        passes = problem.batch * (self.NEAR * near + self.BEYOND * (weights - near))
        alone += passes / machine.bandwidth1
        eps = rounding(problem.acc_dtype)
        seconds = CALL + self.CALL_MORE + shared(alone, machine) + far_output(problem, machine)
        return Cost(seconds, self.scratch(problem, machine), (terms + 1) * eps)

    def _sample(self, problem: Problem) -> float:
        """Clock cycles of a sample on its way to a box."""
        if max(problem.in_dilation) > 1:
            return self.HOLE
        if problem.data_format == "channels_last":
            return self.FAR
        return self.SAMPLE if problem.stride[-1] == 1 else self.APART


def _extents(problem: Problem) -> list[int]:
    """Samples between the first and the last one that are read, per axis."""
    axes = zip(out_size(problem), problem.stride, problem.kernel, problem.dilation, strict=True)
    return [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in axes]


def _vectors(problem: Problem, lanes: int) -> float:
    """Vectors of a channel's outputs: by rows, or by lines through rows and the gaps between."""
    sizes = out_size(problem)
    axes = zip(sizes, problem.stride, problem.kernel, problem.dilation, strict=True)
    filled = [n + (k - 1) * d / s for n, s, k, d in axes]
    return min(
        math.prod(sizes[:a]) * math.ceil(math.prod(filled[a:]) / lanes) for a in range(problem.rank)
    )
