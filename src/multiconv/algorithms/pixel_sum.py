"""Few outputs that sum over many places: weight gradients."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._in_place import KernelInPlace
from multiconv.algorithms._native import CALL, shared


class PixelSum(KernelInPlace):
    """Sums outer products of windows and gradients, pixel after pixel, in registers.

    The long reduction of the weight gradient after Georganas et al., "Anatomy of High-Performance
    Deep Learning Convolutions on SIMD Architectures", SC'18, section II-J.
    """

    name = "pixel_sum"
    summary = "kernels about as large as the data, real dtypes and integers: weight gradients"

    EFFICIENCY, FEW_OUTPUTS = 0.77, 0.13
    """Share of the peak multiply-add rate, output channels in the lanes, and pixels."""

    FEW_PLACES = 0.39
    """What is left of it where outputs outnumber places."""

    AROUND, CHANNEL = 60, 8
    """Places that beginning and storing the sums takes as long as, and each further channel."""

    GROUP, FEW_GROUP = 3.5e-6, 560e-9
    """Seconds that a group takes beyond its work, its output channels in the lanes, and pixels."""

    TRIPS, AGAIN = 3.5, 1.2
    """Trips through memory that data and gradients are worth, and that each panel of them is."""

    MOST_OUTPUTS = 4096

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Few outputs a channel, and what the kernel takes."""
        if math.prod(out_size(problem)) > self.MOST_OUTPUTS:
            return Refusal(f"it keeps sums of at most {self.MOST_OUTPUTS} outputs a channel")
        return super().accepts(problem, traits)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds, with the lanes that ragged channels waste, and reading the data."""
        machine, size = planning.machine, problem.acc_dtype.itemsize
        lanes = machine.vector(size)
        places = math.prod(problem.kernel) * problem.group_in
        across = 2 * problem.group_out >= lanes
        columns = -(-problem.group_out // lanes) * lanes if across else problem.group_out
        rows = -(-problem.batch * math.prod(out_size(problem)) // 8) * 8
        around = self.AROUND + self.CHANNEL * (problem.group_in - 1)
        flops = 2.0 * (places + around) * problem.groups * rows * columns
        speed = machine.flops(size) * (self.EFFICIENCY if across else self.FEW_OUTPUTS)
        if math.prod(problem.kernel) < math.prod(out_size(problem)):
            speed *= self.FEW_PLACES
        data = problem.batch * problem.in_channels * reached(problem)
        gradient = problem.out_channels * places
        panels = data * -(-columns // (4 * lanes)) + gradient * -(-problem.batch // 64)
        moved = self.TRIPS * (data + gradient) + self.AGAIN * panels
        alone = flops / speed + moved * size / machine.bandwidth1
        alone += self.GROUP * problem.groups if across else self.FEW_GROUP * (problem.groups - 1)
        eps = rounding(problem.acc_dtype)
        return Cost(2 * CALL + shared(alone, machine), self.scratch(problem, machine),
                    (places + 1) * eps)  # fmt: skip
