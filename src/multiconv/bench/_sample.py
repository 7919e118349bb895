"""Random problems as people have them: what the planner is judged on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from multiconv._geometry import mode_padding, window
from multiconv._problem import BOUNDARIES, Problem, accumulator
from multiconv._typing import Array

Random = np.random.Generator

RANKS = {1: 0.4, 2: 0.4, 3: 0.2}
LARGEST_KERNEL, LARGEST_LAYER = {1: 1001, 2: 101, 3: 17}, 9
SAMPLES = (16, 4e6)
DTYPES = {"float32": 0.45, "float64": 0.3, "complex64": 0.06, "complex128": 0.05, "int32": 0.05,
          "int64": 0.03, "int16": 0.03, "uint8": 0.03}  # fmt: skip
KERNELS = {"random": 0.55, "product": 0.17, "box": 0.14, "gaps": 0.14}
MODES = {"same": 0.6, "full": 0.2, "valid": 0.2}
AS_LARGE_AS_THE_DATA = 0.1
"""Share of kernels that may be; others are at most half as long on a side."""
MOST_WORK = 4e10
"""Multiply-adds of the definition, so that no problem takes more than about a second."""


@dataclass(frozen=True)
class Draw:
    """A problem and the values of its kernel and data."""

    problem: Problem
    kind: str
    seed: int

    def arrays(self, x_shape: Sequence[int], w_shape: Sequence[int]) -> tuple[Array, Array]:
        """Data and kernel, the same at every call."""
        rng = np.random.default_rng(self.seed)
        p = self.problem
        return _values(rng, x_shape, p.x_dtype), _kernel(rng, self.kind, w_shape, p)


def draw(count: int, seed: int) -> Iterator[Draw]:
    """So many problems; the first ones are the same for any count."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        problem = _problem(rng)
        while _work(problem) > MOST_WORK:
            problem = _problem(rng)
        yield Draw(problem, _one_of(rng, KERNELS), seed * 1_000_003 + number)


def _problem(rng: Random) -> Problem:
    rank = _one_of(rng, RANKS)
    samples = _log_uniform(rng, *SAMPLES)
    dtype = np.dtype(_one_of(rng, DTYPES))
    groups, inputs, outputs = _channels(rng)
    batch = round(_log_uniform(rng, 1, 64)) if rng.random() < 0.2 else 1
    sides = _sides(rng, max(samples / (inputs * batch), 16), rank)
    largest = LARGEST_KERNEL[rank] if inputs == 1 else LARGEST_LAYER
    taps = round(_log_uniform(rng, 0.6, largest))
    room = 1 if rng.random() < AS_LARGE_AS_THE_DATA else 2
    kernel = tuple(min(max(taps, 1), max(n // room, 1)) for n in sides)
    dilation = int(rng.integers(2, 5)) if rng.random() < 0.1 else 1
    if any(window(k, dilation) > n for k, n in zip(kernel, sides, strict=True)):
        dilation = 1
    mode, stride = _one_of(rng, MODES), int(rng.integers(2, 4)) if rng.random() < 0.12 else 1
    boundary = "constant" if rng.random() < 0.6 else str(rng.choice(BOUNDARIES[1:]))
    return Problem(
        in_size=sides, kernel=kernel, batch=batch,
        groups=groups, in_channels=inputs, out_channels=outputs,
        stride=(stride,) * rank, dilation=(dilation,) * rank,
        padding=tuple(mode_padding(mode, window(k, dilation)) for k in kernel),
        boundary=(boundary,) * rank, flip=inputs == 1,
        x_dtype=dtype, w_dtype=dtype, acc_dtype=accumulator(dtype), out_dtype=dtype,
    )  # fmt: skip


def _channels(rng: Random) -> tuple[int, int, int]:
    """Groups, inputs and outputs: mostly one of each, else a layer, dense or depthwise."""
    chance = rng.random()
    if chance < 0.8:
        return 1, 1, 1
    inputs = max(round(_log_uniform(rng, 2, 96)), 2)
    if chance < 0.86:
        return inputs, inputs, inputs
    return 1, inputs, max(round(_log_uniform(rng, 2, 96)), 2)


def _sides(rng: Random, samples: float, rank: int) -> tuple[int, ...]:
    """Sizes of about so many samples, not too far from a cube."""
    shares = np.exp(rng.normal(0, 0.4, rank))
    shares *= (samples / math.prod(shares)) ** (1 / rank)
    return tuple(max(round(share), 2) for share in shares)


def _work(problem: Problem) -> float:
    outputs = problem.batch * problem.out_channels * math.prod(problem.in_size)
    return outputs * problem.group_in * float(math.prod(problem.kernel))


def _log_uniform(rng: Random, low: float, high: float) -> float:
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def _one_of(rng: Random, chances: dict[Any, float]) -> Any:
    names = list(chances)
    return names[rng.choice(len(names), p=list(chances.values()))]


def _values(rng: Random, shape: Sequence[int], dtype: np.dtype) -> Array:
    if dtype.kind in "iu":
        return rng.integers(0, 5, shape).astype(dtype)
    values: Array = rng.standard_normal(shape)
    return (values + 1j * values[..., ::-1] if dtype.kind == "c" else values).astype(dtype)


def _kernel(rng: Random, kind: str, shape: Sequence[int], problem: Problem) -> Array:
    """Taps of the kind, the same in all channels but for random ones."""
    size, dtype = problem.kernel, problem.w_dtype
    taps: Array
    if kind == "random":
        return _values(rng, shape, dtype)
    if kind == "box":
        taps = np.ones(size)
    elif kind == "product":
        taps = np.ones(())
        for n in size:
            taps = np.multiply.outer(taps, rng.integers(1, 6, n))
    else:
        taps = rng.integers(1, 6, size) * (rng.random(size) < 0.1)
    scale = 1 if dtype.kind in "iu" else max(float(taps.sum()), 1.0)
    return np.broadcast_to(taps / scale, shape).astype(dtype)
