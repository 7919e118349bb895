"""Kernels of rank one: all passes at once, through the cache."""

from __future__ import annotations

import math

import numpy as np

from multiconv._geometry import outputs, window
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, Prepared, fresh_output, shared


class Fused(NativeAlgorithm):
    """Passes along all axes tile by tile, so that no intermediate goes through memory.

    Rows are filtered as they come; along every other axis a window of filtered rows or planes moves
    over the tile.
    """

    name = "fused"
    summary = "floats, kernels that are an outer product of short vectors, one pass over memory"
    value_sensitive = True

    ROW = 0.42
    """Share of the peak multiply-add rate along the last axis: each product needs a load."""

    COLUMN = 0.62
    """The same along other axes, where loads serve several rows."""

    GATHER = 6
    """Multiply-adds that bringing in a sample is worth."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel floats with a known kernel of rank one."""
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if not traits.known:
            return Refusal("the kernel's values are not known")
        if not traits.separable:
            return Refusal("the kernel is no outer product of vectors")
        return super().accepts(problem, traits)

    def run(self, prepared: Prepared, x: Array, bias: Array | None, out: Array) -> None:
        """Run the kernel, which wants rows of neighbours."""
        if x.strides[-1] != x.itemsize:
            x = np.ascontiguousarray(x)
        super().run(prepared, x, bias, out)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds of all passes, or the memory traffic, whichever is slower."""
        machine = planning.machine
        eps = rounding(problem.acc_dtype)
        rate = machine.flops(problem.acc_dtype.itemsize)
        results = outputs(problem)
        *slow, fast = problem.kernel
        # Rows of a band's, or a tile's, halo are filtered more than once.
        again = math.prod(
            1 + (window(k, d) - 1) / min(n, 4 * window(k, d))
            for k, d, n in zip(slow, problem.dilation, problem.in_size, strict=False)
        )
        flops = (
            2
            * results
            * (
                (fast / self.ROW + self.GATHER) * again
                + sum(k for k in slow if k > 1) / self.COLUMN
            )
        )
        moved = results * (problem.x_dtype.itemsize + problem.out_dtype.itemsize)
        alone = flops / rate + moved / machine.bandwidth1
        seconds = CALL + shared(alone, machine) + fresh_output(problem, machine)
        error = (sum(problem.kernel) + 16 + problem.rank) * eps
        return Cost(seconds, self.scratch(problem, machine), error)
