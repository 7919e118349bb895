"""Weight gradients that land as rows of the result: layers with their channels first."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._in_place import KernelInPlace, layer_refusal
from multiconv.algorithms._native import CALL, shared


class PanelSum(KernelInPlace):
    """Rows of gradients, read where they lie, times panels of windows that stay in the caches.

    Lanes are pairs of a channel and a tap: sums leave the registers for where they belong. Panels
    and blocks of registers after Goto & van de Geijn, "Anatomy of High-Performance Matrix
    Multiplication", ACM TOMS 34 (2008).
    """

    name = "panel_sum"
    summary = "weight gradients of layers with channels first, floats, any geometry"

    RATE = 0.82
    """Of the peak multiply-add rate, in the innermost loop."""

    VECTORS, PANEL = 3, 38 << 10
    """Of a panel, and its bytes."""

    BLOCK, TILE = 60, 3500
    """Clock cycles that a block of sums and a tile take beyond their work."""

    TURN, COPY, ROW = 0.45, 0.5, 70
    """Clock cycles that a number takes into its panel, and, where windows overlap or skip, into
    its box; that a row of a box takes beyond its numbers."""

    TRIPS = 1
    """Trips through memory that data and gradients are worth."""

    BEYOND = 2
    """Times as many outputs as taps have layers that are no gradients, at least."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Few outputs that lie as sums do, and what the kernel takes."""
        if problem.data_format == "channels_last":
            return Refusal("where channels come last, sums are no rows of the result")
        return layer_refusal(problem, self.BEYOND) or super().accepts(problem, traits)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds in whole vectors, the way of samples into panels, and the memory."""
        machine, size = planning.machine, problem.acc_dtype.itemsize
        lanes = machine.vector(size)
        places = math.prod(problem.kernel) * problem.group_in
        tiles = -(-places // (self.PANEL // (self.VECTORS * lanes * size)))
        vectors = -(-problem.batch * math.prod(out_size(problem)) // lanes)
        height = 4 if lanes < 16 else 8
        blocks = -(-problem.group_out // height)
        cycles = blocks * height * vectors * places / (2 * self.RATE)
        cycles += tiles * (blocks * -(-vectors // self.VECTORS) * self.BLOCK + self.TILE)
        cycles = problem.groups * cycles + self._moved(problem, lanes)
        results = problem.batch * problem.out_channels * math.prod(out_size(problem))
        data = problem.batch * problem.in_channels * reached(problem)
        memory = self.TRIPS * (data + problem.out_channels * places) + results
        alone = cycles / machine.clock(size) + memory * size / machine.bandwidth1
        error = (places + 1) * rounding(problem.acc_dtype)
        return Cost(CALL + shared(alone, machine), self.scratch(problem, machine), error)

    def _moved(self, problem: Problem, lanes: int) -> float:
        """Clock cycles that samples take into their panels."""
        taps, planes = math.prod(out_size(problem)), problem.batch * problem.in_channels
        strided = max(problem.dilation) > 1
        if taps == 1 and not strided and not any(map(any, problem.padding)):
            return self.TURN * planes * math.prod(problem.kernel)
        wide = problem.kernel[-1]
        lines = planes * math.prod(problem.kernel[:-1])
        turned = lines * taps * -(-wide // lanes) * lanes
        phases = min(problem.dilation[-1], out_size(problem)[-1])
        rows = planes * reached(problem) / problem.in_size[-1] * phases
        return self.TURN * turned + self.COPY * planes * reached(problem) + self.ROW * rows
