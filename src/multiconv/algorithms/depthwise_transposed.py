"""Direct summation channel by channel, without the zeros between samples."""

from __future__ import annotations

import math

from multiconv._geometry import inputs, out_size, outputs, result_bytes
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import CALL, NativeAlgorithm, far_output, shared


class DepthwiseTransposed(NativeAlgorithm):
    """All phases of a row of outputs are summed from staged rows and leave side by side."""

    name = "depthwise_transposed"
    summary = "transposed depthwise layers and input gradients of strided ones, one or two axes"
    skips_zeros = True

    SHARE = 0.3
    """Of the peak multiply-add rate, in registers."""

    STREAM = 1.5
    """Bytes that are read and written while a copy of one thread moves one."""

    AROUND, READ = 3.0, 4.0
    """Multiply-adds that storing an output, and staging an input, are worth."""

    STREWN, ROW = 12.0, 300.0
    """And that storing one is worth which goes where it belongs alone, and beginning a row."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds that meet samples, and the way in and out of vectors."""
        machine = planning.machine
        itemsize = problem.acc_dtype.itemsize
        taps = math.prod(problem.kernel)
        met = taps / math.prod(problem.in_dilation)
        first = problem.data_format == "channels_first"
        stored = self.STREWN if first and problem.in_dilation[-1] != 2 else self.AROUND
        rows = outputs(problem) / out_size(problem)[-1] / (1 if first else machine.vector(itemsize))
        products = outputs(problem) * (met + stored) + inputs(problem) * self.READ + rows * self.ROW
        alone = 2 * products / (machine.flops(itemsize) * self.SHARE)
        moved = inputs(problem) * problem.x_dtype.itemsize
        moved += result_bytes(problem)
        alone += moved / (self.STREAM * machine.bandwidth1)
        work = shared(alone, machine) + far_output(problem, machine)
        error = (taps + 1) * rounding(problem.acc_dtype)
        return Cost(CALL + work, self.scratch(problem, machine), error)
