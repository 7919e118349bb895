"""What algorithms share whose loads of the input serve several output channels."""

from __future__ import annotations

import numpy as np

from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Refusal
from multiconv.algorithms._native import NativeAlgorithm


class SharedLoads(NativeAlgorithm):
    """Takes what its kernel takes, if there are outputs to share each load."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Several output channels a group, and what the kernel says of the rest."""
        if problem.group_out < 2:
            return Refusal("one output channel a group leaves nothing to share between products")
        return super().accepts(problem, traits)


class ChannelsInWords(SharedLoads):
    """Numbers are words that hold the samples of several channels."""

    WEIGHTS: tuple[str, ...] = ()

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Weights that fit, several output channels, and what the kernel says of the rest."""
        weights = self.weights(problem)
        if problem.w_dtype.name not in weights:
            return Refusal(f"weights have to be {' or '.join(weights)}")
        if not _holds(problem.x_dtype, problem.cval):
            return Refusal("the constant outside the input is no number of its dtype")
        return super().accepts(problem, traits)

    def weights(self, problem: Problem) -> tuple[str, ...]:
        """Dtypes of weights that go with the samples."""
        return self.WEIGHTS


def _holds(dtype: np.dtype, value: complex) -> bool:
    if dtype.kind not in "iu":
        return bool(dtype.type(value.real) == value.real)
    bounds = np.iinfo(dtype)
    return bool(bounds.min <= value.real <= bounds.max)
