"""What the algorithms share that read the kernel where it lies, as it is data of one call."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from multiconv._core import Executable, Packed
from multiconv._geometry import out_size
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Planning, Refusal
from multiconv.algorithms._native import COMPUTE, NativeAlgorithm


class _Prepared(NamedTuple):
    executable: Executable
    packed: Packed
    kernel: Array
    """Kept alive: what is packed is the place where it lies."""


def layer_refusal(problem: Problem, times: int) -> Refusal | None:
    """Why not, for layers: with more than so many times as many outputs as taps."""
    if times * math.prod(problem.kernel) < math.prod(out_size(problem)):
        return Refusal("few taps for so many outputs: that is a layer, not a gradient")
    return None


class KernelInPlace(NativeAlgorithm):
    """Packs nothing: the kernel is as large as the data, and other at every call."""

    PACKING = 0.0

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> Any:
        """Remember where the kernel lies."""
        kernel = self.native(problem, kernel).view()
        kernel.flags.writeable = False
        found = self.executable(problem)
        return _Prepared(found, found.pack(kernel), kernel)

    def prepared_bytes(self, problem: Problem, traits: KernelTraits, planning: Planning) -> int:
        """Bytes of the kernel that is kept alive, too."""
        taps = math.prod(problem.kernel) * problem.group_in * problem.out_channels
        values = taps * np.dtype(COMPUTE[problem.acc_dtype.name]).itemsize
        return super().prepared_bytes(problem, traits, planning) + values
