"""Layers of 8-bit integers and of bfloat16 by products of matrices in registers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from multiconv._geometry import out_size, outputs, reached
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Cost, Epilogue, Planning, Refusal
from multiconv.algorithms._native import CALL, Prepared, shared
from multiconv.algorithms._shared_loads import ChannelsInWords


class GemmTiles(ChannelsInWords):
    """`gemm` on registers that hold matrices, where the CPU multiplies those (AMX).

    Sixteen windows and sixteen outputs' weights, 64 bytes deep, are one instruction. Windows
    are laid out as rows first, a tile of outputs at a time. bfloat16 is summed in float32; of it,
    subnormal numbers count as zeros.
    """

    name = "gemm_tiles"
    summary = "layers of int8, uint8 and bfloat16 by products of matrices"
    stored = frozenset({"bfloat16"})

    WEIGHTS = ("int8",)
    SIDE = 16
    """Rows of a register, and words of a row."""
    MOST = 4
    """Bytes of packed weights for each of theirs, beyond which registers are mostly empty."""

    SQUARE, ROW, SEGMENT = 66.0, 1.5, 14.0
    """Clock cycles of a product of registers, of a vector of a window's row, of neighbouring taps
    in it."""

    WORD, OUTPUT, OUTPUT_LAST = 1.1, 1.25, 0.7
    """Clock cycles that a word takes to its place, and a sum from it by layout of the output."""

    SHAPES = 16e-6
    """Seconds that a call takes beyond its work, registers' shapes among them."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """8-bit integers, or all of bfloat16, of layers that fill registers."""
        refusal = super().accepts(problem, traits)
        if refusal is not None:
            return refusal
        weights = problem.group_in * math.prod(problem.kernel) * problem.group_out
        packed = self._depth(problem) * self._wide(problem) * 4
        if packed > self.MOST * max(weights * problem.w_dtype.itemsize, 1):
            return Refusal("registers of 16 outputs by 64 bytes of weights would be mostly empty")
        return None

    def weights(self, problem: Problem) -> tuple[str, ...]:
        """Those of the samples' kind."""
        return ("bfloat16",) if _is_brain(problem.x_dtype) else self.WEIGHTS

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Products of registers, the way of samples into rows and of sums out, and the memory."""
        machine = planning.machine
        images = problem.batch * problem.groups
        pixels = math.prod(out_size(problem))
        depth = self._depth(problem) / self.SIDE
        squares = -(-pixels // self.SIDE) * self._wide(problem) / self.SIDE
        segments = math.prod(problem.kernel[:-1])
        cycles = squares * depth * self.SQUARE
        cycles += pixels * (depth * self.ROW + segments * self.SEGMENT)
        cycles += self.WORD * self._words(problem) * reached(problem)
        last = problem.data_format == "channels_last"
        out = (self.OUTPUT_LAST if last else self.OUTPUT) * outputs(problem)
        cycles = images * cycles + out
        alone = cycles / machine.clock(4)
        terms = math.prod(problem.kernel) * problem.group_in
        error = (terms + 1) * rounding(problem.acc_dtype) if _is_brain(problem.x_dtype) else 0.0
        return Cost(
            CALL + self.SHAPES + shared(alone, machine), self.scratch(problem, machine), error
        )

    def run(self, prepared: Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """As any kernel, bfloat16 as what NumPy knows of the same size."""
        bias, scale, residual = epilogue
        if _is_brain(x.dtype):
            bias, scale = (None if a is None else a.astype(np.float32) for a in (bias, scale))
        epilogue = Epilogue(bias, scale, None if residual is None else _known(residual))
        super().run(prepared, _known(x), epilogue, _known(out))

    def _words(self, problem: Problem) -> int:
        """Words of a sample's channels."""
        return -(-problem.group_in * problem.x_dtype.itemsize // 4)

    def _depth(self, problem: Problem) -> int:
        """Words of an output's weights, with those that fill registers."""
        words = self._words(problem) * math.prod(problem.kernel)
        return -(-words // self.SIDE) * self.SIDE

    def _wide(self, problem: Problem) -> int:
        """Outputs of a group, with those that fill registers."""
        return -(-problem.group_out // self.SIDE) * self.SIDE


def _is_brain(dtype: np.dtype[Any]) -> bool:
    return bool(dtype.name == "bfloat16")


def _known(array: Array) -> Array:
    return array.view(np.uint16) if _is_brain(array.dtype) else array
