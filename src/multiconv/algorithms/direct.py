"""Direct summation with SIMD stencils: single-channel and depthwise work, complex, integers."""

from __future__ import annotations

import math

from multiconv._geometry import beyond, out_size, outputs, reached, result_bytes
from multiconv._machine import Machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning
from multiconv.algorithms._native import (
    CALL,
    COMPUTE,
    NativeAlgorithm,
    far_output,
    shared,
    streamed,
)

WIDE = 16
"""float32 values in a vector that fills a line of the cache."""
ROWS, FEW_ROWS = 11, 6
"""Of kernels that are swept, at most: as many as registers hold, wide vectors' and others'."""
SHORT_ROW = 2**11
"""Bytes of a row, of planes that few registers sweep, at most."""


class Direct(NativeAlgorithm):
    """Each output tap by tap, in one fixed order, many outputs at once."""

    name = "direct"
    summary = "any rank, dtype and boundary, tap by tap with SIMD; best for small kernels"

    APART = (0.34, 0.26, 0.44)
    """Share of the peak multiply-add rate, by rank, where every product needs a load of its own."""

    PLANE, VOLUME = 0.35, 0.33
    """The same where the rows of a block share loads."""

    COMPLEX = 0.55
    """The same for complex numbers that are summed from the input as it lies."""

    SWEPT_PLANE, SWEPT_VOLUME, SWEPT_CHANNELS = 0.56, 0.68, 0.45
    """Where rows are swept: each is loaded once for all outputs that see it; what is left of it
    with several channels."""

    PAIRS, SHORT_LINE, LINE = 0.44, 0.67, 0.69
    """Along a line: taps in pairs; two vectors of taps; more."""

    SMALL = 0.73
    """What is left of it where there are few outputs."""

    STRIDED, STRIDED_VOLUME, SEVERAL, MANY_CHANNELS = 0.66, 0.37, 0.74, 0.56
    """What is left of it with strides, with several channels or parts of a number, and with
    channels on both sides."""

    WHOLE, WHOLE_IN_PLACE = 0.65, 0.79
    """What is left of it for integers; those that are summed from the input as it lies."""

    FAR_BYTES, UNALIGNED = 12 << 20, 1.6
    """Bytes of results that are written past the caches, and how many times the time sweeps take
    that cannot: their rows do not begin where vectors are aligned."""

    FAR = 10e-9
    """Seconds that a sample or an output takes whose neighbours are other channels'."""

    AXIS, MANY, IMAGE, ROW = 520e-9, 1.4e-6, 230e-9, 18e-9
    """Seconds that each axis after the first, several channels or parts, each image, and each row
    that is copied take."""

    LINE_END = 18e-9
    """Seconds that a row of outputs takes beyond them where its data are read as they lie."""

    VECTORS = 12
    """Of outputs, that are summed at once."""

    BEYOND = 1.6e-9
    """Seconds that a sample beyond the data's edge takes where data are copied."""

    PHASES = 1.2e-6
    """Seconds that sorting samples by a stride's phases takes beyond others."""

    AROUND_LINE, AROUND_PLANE, AROUND_VOLUME, AROUND_ROWS, AROUND_COMPLEX = 3, 13, 20, 2, 4
    """Multiply-adds that an output's way through the registers is worth there; of planes and
    volumes those that are swept, and others."""

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Multiply-adds at the peak's share, and the memory traffic."""
        streams = _is_swept(problem, planning.machine) or _is_line(problem, planning.machine)
        work = (self._streamed if streams else self._summed)(problem, planning.machine)
        if problem.data_format == "channels_last" and problem.in_channels > 1:
            moved = problem.batch * problem.in_channels * reached(problem) + outputs(problem)
            work += shared(self.FAR * moved, planning.machine)
        many = problem.group_in > 1 or problem.acc_dtype.kind == "c"
        call = CALL + self.AXIS * (problem.rank - 1) + self.MANY * many
        if max(problem.stride) > 1:
            call += self.PHASES
        error = (_taps(problem) + 1) * rounding(problem.acc_dtype)
        return Cost(call + work, self.scratch(problem, planning.machine), error)

    def _streamed(self, problem: Problem, machine: Machine) -> float:
        """Seconds of sweeps and lines: they compute while memory is read and written."""
        share, around = self._line(problem, machine)
        columns = out_size(problem)[-1]
        if _is_swept(problem, machine):
            volume = math.prod(problem.kernel[:-2]) > 1
            share = self.SWEPT_VOLUME if volume else self.SWEPT_PLANE
            if problem.group_in > 1:
                share *= self.SWEPT_CHANNELS
            around = self.AROUND_VOLUME if volume else self.AROUND_PLANE
            if columns % _lanes(problem, machine) and result_bytes(problem) > self.FAR_BYTES:
                share /= self.UNALIGNED
            # Vectors that a row cannot fill take as long as full ones.
            width = 4 * _lanes(problem, machine)
            share *= columns / (math.ceil(columns / width) * width)
        products: float = (_taps(problem) + around) * outputs(problem)
        alone = 2 * products / (share * machine.flops(problem.acc_dtype.itemsize))
        alone += self.IMAGE * problem.batch * problem.groups
        whole = max(shared(alone, machine), streamed(problem, machine))
        if _is_swept(problem, machine):
            return whole
        return whole + shared(self.LINE_END * outputs(problem) / columns, machine)

    def _line(self, problem: Problem, machine: Machine) -> tuple[float, float]:
        """Share of the peak rate along a line, and what an output costs beside its taps."""
        vectors = problem.kernel[-1] / _lanes(problem, machine)
        if vectors < 1.75 and machine.lanes >= WIDE:
            return self.PAIRS, self.AROUND_LINE
        return self.LINE if vectors >= 3 else self.SHORT_LINE, self.AROUND_LINE

    def _summed(self, problem: Problem, machine: Machine) -> float:
        """Seconds of everything else."""
        complex_ = problem.acc_dtype.kind == "c"
        real = problem.acc_dtype.itemsize // (2 if complex_ else 1)
        share, around = self._rate(problem, machine, real)
        products: float = (_taps(problem) + around) * (4 if complex_ else 1) * _line_waste(problem)
        alone = 2 * products * outputs(problem) / (machine.flops(real) * share)
        read = problem.batch * problem.in_channels * reached(problem)
        alone += 2 * read * problem.x_dtype.itemsize / machine.bandwidth1
        alone += self.IMAGE * problem.batch * problem.groups
        if _in_place(problem):
            alone += self.LINE_END * outputs(problem) / out_size(problem)[-1]
        else:
            alone += self.ROW * read / problem.in_size[-1]
            alone += self.BEYOND * problem.batch * problem.in_channels * beyond(problem)
        return shared(alone, machine) + far_output(problem, machine)

    def _rate(self, problem: Problem, machine: Machine, real: int) -> tuple[float, float]:
        """Share of the peak rate, and what an output costs beside its taps, in taps."""
        share, around = self.APART[min(problem.rank, 3) - 1], 0.0
        if _has_line(problem, machine) and max(problem.stride) == 1:
            share = max(share, self.SMALL * self._line(problem, machine)[0])
        if _in_place(problem) and max(problem.dilation) == 1 and math.prod(problem.kernel[:-1]) > 1:
            share = self.VOLUME if math.prod(problem.kernel[:-2]) > 1 else self.PLANE
            around = self.AROUND_ROWS
        if max(problem.stride) > 1:
            share *= self.STRIDED if problem.rank < 3 else self.STRIDED_VOLUME
        if min(problem.group_in, problem.group_out) > 1:
            share *= (
                self.MANY_CHANNELS if problem.group_in * problem.group_out > 16 else self.SEVERAL
            )
        elif problem.group_in > 1 or problem.acc_dtype.kind == "c":
            share *= self.SEVERAL
        if problem.acc_dtype.kind in "iu":
            share *= self.WHOLE_IN_PLACE if _in_place(problem) else self.WHOLE
        if problem.acc_dtype.kind == "c":
            around = self.AROUND_COMPLEX
            if _in_place(problem):
                share, around = self.COMPLEX, 0.0
        # Blocks that an image cannot fill take as long as full ones.
        image = math.prod(out_size(problem))
        block = self.VECTORS * machine.vector(real)
        return share * image / (-(-image // block) * block), around


def _taps(problem: Problem) -> int:
    return math.prod(problem.kernel) * problem.group_in


def _lanes(problem: Problem, machine: Machine) -> int:
    """Numbers in a vector."""
    return machine.vector(problem.acc_dtype.itemsize)


def _line_waste(problem: Problem) -> float:
    """Places of the long line through a tile over those that are outputs."""
    if _in_place(problem):
        return 1.0
    sizes = zip(out_size(problem)[1:], problem.kernel[1:], problem.dilation[1:], strict=True)
    return math.sqrt(math.prod(1 + (k - 1) * d / n for n, k, d in sizes))


def _in_place(problem: Problem) -> bool:
    """Whether most outputs are summed from the input as it lies, given rows of neighbours."""
    compute = COMPUTE[problem.acc_dtype.name]
    return (
        (
            compute in ("float32", "uint32")
            or problem.x_dtype == compute == "float64"
            or problem.x_dtype.kind == "c" == problem.out_dtype.kind
        )
        and max(*problem.stride, *problem.in_dilation) == 1
        and math.prod(out_size(problem)) >= 2**14
        and problem.in_size[-1] >= 128
    )


def _is_line(problem: Problem, machine: Machine) -> bool:
    """Whether the taps of a line share loads."""
    return _in_place(problem) and _has_line(problem, machine)


def _has_line(problem: Problem, machine: Machine) -> bool:
    """Whether all taps lie beside each other, in a dtype that is computed in."""
    *outer, last = problem.kernel
    lanes = _lanes(problem, machine)
    return (
        problem.x_dtype == problem.acc_dtype
        and problem.acc_dtype.kind != "c"
        and problem.acc_dtype.itemsize >= 4
        and math.prod(outer) == problem.group_in == problem.dilation[-1] == 1
        and (last > lanes or machine.lanes >= WIDE)
    )


def _is_swept(problem: Problem, machine: Machine) -> bool:
    """Whether rows are loaded once for all outputs that see them."""
    return (
        problem.rank > 1
        and _suits_registers(problem, machine)
        and problem.acc_dtype.name in ("float32", "float64")
        and problem.x_dtype == problem.out_dtype == problem.acc_dtype
        and max(*problem.stride, *problem.in_dilation) == 1
        and not (problem.activation or problem.scale or problem.residual)
        and math.prod(out_size(problem)) >= 2**12
        and problem.in_size[-1] >= 32
    )


def _suits_registers(problem: Problem, machine: Machine) -> bool:
    """Whether the rows of the kernel, and those of the data, are swept by so many registers."""
    *outer, rows, _ = problem.kernel
    if machine.lanes >= WIDE:
        return 2 <= rows <= ROWS
    in_plane = not outer or outer[-1] == 1
    is_long = out_size(problem)[-1] * problem.acc_dtype.itemsize >= SHORT_ROW
    return 2 <= rows <= FEW_ROWS and not (in_plane and is_long)
