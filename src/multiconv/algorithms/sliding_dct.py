"""Sliding cosine sums: smooth kernels of any size at the same cost, nearly exact."""

from __future__ import annotations

from multiconv._cosines import COUNTS, ERROR, LEAST_TAPS
from multiconv._geometry import outputs
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms import _native
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import CALL, NativeAlgorithm, Prepared, far_output, shared


class SlidingDct(NativeAlgorithm):
    """A symmetric kernel as the sum of its lowest cosines, each summed by a recurrence.

    Six cosines make up a Gaussian, whatever its width. Lines that the recurrence would spoil (NaN,
    infinity, a huge range) are summed directly. After Sugimoto & Kamata, "Efficient constant-time
    Gaussian filtering with sliding DCT/DST-5 and dual-domain error minimization", ITE Trans. MTA
    (2015), and Getreuer, "A Survey of Gaussian Convolution Algorithms", IPOL (2013).
    """

    name = "sliding_dct"
    summary = (
        "precision='fast': smooth symmetric kernels along one axis at a cost free of their size"
    )
    value_sensitive = True

    EFFICIENCY = 0.5
    """Share of the peak rate of double-precision operations."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Long smooth kernels along one axis, where speed is asked for."""
        if problem.precision != "fast":
            return Refusal("its error is for precision='fast'")
        if problem.acc_dtype.kind != "f":
            return Refusal("it computes in real floats")
        if max(problem.kernel) < LEAST_TAPS:
            return Refusal("the kernel is short")
        if not traits.cosines:
            return Refusal("the kernel is not known to be a sum of few cosines")
        return super().accepts(problem, traits)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """The most cosines there may be; `prepare` takes the number that the kernel needs."""
        return (COUNTS[-1],) * problem.rank

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """A few operations per cosine and output, and the way through memory."""
        machine = planning.machine
        starts = max(problem.kernel) / max(max(problem.in_size), 1)
        operations = (5 + 4 * min(starts, 1)) * traits.cosines + 12
        traffic = 3 * problem.acc_dtype.itemsize / machine.bandwidth1
        each = operations / (machine.flops64 * self.EFFICIENCY) + traffic
        work = shared(each * outputs(problem), machine) + far_output(problem, machine)
        error = ERROR + 4 * rounding(problem.acc_dtype)
        return Cost(CALL + work, self.scratch(problem, machine), error)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> Prepared:
        """Transform the kernel."""
        tile = (traits.cosines,) * problem.rank
        found = _native.executable(self.name, problem, tile, _native.forced_target)
        return Prepared(found, found.pack(kernel.astype(problem.acc_dtype, copy=False)))
