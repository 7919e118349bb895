"""Layers of 8- and 16-bit integers: several channels multiplied and added at once."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, outputs, reached, result_bytes
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import CALL, shared
from multiconv.algorithms._shared_loads import ChannelsInWords


class GemmPairs(ChannelsInWords):
    """`gemm` on words of two 16-bit numbers, which one instruction multiplies and adds."""

    name = "gemm_pairs"
    summary = "layers of int8, uint8 and int16, exact modulo 2^32"

    EACH = 2
    """Channels of a word."""
    WEIGHTS: tuple[str, ...] = ("int8", "uint8", "int16")
    RATE = 0.765
    """Words multiplied and added, as a share of the rate of float32 numbers."""

    AROUND = 36
    """Words that beginning and storing an output takes as long as."""

    WORD, TURN = 0.15, 0.65
    """Clock cycles that a word takes on its way: copied, and gathered from rows of channels."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Words of all lanes, their way in and the results' way out, and the memory."""
        machine = planning.machine
        lanes = max(machine.lanes, 1)
        clock = machine.clock(4)
        words = -(-problem.group_in // self.EACH)
        panel = 2 * lanes
        busy = -(-problem.group_out // panel) * panel
        pixels = problem.batch * problem.groups * math.prod(out_size(problem))
        alone = 2.0 * pixels * busy * (math.prod(problem.kernel) * words + self.AROUND)
        alone /= machine.flops(4) * self.RATE
        read = problem.batch * problem.groups * words * reached(problem)
        last = problem.data_format == "channels_last"
        moved = (self.WORD if last else self.TURN) * read
        alone += (moved + (0 if last else self.TURN * outputs(problem))) / clock
        alone += result_bytes(problem) / machine.bandwidth1
        return Cost(CALL + shared(alone, machine), self.scratch(problem, machine), 0.0)


class GemmQuads(GemmPairs):
    """`gemm` on words of four 8-bit numbers, where the CPU multiplies and adds those.

    Its instruction takes samples without a sign: signed ones are shifted by 128, and what that
    adds to each sum is taken off where the sum begins.
    """

    name = "gemm_quads"
    summary = "layers of int8 or uint8 samples and int8 weights, exact modulo 2^32"

    EACH = 4
    WEIGHTS = ("int8",)
    RATE = 0.7655
