"""Direct summation with SIMD stencils: single-channel and depthwise work, complex, integers."""

from __future__ import annotations

import math

from multiconv._geometry import outputs, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import CALL, NativeAlgorithm, fresh_output, shared


class Direct(NativeAlgorithm):
    """Each output tap by tap, in one fixed order, many outputs at once."""

    name = "direct"
    summary = "any rank, dtype and boundary, tap by tap with SIMD; best for small kernels"

    EFFICIENCY = 0.37
    """Share of the peak multiply-add rate: every product needs a load of its own."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds at the peak's share, or the memory traffic, whichever is slower."""
        machine = planning.machine
        real = problem.acc_dtype.itemsize // (2 if problem.acc_dtype.kind == "c" else 1)
        taps = math.prod(problem.kernel) * problem.group_in
        results = outputs(problem)
        flops = 2 * taps * results * (4 if problem.acc_dtype.kind == "c" else 1)
        rate = machine.flops(real) * self.EFFICIENCY
        read = problem.batch * problem.in_channels * reached(problem)
        alone = flops / rate + 2 * read * problem.x_dtype.itemsize / machine.bandwidth1
        work = shared(alone, machine) + fresh_output(problem, machine)
        eps = rounding(problem.acc_dtype)
        return Cost(CALL + work, self.scratch(problem, machine), (taps + 1) * eps)
