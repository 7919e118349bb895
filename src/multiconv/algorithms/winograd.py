"""Minimal filtering: layers with small kernels."""

from __future__ import annotations

from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal
from multiconv.algorithms._native import NativeAlgorithm


class Winograd(NativeAlgorithm):
    """x."""

    name = "winograd"
    summary = "layers with many channels and small kernels, stride 1, by minimal filtering"

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """x."""
        return super().accepts(problem, traits)

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """x."""
        return Cost(1e9, self.scratch(problem, planning.machine), rounding(problem.acc_dtype))
