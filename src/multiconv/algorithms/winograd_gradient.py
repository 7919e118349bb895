"""Weight gradients of small kernels by minimal filtering: fewer multiplications."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, outputs, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._in_place import KernelInPlace
from multiconv.algorithms._native import CALL, shared


class WinogradGradient(KernelInPlace):
    """Tiles of data and of gradients are transformed, multiplied and summed, then transformed back.

    A 3 x 3 kernel takes a quarter of the multiplications. The sum over all tiles is taken before
    the way back, which is linear. Dilated layers are several plain ones, and volumes pairs of
    planes. Data of which a few values stand out are summed directly. After Lavin & Gray, "Fast
    Algorithms for Convolutional Neural Networks" (2016).
    """

    name = "winograd_gradient"
    summary = "weight gradients of layers with 3 x 3 or 5 x 5 taps in a plane, floats, no strides"

    PRODUCTS = 6
    """Of a tile, along each axis."""

    RATE = 0.75
    """Of the peak multiply-add rate, in the products."""

    TRANSFORM = 74
    """Multiply-adds that a number of a transformed tile takes."""

    TRIPS, SUMS, SUMS_LAST = 1.5, 2.4, 1.4
    """Trips through memory that data and gradients are worth, and how many times that sums are; the
    last where outputs lie innermost, so that they are stored in whole vectors."""

    FEWEST = 8
    """Channels on either side below which transforms take longer than products."""

    BEGIN = 25e-6
    """Seconds that a run takes beyond its work."""

    ROUNDINGS = 40
    """Units of rounding that the transforms add."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Channels enough, and what the kernel takes."""
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if min(problem.batch, problem.group_out) < self.FEWEST:
            return Refusal("with so few channels the transforms cost more than they save")
        return super().accepts(problem, traits)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Transforms, products, and the memory."""
        machine, size = planning.machine, problem.acc_dtype.itemsize
        lanes = machine.vector(size)
        products = self.PRODUCTS**2
        taps = out_size(problem)[0] if problem.rank > 2 else 1
        tile = self.PRODUCTS - out_size(problem)[-1] + 1
        tiles = problem.group_in * (problem.kernel[0] if problem.rank > 2 else 1)
        for outs, apart in zip(problem.kernel[-2:], problem.stride[-2:], strict=True):
            phases = min(apart, outs)
            tiles *= phases * -(-outs // (phases * tile))
        inputs = -(-problem.batch // lanes) * lanes
        columns = -(-problem.group_out // lanes) * lanes
        numbers = products * tiles * (inputs + columns)
        work = taps * products * tiles * inputs * columns / self.RATE
        moved = problem.batch * problem.in_channels * reached(problem) + 2 * outputs(problem)
        moved += problem.out_channels * problem.group_in * math.prod(problem.kernel)
        sums = problem.groups * taps * products * inputs * columns
        alone = 2 * problem.groups * work / machine.flops(size)
        alone += 2 * problem.groups * self.TRANSFORM * numbers / machine.transform_flops(size)
        each = self.SUMS_LAST if problem.data_format == "channels_last" else self.SUMS
        alone += self.TRIPS * (moved + each * sums) * size / machine.bandwidth1
        terms = problem.group_in * math.prod(problem.kernel)
        error = rounding(problem.acc_dtype) * (terms + self.ROUNDINGS)
        seconds = CALL + self.BEGIN + shared(alone, machine)
        return Cost(seconds, self.scratch(problem, machine), error)
