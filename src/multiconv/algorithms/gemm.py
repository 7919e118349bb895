"""Implicit matrix product over channels and taps: layers."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, far_output, shared


class Gemm(NativeAlgorithm):
    """Blocks of output channels times pixels, kept in registers; never unfolds the input.

    Blocking after Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions on
    SIMD Architectures", SC'18.
    """

    name = "gemm"
    summary = "layers with several output channels, real dtypes and integers, any geometry"

    EFFICIENCY = 0.7
    ROWS = 8

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """All that the kernel takes, if there are outputs to share each load."""
        if problem.group_out < 2:
            return Refusal("one output channel a group leaves nothing to share between products")
        return super().accepts(problem, traits)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds, with the lanes that ragged channels and pixels waste."""
        machine = planning.machine
        taps = math.prod(problem.kernel) * problem.group_in
        pixels = math.prod(out_size(problem))
        rows = -(-problem.group_out // self.ROWS) * self.ROWS * problem.groups
        lanes = max(machine.lanes * 4 // problem.acc_dtype.itemsize, 1)
        vectors = -(-pixels // lanes) * lanes
        flops = 2.0 * taps * problem.batch * rows * vectors
        alone = flops / (machine.flops(problem.acc_dtype.itemsize) * self.EFFICIENCY)
        gathered = problem.batch * problem.in_channels * reached(problem)
        alone += 4 * gathered * problem.x_dtype.itemsize / machine.bandwidth1
        seconds = shared(alone, machine) + far_output(problem, machine)
        eps = rounding(problem.acc_dtype)
        return Cost(CALL + seconds, self.scratch(problem, machine), (taps + 1) * eps)
