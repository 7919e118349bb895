"""What the algorithms that run a native kernel share."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from multiconv import _core
from multiconv._geometry import LARGEST, out_size, outputs, reached, result_bytes, window
from multiconv._machine import Machine
from multiconv._problem import Problem
from multiconv._traits import KernelTraits
from multiconv._typing import Array
from multiconv.algorithms._base import Algorithm, Epilogue, Planning, Refusal

COMPUTE = {
    "float32": "float32", "float64": "float64", "complex64": "complex64",
    "complex128": "complex128", "int8": "uint32", "uint8": "uint32", "int16": "uint32",
    "uint16": "uint32", "int32": "uint32", "uint32": "uint32", "int64": "uint64",
    "uint64": "uint64",
}  # fmt: skip
"""Accumulator dtype: the type kernels compute in. Integers wrap, so unsigned ones serve all."""

Executable = _core.Executable
Run = _core.Run

Number = TypeVar("Number", float, Array)

LARGEST_RANK = 8
forced_target = ""
"""Instruction set of every kernel; where empty, the best. `multiconv.testing` sets it."""
CALL = 3.5e-6
"""Seconds that one native call takes beyond its work."""

ROUNDS_MORE = 4e-6
"""Seconds that a transform has to be quicker by: direct summation of small numbers is exact."""

HAND_OUT = 2.5e-6
"""Seconds that sharing out work takes beyond waking the threads."""


class Prepared(NamedTuple):
    """A packed kernel and the executable it was packed for."""

    executable: _core.Executable
    packed: _core.Packed


class NativeAlgorithm(Algorithm):
    """Runs the native kernel of its own name."""

    stored: frozenset[str] = frozenset()
    """Dtypes that it reads and writes beside those that it computes in."""

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Ranks, sizes and dtypes that the native core knows, then the kernel's own verdict."""
        refusal = _never_native(problem, self.stored)
        if refusal is not None:
            return refusal
        if max(problem.in_dilation) > 1 and not traits.finite:
            return Refusal("taps that are not finite would meet the zeros of input dilation")
        reason = self.executable(problem).refusal
        return Refusal(reason) if reason else None

    def prepare(
        self, problem: Problem, kernel: Array, traits: KernelTraits, planning: Planning
    ) -> Prepared:
        """Pack the kernel in the type that is computed in."""
        found = self.executable(problem)
        return Prepared(found, found.pack(self.native(problem, kernel)))

    def native(self, problem: Problem, kernel: Array) -> Array:
        """The kernel in the type that is computed in."""
        compute = _compute_dtype(problem.acc_dtype)
        if kernel.dtype != compute or _halved(kernel):
            kernel = kernel.astype(compute)
        return kernel

    def prepared_bytes(self, problem: Problem, traits: KernelTraits, planning: Planning) -> int:
        """Bytes of the packed kernel."""
        return self.executable(problem).packed_bytes

    def run(self, prepared: Prepared, x: Array, epilogue: Epilogue, out: Array) -> None:
        """Run the kernel, with the interpreter lock released."""
        bias, scale, residual = epilogue
        target = np.empty_like(out) if _halved(out) else out
        prepared.executable.run(
            prepared.packed, _whole(x), _computed(bias), _computed(scale),
            None if residual is None else _whole(residual), target,
        )  # fmt: skip
        if target is not out:
            out[...] = target

    def bound(
        self, prepared: Prepared, x: Array, epilogue: Epilogue, out: Array
    ) -> Callable[[], object]:
        """As `run`, with all that can be done before."""
        if x.dtype != out.dtype or x.dtype.name not in ("float32", "float64"):
            return super().bound(prepared, x, epilogue, out)
        return _core.Run(prepared.executable, prepared.packed, x, *epilogue, out)

    def executable(self, problem: Problem) -> _core.Executable:
        """The native kernel, for a problem."""
        return executable(self.name, problem, self.tile(problem), forced_target)

    def scratch(self, problem: Problem, machine: Machine) -> int:
        """Scratch bytes of one run with the default number of threads."""
        return self.executable(problem).scratch_bytes(machine.threads)

    def scratch_bytes(
        self, problem: Problem, traits: KernelTraits, planning: Planning, threads: int,
        prepared: Any = None,
    ) -> int:  # fmt: skip
        """What the kernel says."""
        return self.executable(problem).scratch_bytes(threads)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """Sizes of the blocks that are transformed; zeros where the kernel chooses."""
        return (0,) * problem.rank


@lru_cache(maxsize=4096)
def executable(
    name: str, problem: Problem, tile: tuple[int, ...], target: str = ""
) -> _core.Executable:
    """The native kernel of a name, for a problem; ``target`` forces an instruction set."""
    return _core.Executable(name, target, describe(problem, tile))


def converts_kernel(problem: Problem) -> bool:
    """Whether a kernel of the problem's dtype is not yet of the type that is computed in."""
    acc = problem.acc_dtype
    return problem.w_dtype != acc or _compute_dtype(acc).itemsize != acc.itemsize


def _halved(array: Array) -> bool:
    """Whether complex numbers lie at odd multiples of half their size, as fields of records may."""
    return array.dtype.kind == "c" and any(s % array.itemsize for s in array.strides)


def _whole(array: Array) -> Array:
    return array.copy() if _halved(array) else array


def _computed(values: Array | None) -> Array | None:
    """One value per channel, as kernels take them."""
    if values is None:
        return None
    return np.ascontiguousarray(values).astype(_compute_dtype(values.dtype), copy=False)


@lru_cache(maxsize=64)
def _compute_dtype(acc: np.dtype) -> np.dtype:
    return np.dtype(COMPUTE[acc.name])


def shared(seconds: float, machine: Machine, pieces: int = 2**30) -> float:
    """Time of work that one thread does in ``seconds``, cut into so many equal pieces."""
    return min(seconds, handed_out(seconds, machine, pieces))


def handed_out(seconds: Number, machine: Machine, pieces: Number | int) -> Number:
    """The same where threads share it, whether that is quicker or not; of many at once, too."""
    return seconds * (-(-pieces // machine.threads) / pieces) + machine.wake + HAND_OUT


def far_output(problem: Problem, machine: Machine) -> float:
    """Seconds that writing a result takes that caches do not hold."""
    size = result_bytes(problem)
    return size / machine.bandwidth1 / machine.threads if size > machine.cache else 0.0


STREAM = 1.6
"""Bytes that are read and written while a copy moves one: caches hold a part."""


def streamed(problem: Problem, machine: Machine) -> float:
    """Seconds that reading the data once and writing the result once take, whatever is computed."""
    moved = problem.batch * problem.in_channels * reached(problem) + outputs(problem)
    return moved * problem.acc_dtype.itemsize / (STREAM * machine.bandwidth)


def describe(problem: Problem, tile: tuple[int, ...]) -> dict[str, Any]:
    """The problem in the words of the native core."""
    integer = problem.acc_dtype.kind in "iu"
    return {
        "batch": problem.batch, "groups": problem.groups,
        "in_channels": problem.group_in, "out_channels": problem.group_out,
        "in_size": list(problem.in_size), "kernel": list(problem.kernel),
        "out_size": list(out_size(problem)), "stride": list(problem.stride),
        "dilation": list(problem.dilation), "in_dilation": list(problem.in_dilation),
        "pad_low": [low for low, _ in problem.padding], "boundary": list(problem.boundary),
        "cval_real": 0.0 if integer else float(np.real(problem.cval)),
        "cval_imag": 0.0 if integer else float(np.imag(problem.cval)),
        "cval_bits": int(np.real(problem.cval)) % 2**64 if integer else 0,
        "flip": problem.flip, "x_type": problem.x_dtype.name,
        "compute": COMPUTE[problem.acc_dtype.name], "out_type": problem.out_dtype.name,
        "activation": problem.activation or "", "slope": problem.slope,
        "has_bias": problem.bias, "has_scale": problem.scale, "has_residual": problem.residual,
        "tile": list(tile),
    }  # fmt: skip


def _never_native(problem: Problem, stored: frozenset[str]) -> Refusal | None:
    if problem.rank > LARGEST_RANK:
        return Refusal(f"native kernels take up to {LARGEST_RANK} spatial axes")
    for dtype in (problem.x_dtype, problem.acc_dtype, problem.out_dtype):
        if dtype.name not in COMPUTE and dtype.name not in stored:
            return Refusal(f"there is no native arithmetic for {dtype.name}")
    sizes = (problem.batch, problem.group_in, problem.group_out, *problem.in_size)
    if 0 in sizes or 0 in out_size(problem):
        return Refusal("an axis is empty")
    extent = 1
    for n, k, d in zip(out_size(problem), problem.kernel, problem.dilation, strict=True):
        extent *= min(n, 2**20) + window(k, d)
    return Refusal("its windows span too many samples") if extent > LARGEST // 64 else None
