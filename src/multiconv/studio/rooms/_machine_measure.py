"""Algorithms run on the problem of the page: how long they take, and how far off they are."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiconv._geometry import inputs, outputs
from multiconv._machine import memory_limit
from multiconv._planner import Row, planner
from multiconv._problem import Problem
from multiconv._threads import get_num_threads
from multiconv._traits import UNKNOWN
from multiconv._typing import Array
from multiconv._units import size
from multiconv.algorithms._base import Epilogue
from multiconv.studio._room import Cancelled

from ._machine_problem import Asked, out_shape

DEAR = 1.0
"""Seconds of one run above which an algorithm is not measured."""

TRUTH_DEAR = 4.0
"""Seconds above which the error is not measured."""

ROUNDS, ENOUGH = 7, 0.2
"""The best of so many runs counts, or of fewer once so many seconds have passed."""

WIDER = {"float16": "float64", "bfloat16": "float64", "float32": "float64",
         "float64": "longdouble", "complex64": "complex128",
         "complex128": "clongdouble"}  # fmt: skip


def measuring_seconds(asked: Asked) -> float:
    """What `measured` will take.

    Raises
    ------
    ValueError
        If data and results would fill the memory.
    """
    p = asked.problem
    needed = 40 * (inputs(p) + outputs(p))  # with the definition in wider numbers
    if needed > memory_limit() // 2:
        raise ValueError(
            f"problem: measuring takes {size(needed)}, {size(memory_limit() // 2)} are allowed"
        )
    times = [row.seconds or 0.0 for row in _worth(asked)]
    return 3 * sum(times) + ENOUGH * len(times) + _truth_seconds(p)


def measured(asked: Asked, cancelled: Cancelled) -> Iterator[dict[str, Any]]:
    """Each accepted algorithm's seconds, scratch bytes and error; or that it is too dear."""
    x, w, epilogue = asked.data()
    truth = Truth.of(asked, x, w, epilogue)
    worth = {row.algorithm for row in _worth(asked)}
    for row in asked.step().rows:
        if cancelled():
            return
        if row.accepted and row.algorithm in worth:
            yield {"algorithm": row.algorithm, **_one(asked, row, x, w, epilogue, truth)}
        elif row.accepted:
            yield {"algorithm": row.algorithm, "dear": DEAR}


def _worth(asked: Asked) -> list[Row]:
    return [r for r in asked.step().rows if r.accepted and (r.seconds or 0.0) <= DEAR]


def _one(
    asked: Asked, row: Row, x: Array, w: Array, epilogue: Epilogue, truth: Truth | None
) -> dict[str, Any]:
    step = asked.step(row.algorithm)
    prepared = step.prepare(w)
    out = np.empty(out_shape(asked.problem), asked.problem.out_dtype)
    best, begin = math.inf, time.perf_counter()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        step.run(prepared, x, epilogue, out)
        end = time.perf_counter()
        best = min(best, end - start)
        if end - begin > ENOUGH:
            break
    return {
        "seconds": best, "scratch": step.scratch_bytes(get_num_threads(), prepared),
        "error": None if truth is None else truth.error(out),
    }  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """The result in wider numbers, and what errors are relative to."""

    result: Array
    largest: float

    @classmethod
    def of(cls, asked: Asked, x: Array, w: Array, epilogue: Epilogue) -> Truth | None:
        """By direct summation; None where that would take too long."""
        if _truth_seconds(asked.problem) > TRUTH_DEAR:
            return None
        wide = _wide(asked.problem)
        result = _run(wide, x, w, epilogue)
        if asked.problem.out_dtype.kind in "biu":
            return cls(result.astype(asked.problem.out_dtype), 1.0)
        bare = replace(wide, activation=None)
        sizes = Epilogue(*(None if a is None else np.abs(a) for a in epilogue))
        return cls(result, float(_run(bare, np.abs(x), np.abs(w), sizes).real.max(initial=0.0)))

    def error(self, out: Array) -> float:
        """The largest error, relative to the largest ``sum |x||w|``."""
        if self.result.dtype.kind in "biu":
            return float(np.any(out != self.result))
        off = np.abs(out.astype(self.result.dtype) - self.result).max(initial=0.0)
        return float(off / self.largest) if self.largest else 0.0


def _wide(problem: Problem) -> Problem:
    dtype = np.dtype(WIDER.get(problem.acc_dtype.name, "int64"))
    if problem.out_dtype.name in ("float16", "bfloat16"):
        dtype = np.dtype("float64")
    return replace(
        problem, x_dtype=dtype, w_dtype=dtype, acc_dtype=dtype, out_dtype=dtype,
        precision="highest", low_memory=False,
    )  # fmt: skip


def _truth_seconds(problem: Problem) -> float:
    return 2 * planner.step(_wide(problem), UNKNOWN).cost.seconds


def _run(problem: Problem, x: Array, w: Array, epilogue: Epilogue) -> Array:
    step = planner.step(problem, UNKNOWN)
    dtype = problem.x_dtype
    wide = Epilogue(*(None if a is None else a.astype(dtype) for a in epilogue))
    out = np.empty(out_shape(problem), dtype)
    step.run(step.prepare(w.astype(dtype)), x.astype(dtype), wide, out)
    return out
