"""Kernels that are mostly zero: crosses, combs, lines, kernels with holes."""

from __future__ import annotations

import math

from multiconv._geometry import outputs, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, far_output, shared

LEAST_ZEROS = 0.5
"""Kernels with a smaller share of zeros gain more from taps that share their loads."""


class Sparse(NativeAlgorithm):
    """Direct summation over a list of the taps that are not zero.

    A zero times NaN or infinity is NaN, so no tap is left out where data are not finite: there
    the sum over all taps is taken. Lists of taps instead of kernels with holes: Holschneider et
    al., "A real-time algorithm for signal analysis with the help of the wavelet transform" (1989).
    """

    name = "sparse"
    summary = "kernels that are mostly zero on single channels, any dtype and boundary"
    value_sensitive = True

    EFFICIENCY = (0.3, 0.35, 0.41)
    """Share of the peak multiply-add rate, by rank: most products need a load of their own."""

    WHOLE = 0.85
    """What is left of it for integers."""

    NEAR, BEYOND = (0.013, 1 / 48), 0.47
    """Share of a thread's cache that rows, and planes, under a window fit into; what is left where
    not."""

    READ, TAP = 1.2, 5.6e-9
    """Trips through memory that data are worth, and seconds that each tap takes."""

    EACH = 1.3
    """Taps whose time an output takes beyond its sum: checking, writing."""

    ROW = 58e-9
    """Seconds that each row takes that is copied."""

    EACH_COMPLEX = 19
    """The same for complex numbers, whose parts are taken apart first."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel problems with a known kernel that is mostly zero."""
        if problem.group_in != 1:
            return Refusal("it treats channels one by one, this problem sums over them")
        if not traits.known:
            return Refusal("the kernel's values are not known")
        if traits.zero_fraction < LEAST_ZEROS:
            return Refusal("too few taps are zero for skipping them to pay")
        return super().accepts(problem, traits)

    LISTS = 1.5e-6
    """Seconds that a call takes beyond its work and others."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds of the taps that are left at the peak's share, and the memory traffic."""
        machine = planning.machine
        parts = 2 if problem.acc_dtype.kind == "c" else 1
        taps = math.prod(problem.kernel)
        kept = taps * float(1 - traits.zero_fraction)
        kept += self.EACH if parts == 1 else self.EACH_COMPLEX
        flops = 2 * kept * outputs(problem) * parts**2
        rate = (
            machine.flops(problem.acc_dtype.itemsize // parts)
            * self.EFFICIENCY[min(problem.rank, 3) - 1]
        )
        if problem.acc_dtype.kind in "iu":
            rate *= self.WHOLE
        planes = problem.kernel[0] * math.prod(problem.in_size[1:]) * problem.x_dtype.itemsize
        if problem.rank > 1 and planes > self.NEAR[problem.rank > 2] * machine.cache:
            rate *= self.BEYOND
        read = problem.batch * problem.in_channels * reached(problem)
        alone = flops / rate + self.READ * read * problem.x_dtype.itemsize / machine.bandwidth1
        alone += self.ROW * read / problem.in_size[-1]
        work = shared(alone, machine) + far_output(problem, machine) + self.TAP * taps
        error = (taps + 1) * rounding(problem.acc_dtype)
        seconds = CALL + self.LISTS + work
        return Cost(seconds, self.scratch(problem, machine), error)
