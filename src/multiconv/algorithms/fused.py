"""Kernels of rank one: all passes at once, through the cache."""

from __future__ import annotations

import math

import numpy as np

from multiconv._geometry import out_size, outputs
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Cost, Epilogue, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, Prepared, far_output, shared


class Fused(NativeAlgorithm):
    """Passes along all axes tile by tile, so that no intermediate goes through memory.

    The first pass reads the input in place and makes a few slabs at once; those behind it work on
    slabs in cache, and the last one writes the output.
    """

    name = "fused"
    summary = "floats, kernels that are an outer product of short vectors, one pass over memory"
    value_sensitive = True

    SHORT_ROW, LONG_ROW, ROW = 0.53, 0.48, 0.61
    """Share of the peak multiply-add rate along the last axis, by how many taps share a load."""

    COLUMN, FAR_COLUMN = 0.47, 0.33
    """The same along other axes, where loads serve several rows; and beyond the cache."""

    AROUND_PLANE, AROUND_VOLUME = 7.0, 18
    """Multiply-adds that an output's way through the passes is worth."""

    EACH_ROW = 94e-9
    """Seconds that each row of results takes beyond its numbers."""

    STREAM = 4.4
    """Bytes that are read and written while a copy of one thread moves one."""

    BAND = 100
    """Rows between the first axis and the last that share a halo."""

    NEAR = 40
    """Taps along the first axis whose rows the cache holds."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Single-channel floats with a known kernel of rank one."""
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if not traits.known:
            return Refusal("the kernel's values are not known")
        if not traits.separable:
            return Refusal("the kernel is no outer product of vectors")
        return super().accepts(problem, traits)

    def run(self, prepared: Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Run the kernel, which wants rows of neighbours."""
        if x.strides[-1] != x.itemsize:
            x = np.ascontiguousarray(x)
        super().run(prepared, x, epilogue, out)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds of all passes, and the memory traffic."""
        machine = planning.machine
        eps = rounding(problem.acc_dtype)
        rate = machine.flops(problem.acc_dtype.itemsize)
        results = outputs(problem)
        *slow, last = problem.kernel
        first, *middle = [k for k in slow if k > 1]
        lanes = machine.lanes * 4 // problem.acc_dtype.itemsize
        row = self.ROW if last >= 4 * lanes else self.SHORT_ROW
        if 7 * lanes <= 4 * last < 16 * lanes:
            row = self.LONG_ROW
        # Halos of the axes between the first and the last go through the first pass more than once.
        again = math.prod(1 + k / max(k, self.BAND) for k in middle)
        column = self.COLUMN if first <= self.NEAR else self.FAR_COLUMN
        around = self.AROUND_VOLUME if middle else self.AROUND_PLANE
        taps = last / row + sum(middle) / self.COLUMN + again * first / column + around
        # Samples beyond the ends of a row, and of a plane, pass as others do.
        wide = math.prod(
            1 + k / n for k, n in zip(problem.kernel[1:], out_size(problem)[1:], strict=True)
        )
        flops = 2 * results * taps * wide
        moved = results * (problem.x_dtype.itemsize + problem.out_dtype.itemsize)
        alone = flops / rate + moved / (self.STREAM * machine.bandwidth1)
        alone += self.EACH_ROW * results / out_size(problem)[-1]
        seconds = CALL + shared(alone, machine) + far_output(problem, machine)
        error = (sum(problem.kernel) + 16 + problem.rank) * eps
        return Cost(seconds, self.scratch(problem, machine), error)
