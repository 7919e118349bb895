"""Small integers in lanes of 16 bits."""

from __future__ import annotations

import math

from multiconv._geometry import beyond, out_size, outputs, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, far_output, shared


class Narrow(NativeAlgorithm):
    """Direct summation with twice the lanes, for results of 8 and 16 bits.

    Such results depend on no higher bit of any term, so that sums may wrap. Kernels that are an
    outer product of integers take each input row once, along the row first. Means of bytes are
    exact: sums that fit 16 bits, divided by multiplying, rounded half to even.

    The division is after Granlund and Montgomery, "Division by invariant integers using
    multiplication" (1994).
    """

    name = "narrow"
    summary = "8- and 16-bit integers, small kernels of integers and means of bytes, exact"
    value_sensitive = True

    RATE = 0.2
    """Products of 16-bit lanes a second, as a share of the peak rate of single floats."""

    AROUND, EDGES = 2.3, 20e-9
    """Products that an output's way through the registers is worth, and seconds that the two ends
    of a row take."""

    BEYOND = 3.5e-9
    """Seconds that a sample beyond the data's edge takes."""

    ALONG, APART = 0.58, 4.7
    """Products that a tap along the row is worth in outer products, and any tap where no rows share
    their loads."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Integers that are stored in 8 or 16 bits, and kernels of integers or means."""
        if problem.acc_dtype.kind == "f" and not (traits.known and traits.mean):
            return Refusal("the kernel's taps are floats, and not those of a mean")
        return super().accepts(problem, traits)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Products at the peak's share, and the memory traffic."""
        machine = planning.machine
        results = outputs(problem)
        work = results * (self._products(problem, traits) + self.AROUND)
        read = problem.batch * problem.in_channels * reached(problem) * problem.x_dtype.itemsize
        alone = work / (machine.flops(4) * self.RATE) + read / machine.bandwidth1
        alone += results / out_size(problem)[-1] * self.EDGES
        alone += self.BEYOND * problem.batch * problem.in_channels * beyond(problem)
        seconds = CALL + shared(alone, machine) + far_output(problem, machine)
        return Cost(seconds, self.scratch(problem, machine), rounding(problem.acc_dtype))

    def _products(self, problem: Problem, traits: KernelTraits) -> float:
        *outer, across = problem.kernel
        down = math.prod(outer)
        if down < 3:
            return self.APART * down * across
        if across > 1 and (traits.separable or traits.constant):
            return self.ALONG * across * (down + 3) / 4 + down * (not traits.constant)
        return down * across
