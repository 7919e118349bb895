"""Direct summation channel by channel: depthwise layers."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, outputs, reached, result_bytes
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import CALL, NativeAlgorithm, far_output, shared


class Depthwise(NativeAlgorithm):
    """Rows of a channel, or of vectors of channels, staged once and shared by rows of outputs."""

    name = "depthwise"
    summary = "layers whose groups have one input channel, real dtypes and integers, any geometry"
    by_rows = True
    PACKING = 14.0

    SHARE = 0.45
    """Of the peak multiply-add rate, in registers."""

    STREAM = 2
    """Bytes that are read and written while a copy of one thread moves one."""

    AROUND, READ = 7.2, 3.9
    """Multiply-adds that storing an output, and staging an input, are worth."""

    IN_PLACE, FEW_TAPS = 0.75, 7
    """Share of the time that is left where most pixels are read where they lie, and taps along an
    axis at most."""

    APART = 3.0
    """How many times the time single taps take with a stride: each sample is sorted for one."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds in full vectors, and the way in and out of them."""
        machine = planning.machine
        itemsize = problem.acc_dtype.itemsize
        lanes = machine.vector(itemsize)
        taps = math.prod(problem.kernel)
        filled = self._filled(problem, lanes)
        read = problem.batch * problem.in_channels * reached(problem)
        products = outputs(problem) * (taps + self.AROUND) + read * self.READ
        alone = 2 * products / filled / (machine.flops(itemsize) * self.SHARE)
        moved = read * problem.x_dtype.itemsize + result_bytes(problem)
        alone += moved / (self.STREAM * machine.bandwidth1)
        if self._in_place(problem):
            alone *= self.IN_PLACE
        elif taps == 1 and max(problem.stride) > 1:
            alone *= self.APART
        work = shared(alone, machine) + far_output(problem, machine)
        eps = rounding(problem.acc_dtype)
        return Cost(CALL + work, self.scratch(problem, machine), (taps + 1) * eps)

    def _in_place(self, problem: Problem) -> bool:
        """Whether channels lie last, and windows are small."""
        last = problem.data_format == "channels_last" and problem.acc_dtype.name == "float32"
        return last and problem.rank < 3 and max(problem.kernel) <= self.FEW_TAPS

    def _filled(self, problem: Problem, lanes: int) -> float:
        """How much of the vectors is used."""
        if problem.data_format == "channels_last":
            return problem.out_channels / (-(-problem.out_channels // lanes) * lanes)
        width = out_size(problem)[-1]
        return width / (-(-width // lanes) * lanes)
