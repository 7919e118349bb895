"""The problem on the screen: its canonical string, what the form changes of it, its data."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiconv._geometry import mode_padding, out_size, outputs, window
from multiconv._planner import Step, planner
from multiconv._problem import PRECISIONS, Problem, accumulator, dtype_from_name
from multiconv._traits import UNKNOWN, KernelTraits, look
from multiconv._typing import Array
from multiconv.algorithms._base import Epilogue

KERNELS = ("random", "gaussian", "box")
"""What is known of the kernel's values; of random ones nothing."""

SEEN_TAPS = 2**15
"""Kernels of more taps are planned without a look at their values."""

MODES = ("valid", "same", "full")
MOST_WORDS = 400


@dataclass(frozen=True)
class Asked:
    """A problem, and what kind of kernel it is about."""

    problem: Problem
    kernel: str

    @classmethod
    def of(cls, values: dict[str, Any]) -> Asked:
        """The problem of the page, with what its form changes.

        Raises
        ------
        ValueError
            If the text is no problem, or a change makes none of it.
        """
        text, kernel = values.get("problem"), values.get("kernel", KERNELS[0])
        if not isinstance(text, str) or len(text) > MOST_WORDS:
            raise ValueError(f"problem: give its canonical string, up to {MOST_WORDS} characters")
        if kernel not in KERNELS:
            raise ValueError(
                f"kernel: {kernel!r} is not allowed, choose one of {', '.join(KERNELS)}"
            )
        problem = Problem.parse(text)
        for name, value in dict(values.get("change") or {}).items():
            if name not in _CHANGES:
                raise ValueError(f"change: {name!r} is no field of the form")
            problem = _CHANGES[name](problem, value)
        problem = Problem.parse(str(problem))  # the checks of a canonical string
        out_size(problem)
        return cls(problem, kernel)

    def step(self, method: str = "auto") -> Step:
        """The plan."""
        return planner.step(self.problem, self.traits(), method)

    def traits(self) -> KernelTraits:
        """What the planner learns from the kernel's values."""
        problem = self.problem
        taps = math.prod(problem.kernel) * problem.out_channels * problem.group_in
        if self.kernel == "random" or taps > SEEN_TAPS:
            return UNKNOWN
        fast = problem.precision == "fast"
        return look(self.taps().astype(problem.acc_dtype), problem.rank, fast=fast)

    def taps(self) -> Array:
        """A kernel of this kind, as ``(groups, out, in, *kernel)``."""
        p = self.problem
        shape = (p.groups, p.group_out, p.group_in, *p.kernel)
        if self.kernel == "random":
            return sample(np.random.default_rng(1), shape, p.w_dtype)
        taps: Array = np.ones(p.kernel)
        if self.kernel == "gaussian":
            for axis, n in enumerate(p.kernel):
                line = bell(n, whole=p.w_dtype.kind in "biu")
                taps = taps * line.reshape([-1 if a == axis else 1 for a in range(p.rank)])
        return np.broadcast_to(taps, shape).astype(p.w_dtype)

    def data(self) -> tuple[Array, Array, Epilogue]:
        """Input, kernel and epilogue to run it on, as algorithms take them."""
        p, rng = self.problem, np.random.default_rng(0)
        x = sample(rng, (p.batch, p.groups, p.group_in, *p.in_size), p.x_dtype)
        channels = (p.out_channels,)
        return x, self.taps(), Epilogue(
            sample(rng, channels, p.acc_dtype) if p.bias else None,
            sample(rng, channels, p.acc_dtype) if p.scale else None,
            sample(rng, out_shape(p), p.out_dtype) if p.residual else None,
        )  # fmt: skip

    def form(self) -> dict[str, Any]:
        """The problem as the form shows it."""
        p = self.problem
        dtypes = {p.x_dtype.name, p.w_dtype.name, p.out_dtype.name}
        return {
            "kind": "layer" if max(p.in_channels, p.out_channels) > 1
            else ("signal", "image", "volume")[min(p.rank, 3) - 1],
            "size": "x".join(map(str, p.in_size)), "taps": "x".join(map(str, p.kernel)),
            "batch": p.batch, "channels": p.in_channels, "filters": p.out_channels,
            "groups": p.groups, "stride": max(p.stride), "dilation": max(p.dilation),
            "mode": mode_of(p) or "other", "dtype": p.x_dtype.name if len(dtypes) == 1 else "mixed",
            "precision": p.precision, "out": list(out_size(p)), "outputs": outputs(p),
        }  # fmt: skip


def out_shape(problem: Problem) -> tuple[int, ...]:
    """The shape of an algorithm's result."""
    return (problem.batch, problem.groups, problem.group_out, *out_size(problem))


def sample(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Small whole numbers or normal ones, as the dtype has it."""
    if dtype.kind in "biu":
        return rng.integers(0, 2 if dtype.kind == "b" else 4, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def bell(n: int, whole: bool = False) -> Array:
    """``n`` samples of a Gaussian three deviations wide to either side."""
    at = np.arange(n) - (n - 1) / 2
    line: Array = np.exp(-0.5 * (at / max(n / 6, 0.5)) ** 2)
    return np.rint(4 * line) if whole else line / line.sum()


def mode_of(problem: Problem) -> str | None:
    """The word that gives this padding, if one does."""
    return next((m for m in MODES if padded(problem, m).padding == problem.padding), None)


def padded(problem: Problem, mode: str) -> Problem:
    """The problem with the padding of a mode."""
    if mode not in MODES:
        raise ValueError(f"mode: {mode!r} is not allowed, choose one of {', '.join(MODES)}")
    windows = map(window, problem.kernel, problem.dilation)
    return replace(problem, padding=tuple(mode_padding(mode, w) for w in windows))


def with_taps(problem: Problem, kernel: tuple[int, ...], **more: Any) -> Problem:
    """The problem with another kernel, padded in the same mode."""
    mode = mode_of(problem)
    changed = replace(problem, kernel=kernel, **more)
    return padded(changed, mode) if mode else changed


def _resized(problem: Problem, text: object) -> Problem:
    size = _sizes("size", text)
    if len(size) == problem.rank:
        return replace(problem, in_size=size)
    rank, mode = len(size), mode_of(problem) or "same"
    plain = replace(
        problem, in_size=size, kernel=problem.kernel[:1] * rank, stride=problem.stride[:1] * rank,
        dilation=problem.dilation[:1] * rank, in_dilation=(), padding=(), boundary=(),
    )  # fmt: skip
    return padded(plain, mode)


def _retapped(problem: Problem, text: object) -> Problem:
    taps = _sizes("taps", text)
    taps = taps * problem.rank if len(taps) == 1 else taps
    if len(taps) != problem.rank:
        raise ValueError(f"taps: {text!r} has {len(taps)} sizes, allowed are 1 or {problem.rank}")
    return with_taps(problem, taps)


def _dilated(problem: Problem, value: object) -> Problem:
    step = _count("dilation", value)
    return with_taps(problem, problem.kernel, dilation=(step,) * problem.rank)


def _typed(problem: Problem, name: object) -> Problem:
    dtype = dtype_from_name(str(name))
    return replace(
        problem, x_dtype=dtype, w_dtype=dtype, out_dtype=dtype, acc_dtype=accumulator(dtype)
    )  # fmt: skip


def _precise(problem: Problem, word: object) -> Problem:
    if word not in PRECISIONS:
        raise ValueError(f"precision: {word!r} is not allowed, choose {', '.join(PRECISIONS)}")
    return replace(problem, precision=word)  # type: ignore[arg-type]


def _sizes(name: str, text: object) -> tuple[int, ...]:
    found = re.fullmatch(r"\s*\d{1,9}(\s*[x\u00d7,]\s*\d{1,9}){0,4}\s*", str(text))
    sizes = tuple(int(n) for n in re.findall(r"\d+", str(text)))
    if not found or not all(sizes):
        raise ValueError(f"{name}: {text!r} is not allowed, give sizes such as 512x512")
    return sizes


def _count(name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= 10**6:
        raise ValueError(f"{name}: {value!r} is not allowed, give a whole number from 1")
    return value


def _counted(name: str, field: str) -> Callable[[Problem, Any], Problem]:
    def counted(problem: Problem, value: Any) -> Problem:
        change: dict[str, Any] = {field: _count(name, value)}
        return replace(problem, **change)

    return counted


_CHANGES: dict[str, Callable[[Problem, Any], Problem]] = {
    "size": _resized, "taps": _retapped, "dilation": _dilated, "dtype": _typed,
    "precision": _precise, "mode": lambda problem, word: padded(problem, str(word)),
    "stride": lambda p, value: replace(p, stride=(_count("stride", value),) * p.rank),
    "batch": _counted("batch", "batch"), "groups": _counted("groups", "groups"),
    "channels": _counted("channels", "in_channels"),
    "filters": _counted("filters", "out_channels"),
}  # fmt: skip
