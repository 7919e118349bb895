"""The definition, written down with NumPy: slow, obviously right, the oracle of the tests."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from multiconv._activations import activate
from multiconv._geometry import HOLE, OUTSIDE, index_table, out_size, outputs
from multiconv._problem import Problem, rounding
from multiconv._rounding import narrowed
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Cost, Epilogue, Planning


@dataclass(frozen=True)
class _Prepared:
    problem: Problem
    kernel: Array


class Reference(Algorithm):
    """Sum over taps of shifted, weighted copies of the input."""

    name = "reference"
    summary = "everything, in NumPy, tap by tap; slow and obviously right"

    def accepts(self, problem: Problem, traits: KernelTraits) -> None:
        return None

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        results = outputs(problem)
        taps = math.prod(problem.kernel)
        spans = [
            (o - 1) * s + (k - 1) * d + 1 if o else 0
            for o, s, k, d in zip(out_size(problem), problem.stride, problem.kernel,
                                  problem.dilation, strict=True)
        ]  # fmt: skip
        read = problem.batch * problem.in_channels * math.prod(spans)
        work = taps * max(results * problem.group_in, 1) + 4 * read + 8 * sum(spans)
        scratch = (3 * read + 2 * results) * problem.acc_dtype.itemsize + 32 * sum(spans)
        eps = rounding(problem.acc_dtype)
        error = (taps * max(problem.group_in, 1) + 1) * eps
        return Cost(20e-6 + taps * 8e-6 + 2e-9 * work, scratch, error)

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> _Prepared:
        if problem.flip:
            kernel = np.flip(kernel, tuple(range(3, kernel.ndim)))
        kernel = np.array(kernel, dtype=problem.acc_dtype)
        kernel.flags.writeable = False
        return _Prepared(problem, kernel)

    @np.errstate(over="ignore", invalid="ignore")
    def run(self, prepared: _Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        problem, kernel = prepared.problem, prepared.kernel
        source, holes = extend(problem, x)
        total = np.zeros(out.shape, dtype=problem.acc_dtype)
        for tap in itertools.product(*map(range, problem.kernel)):
            window = (
                slice(k * d, k * d + (o - 1) * s + 1 if o else 0, s)
                for k, d, o, s in zip(tap, problem.dilation, out_size(problem), problem.stride,
                                      strict=True)
            )  # fmt: skip
            reached: tuple[Any, ...] = (..., *window)
            at: tuple[Any, ...] = (..., *tap)
            products = np.einsum("ngc...,goc->ngo...", source[reached], kernel[at])
            if holes.any():
                products[..., holes[reached]] = 0
            total += products
        per_channel = (problem.groups, -1, *(1,) * problem.rank)
        if epilogue.scale is not None:
            total *= epilogue.scale.reshape(per_channel)
        if epilogue.bias is not None:
            total += epilogue.bias.reshape(per_channel)
        if epilogue.residual is not None:
            total += epilogue.residual.astype(problem.acc_dtype)
        total = activate(problem.activation, total, problem.slope)
        out[...] = total != 0 if out.dtype == np.bool_ else narrowed(total, out.dtype)


def extend(problem: Problem, x: Array) -> tuple[Array, Array]:
    """What the windows reach: dilated, cropped, continued by the boundary modes; and the holes.

    Holes are the zeros of input dilation: they belong to no window, whatever the taps.
    """
    outside = np.zeros((), dtype=bool)
    hole = np.zeros((), dtype=bool)
    for axis in range(problem.rank):
        table = index_table(problem, axis)
        x = np.take(x, np.maximum(table, 0), axis=3 + axis) if x.shape[3 + axis] else np.zeros(
            (*x.shape[: 3 + axis], table.size, *x.shape[4 + axis :]), dtype=x.dtype
        )  # fmt: skip
        shape = (table.size,) + (1,) * (problem.rank - 1 - axis)
        outside = outside | (table == OUTSIDE).reshape(shape)
        hole = hole | (table == HOLE).reshape(shape)
    x = x.astype(problem.acc_dtype)  # not sooner: they may reach little of it
    hole = np.broadcast_to(hole & ~outside, x.shape[3:])
    x = np.where(hole, np.zeros((), dtype=x.dtype), x)
    return np.where(outside, np.asarray(problem.cval).astype(x.dtype), x), hole
