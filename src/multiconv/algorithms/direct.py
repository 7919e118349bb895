"""Direct summation with SIMD stencils: single-channel and depthwise work, complex, integers."""

from __future__ import annotations

import math

from multiconv._geometry import out_size, outputs, reached
from multiconv._machine import Machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import CALL, COMPUTE, NativeAlgorithm, far_output, shared


class Direct(NativeAlgorithm):
    """Each output tap by tap, in one fixed order, many outputs at once."""

    name = "direct"
    summary = "any rank, dtype and boundary, tap by tap with SIMD; best for small kernels"

    APART = (0.45, 0.31, 0.22)
    """Share of the peak multiply-add rate, by rank, where every product needs a load of its own."""

    PAIRS, SHORT_LINE, LINE, PLANE, VOLUME = 0.66, 0.5, 0.78, 0.78, 0.5
    """The same where loads are shared: along a line, over rows of a plane, of a volume."""

    SWEPT, SWEPT_VOLUME, ENDS = 1.0, 0.87, 12
    """Where rows are swept; and columns that cost as much as the copies at the ends of a row."""

    STRIDED, STRIDED_VOLUME, SEVERAL = 0.6, 0.4, 0.7
    """What is left of it with strides, and with several channels or parts of a number."""

    AXIS, MANY, IMAGE = 0.3e-6, 1e-6, 50e-9
    """Seconds that each axis after the first, several channels or parts, and each image take."""

    AROUND_PAIRS, AROUND_PLANE, AROUND_VOLUME, AROUND_COMPLEX = 3, 13, 20, 10
    """Multiply-adds that an output's way through the registers is worth there."""

    ROWS = 11
    """Rows of a kernel that registers hold at once."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds at the peak's share, and the memory traffic."""
        machine = planning.machine
        real = problem.acc_dtype.itemsize // (2 if problem.acc_dtype.kind == "c" else 1)
        taps = math.prod(problem.kernel) * problem.group_in
        results = outputs(problem)
        if _is_swept(problem, machine):
            return self._sweep(problem, machine)
        share, around = self._rate(problem, machine)
        products = (taps + around) * (4 if problem.acc_dtype.kind == "c" else 1)
        flops = 2 * products * results
        rate = machine.flops(real) * share
        read = problem.batch * problem.in_channels * reached(problem)
        alone = flops / rate + 2 * read * problem.x_dtype.itemsize / machine.bandwidth1
        alone += self.IMAGE * problem.batch * problem.groups
        work = shared(alone, machine) + far_output(problem, machine)
        eps = rounding(problem.acc_dtype)
        many = problem.group_in > 1 or problem.acc_dtype.kind == "c"
        call = CALL + self.AXIS * (problem.rank - 1) + self.MANY * many
        return Cost(call + work, self.scratch(problem, machine), (taps + 1) * eps)

    def _rate(self, problem: Problem, machine: Machine) -> tuple[float, int]:
        """Share of the peak rate, and what an output costs beside its taps, in taps."""
        share, around = self._shared_loads(problem, machine)
        if max(problem.stride) > 1:
            share *= self.STRIDED if problem.rank < 3 else self.STRIDED_VOLUME
        if problem.group_in > 1 or problem.acc_dtype.kind == "c":
            share *= self.SEVERAL
        if problem.acc_dtype.kind == "c":
            around = self.AROUND_COMPLEX
        # Vectors that an image cannot fill take as long as full ones.
        filled = min(math.prod(out_size(problem)) * problem.acc_dtype.itemsize / 4, machine.lanes)
        return share * filled / machine.lanes, around

    def _shared_loads(self, problem: Problem, machine: Machine) -> tuple[float, int]:
        if not _in_place(problem) or max(problem.dilation) > 1:
            return self.APART[min(problem.rank, 3) - 1], 0
        *outer, last = problem.kernel
        lanes = machine.lanes * 4 // problem.acc_dtype.itemsize
        if math.prod(outer) == 1:
            share = self.LINE if last >= 4 * lanes else self.SHORT_LINE
            return share if last > lanes else self.APART[0], 0
        if math.prod(outer[:-1]) == 1:
            return self.PLANE, self.AROUND_PLANE
        return self.VOLUME, self.AROUND_VOLUME


def _in_place(problem: Problem) -> bool:
    """Whether most outputs are summed from the input as it lies, given rows of neighbours."""
    small = COMPUTE[problem.acc_dtype.name] in ("float32", "uint32")
    return (
        problem.acc_dtype.kind != "c"
        and (problem.x_dtype == problem.acc_dtype or small)
        and max(*problem.stride, *problem.in_dilation) == 1
        and math.prod(out_size(problem)) >= 2**14
        and problem.in_size[-1] >= 128
    )
