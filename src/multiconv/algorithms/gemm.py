"""Implicit matrix product over channels and taps: layers."""

from __future__ import annotations

import math

import numpy as np

from multiconv._geometry import out_size, outputs, reached, result_bytes
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import CALL, COMPUTE, shared
from multiconv.algorithms._shared_loads import SharedLoads


class Gemm(SharedLoads):
    """Windows of pixels times panels of output channels, in registers; never unfolds the input.

    Windows are read where they are through a table of pointers (Dukhan, "The Indirect Convolution
    Algorithm", arXiv 1907.02129). Blocking after Georganas et al., "Anatomy of High-Performance
    Deep Learning Convolutions on SIMD Architectures", SC'18.
    """

    name = "gemm"
    summary = "layers with several output channels, real dtypes and integers, any geometry"
    by_rows = True

    PACKING = 2.1

    PEAK = 0.82
    """Share of the multiply-add rate that the innermost loop reaches."""

    WHOLE = 0.35
    """What integers reach of it: their products take several steps."""

    PANEL, ROWS = 2, 8
    """Vectors of output channels of a block; output channels where pixels fill the vectors."""

    HALF = 0.82
    """What a panel of one vector takes of the time of a whole one."""

    AROUND = 4
    """Products that beginning and storing an output takes as long as."""

    POINT, TURN, COPY = 1.5, 1.5, 0.088
    """Clock cycles that a pointer to a window, a sample turned around, a sample copied take."""

    TABLES = 4e-6
    """Seconds that finding windows of several taps takes beyond a call."""

    EACH = 0.4e-6
    """Seconds that each group of each image takes before its windows are read."""

    AGAIN, FAR = 0.35, 0.6
    """Trips through memory that reading weights takes for each image, of few outputs, and that
    weights take which caches do not hold."""

    FEW, POINTWISE = 32, 256
    """Input channels below which windows are not worth pointers; up to which pixels stay in rows
    where windows are single samples."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds of all lanes, the way of samples into them and back, and the memory."""
        machine = planning.machine
        item = np.dtype(COMPUTE[problem.acc_dtype.name]).itemsize
        lanes = machine.vector(item)
        clock = machine.clock(item)
        terms = math.prod(problem.kernel) * problem.group_in
        pixels = problem.batch * problem.groups * math.prod(out_size(problem))
        if self._by_pixels(problem):
            busy = float(-(-problem.group_out // self.ROWS) * self.ROWS)
            moved = self.COPY * problem.batch * problem.in_channels * reached(problem)
        else:
            panels, rest = divmod(problem.group_out, self.PANEL * lanes)
            part = 0.0 if rest == 0 else self.HALF if rest <= lanes else 1.0
            busy = (panels + part) * self.PANEL * lanes
            moved = self._moved(problem) + clock * self.EACH * problem.batch * problem.groups
        rate = machine.flops(item) * self.PEAK
        if problem.acc_dtype.kind in "iu":
            rate *= self.WHOLE
        alone = 2 * pixels * (terms + self.AROUND) * busy / rate
        alone += moved / clock + _traffic(problem) / machine.bandwidth1
        if math.prod(problem.kernel) > 2 * math.prod(out_size(problem)):
            weights = problem.out_channels * terms * item
            alone += self.AGAIN * problem.batch * weights / machine.bandwidth1
        far = problem.out_channels * terms * item - machine.threads * machine.cache
        alone += self.FAR * max(far, 0) / machine.bandwidth1
        eps = rounding(problem.acc_dtype)
        call = CALL + (self.TABLES if math.prod(problem.kernel) > 1 else 0.0)
        seconds = call + shared(alone, machine)
        return Cost(seconds, self.scratch(problem, machine), (terms + 1) * eps)

    def _by_pixels(self, problem: Problem) -> bool:
        return (
            problem.data_format == "channels_first"
            and problem.group_in <= self.POINTWISE
            and math.prod(problem.kernel) * max(problem.stride) == 1
            and out_size(problem) == problem.in_size
        )

    def _moved(self, problem: Problem) -> float:
        """Clock cycles that samples take on their way to the windows and from the sums."""
        read = problem.batch * problem.in_channels * reached(problem)
        if problem.data_format == "channels_first":
            return self.TURN * (read + outputs(problem))
        taps = math.prod(problem.kernel)
        if taps > 1 and problem.group_in < self.FEW:
            return self.COPY * read
        return self.POINT * problem.batch * problem.groups * math.prod(out_size(problem)) * taps


def _traffic(problem: Problem) -> float:
    """Bytes that are read and written."""
    read = problem.batch * problem.in_channels * reached(problem) * problem.x_dtype.itemsize
    return float(read + result_bytes(problem))
