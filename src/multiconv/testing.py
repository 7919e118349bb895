"""The conformance suite: proves an algorithm, the package's own or anybody's, against `reference`.

An author of an algorithm runs `check` over problems of their choice, or over those that `problems`
draws with hypothesis.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from multiconv import _core
from multiconv._errors import MissingExtraError
from multiconv._geometry import out_size, window
from multiconv._planner import direct_error, output_rounding, planner
from multiconv._problem import Problem
from multiconv._registry import registered
from multiconv._traits import UNKNOWN, look
from multiconv._typing import Array
from multiconv.algorithms import _native
from multiconv.algorithms._base import NO_EPILOGUE, Algorithm, Epilogue
from multiconv.algorithms.reference import Reference

__all__ = ["ConformanceError", "Report", "Trial", "check", "forced_target", "problems", "targets"]

STEEPEST = 1.5
"""Largest slope of an activation: what it may make of an error."""
SUBNORMAL = {"float16": 2.0**-25}
"""Rounding of the smallest numbers, where sums can be as small."""


class ConformanceError(AssertionError):
    """An algorithm's result is not what the definition says."""


@dataclass(frozen=True)
class Report:
    """What one check found.

    Attributes
    ----------
    algorithm, problem, target : str
        What was run.
    refusal : str or None
        Why the algorithm would not run the problem, whatever the kernel.
    error : float
        Largest error seen, relative to the largest ``|scale| sum |x||w| + |bias| + |residual|``.
    bound : float
        What the algorithm states for it.
    """

    algorithm: str
    problem: str
    target: str
    refusal: str | None
    error: float = 0.0
    bound: float = 0.0


def check(
    algorithm: str | Algorithm,
    problem: str | Problem,
    rng: np.random.Generator | None = None,
    target: str = "",
) -> Report:
    """Run one algorithm on one problem, over several kinds of data, and compare with `reference`.

    The definition is computed in a wider dtype. Integers and integer-valued floats must agree
    exactly, other floats within the stated bound, NaN and infinities in the same places. The same
    bits must come out wherever the arrays lie, any strides must be taken, and nothing but the
    output be written.

    Parameters
    ----------
    algorithm : str or Algorithm
        A registered name, or an instance.
    problem : str or Problem
        The problem, or its canonical string.
    rng : numpy.random.Generator, optional
        Where the data come from.
    target : str, optional
        One of `targets`, to force an instruction set.

    Returns
    -------
    Report
        With a ``refusal`` where there was nothing to run.

    Raises
    ------
    ConformanceError
        If the result is not the problem's; the message holds the canonical string.

    Examples
    --------
    >>> from multiconv import testing
    >>> report = testing.check("reference", "mb2 ic4 oc6 g2 in9x7 k2x3 p1:0 float32")
    >>> report.error <= report.bound
    True
    """
    if isinstance(problem, str):
        problem = Problem.parse(problem)
    return Trial(problem, rng).check(algorithm, target)


def targets() -> list[str]:
    """Instruction sets that this machine can be forced to, best last.

    Examples
    --------
    >>> from multiconv import testing
    >>> "scalar" in testing.targets()
    True
    """
    return _core.targets()


@contextlib.contextmanager
def forced_target(name: str) -> Iterator[None]:
    """Run all native kernels that are prepared inside a ``with`` block on one instruction set.

    Plans that were prepared before keep theirs. An empty name forces nothing.

    Examples
    --------
    >>> from multiconv import testing
    >>> with testing.forced_target("scalar"):
    ...     testing.check("direct", "in9 k3 float32").target
    'scalar'
    """
    if name and name not in targets():
        words = ", ".join(repr(t) for t in targets())
        raise ValueError(f"target: {name!r} does not run here, choose one of {words}")
    before = _native.forced_target
    _native.forced_target = name
    _core.forget_calls()
    try:
        yield
    finally:
        _native.forced_target = before
        _core.forget_calls()


def problems(**limits: Any) -> Any:
    """A hypothesis strategy that draws Problems; see ``multiconv._strategies.problems``.

    Examples
    --------
    >>> from multiconv import testing
    >>> testing.problems(max_rank=2).validate()
    """
    try:
        from multiconv import _strategies
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "drawing problems needs hypothesis: pip install hypothesis"
        ) from error
    return _strategies.problems(**limits)


@dataclass(frozen=True)
class _Case:
    """Data for a problem, and what must come out."""

    name: str
    problem: Problem
    x: Array
    w: Array
    epilogue: Epilogue
    expected: Array
    scale: Array
    """What errors are relative to: ``|scale| sum |x||w| + |bias| + |residual|`` of each output for
    direct summation, else the largest such sum, over all places the kernel can be put, skipped
    ones included."""


class Trial:
    """A problem with data and expected results, for any number of algorithms.

    Examples
    --------
    >>> from multiconv import testing
    >>> import multiconv as mc
    >>> trial = testing.Trial(mc.Problem.parse("in40 k5 float32"))
    >>> [trial.check(name).refusal is None for name in ("reference", "direct", "cast")]
    [True, True, False]
    """

    def __init__(self, problem: Problem, rng: np.random.Generator | None = None) -> None:
        self.problem = problem
        self._rng = np.random.default_rng(0) if rng is None else rng
        self._cases = list(self._draw())

    def check(self, algorithm: str | Algorithm, target: str = "") -> Report:
        """As `check`."""
        if isinstance(algorithm, str):
            algorithm = registered()[algorithm]
        target = target or _native.forced_target
        with forced_target(target):
            reports = [self._check_case(algorithm, case, target) for case in self._cases]
        ran = [r for r in reports if r.refusal is None]
        return max(ran, key=lambda r: r.error) if ran else reports[-1]

    def _check_case(self, algorithm: Algorithm, case: _Case, target: str) -> Report:
        problem = case.problem
        traits = look(case.w.astype(problem.acc_dtype), problem.rank,
                      fast=problem.precision == "fast")  # fmt: skip
        where = f"{algorithm.name}{target and ' on '}{target}, {case.name}"
        refusal = algorithm.accepts(problem, traits)
        if refusal is not None:
            return Report(algorithm.name, str(problem), target, refusal.reason)
        cost = algorithm.cost(problem, traits, planner)
        with _blamed(where, problem):
            sane = cost.seconds > 0 and cost.bytes >= 0 and 0 <= cost.error < 1
            _demand(sane, f"its prediction makes no sense: {cost}")
            prepared = algorithm.prepare(problem, case.w, traits, planner)
            places = (_contiguous, _displaced, _scattered)
            outs = [self._run(algorithm, prepared, case, place) for place in places]
            _demand(outs[0].tobytes() == outs[1].tobytes(),
                    "other bits come out where the arrays lie elsewhere")  # fmt: skip
            bound = cost.error + output_rounding(problem)
            error = max(_compare(out, case, bound) for out in outs)
        return Report(algorithm.name, str(problem), target, None, error, bound)

    def _run(self, algorithm: Algorithm, prepared: Any, case: _Case, place: _Place) -> Array:
        dtype = case.problem.out_dtype
        x, _ = place(case.x, self._rng)
        blank = np.full(case.expected.shape, _poison(dtype), dtype)
        out, memory = place(blank, self._rng)
        bias, scale, residual = case.epilogue
        epilogue = Epilogue(
            None if bias is None else bias.copy(),
            None if scale is None else scale.copy(),
            None if residual is None else place(residual, self._rng)[0],
        )
        algorithm.run(prepared, x, epilogue, out)
        result = out.copy()
        out[...] = blank
        untouched = np.full(memory.shape, _poison(dtype), dtype)
        _demand(memory.tobytes() == untouched.tobytes(), "it wrote outside the output")
        _demand(x.tobytes() == case.x.tobytes(), "it wrote to the input")
        for name, given, kept in zip(Epilogue._fields, epilogue, case.epilogue, strict=True):
            same = given is None or kept is None or given.tobytes() == kept.tobytes()
            _demand(same, f"it wrote to the {name}")
        return result

    def _draw(self) -> Iterator[_Case]:
        problem = self.problem
        if problem.acc_dtype.kind in "iu":
            yield self._case("integers", problem, _any_kernel, _integers)
            yield self._case("integers", problem, _outer_product, _integers)
            yield self._case("integers", problem, _box, _integers)
            yield self._case("integers", problem, _stairs, _integers)
            return
        keep = problem.activation in (None, "relu")
        exact = replace(problem, precision="highest", cval=_whole(problem.cval),
                        activation=problem.activation if keep else None)  # fmt: skip
        highest = replace(problem, precision="highest")
        for kernel in (_any_kernel, _box):
            yield self._case("exact sums", exact, kernel, _small_integers)
            yield self._case("numbers", highest, kernel, _numbers)
        bells = [_bells] if problem.precision == "fast" else []
        for kernel in (_any_kernel, _outer_product, _sum_with_gaps, _box, _stairs, *bells):
            yield self._case("numbers", problem, kernel, _numbers)
            yield self._case("NaN and infinities", problem, kernel, _not_all_finite)

    def _case(self, name: str, problem: Problem, make_kernel: _Kernel, draw: _Values) -> _Case:
        rng, p = self._rng, problem
        x = draw((p.batch, p.groups, p.group_in, *p.in_size), p.x_dtype, rng)
        values = _numbers if draw is _not_all_finite else draw
        shape = (p.groups, p.group_out, p.group_in, *p.kernel)
        w = make_kernel(shape, p.rank, p.w_dtype, values, rng)
        epilogue = Epilogue(
            values((p.out_channels,), p.acc_dtype, rng) if p.bias else None,
            values((p.out_channels,), p.acc_dtype, rng) if p.scale else None,
            values(_out_shape(p), p.out_dtype, rng) if p.residual else None,
        )
        expected = _define(p, _wider(p.acc_dtype), x, w, epilogue)
        if p.acc_dtype.kind in "iu":
            sums = expected.astype(p.acc_dtype)
            stored = sums != 0 if p.out_dtype.kind == "b" else sums.astype(p.out_dtype)
            return _Case(name, p, x, w, epilogue, stored, np.zeros(()))
        return _Case(name, p, x, w, epilogue, expected, _scale(p, x, w, epilogue))


def _scale(problem: Problem, x: Array, w: Array, epilogue: Epilogue) -> Array:
    """As `_Case.scale`."""
    cval = abs(problem.cval) if np.isfinite(problem.cval) else 0
    positive = replace(problem, activation=None, cval=cval)
    wide = np.dtype(np.longdouble)
    bias, scale, residual = (None if a is None else _sizes(a) for a in epilogue)
    if problem.precision == "highest":
        return _define(positive, wide, _sizes(x), _sizes(w), Epilogue(bias, scale, residual))
    positive = _everywhere(replace(positive, bias=False, scale=False, residual=False))
    most = _define(positive, wide, _sizes(x), _sizes(w), NO_EPILOGUE).max(initial=0.0)
    if scale is not None:
        most = most * scale.max(initial=0.0)
    for more in (bias, residual):
        most = most + (0.0 if more is None else more.max(initial=0.0))
    return np.asarray(most)


def _out_shape(problem: Problem) -> tuple[int, ...]:
    return (problem.batch, problem.groups, problem.group_out, *out_size(problem))


def _define(problem: Problem, wide: np.dtype, x: Array, w: Array, epilogue: Epilogue) -> Array:
    """What the definition gives when sums are kept in a wider dtype."""
    problem = replace(problem, acc_dtype=wide, out_dtype=wide)
    out = np.empty(_out_shape(problem), wide)
    oracle = Reference()
    with np.errstate(all="ignore"):
        oracle.run(oracle.prepare(problem, w, UNKNOWN, planner), x, epilogue, out)
    return out


def _everywhere(problem: Problem) -> Problem:
    """The problem with every output there is: nothing skipped, nothing cropped."""
    wins = [window(k, d) - 1 for k, d in zip(problem.kernel, problem.dilation, strict=True)]
    padding = tuple((max(lo, w), max(hi, w))
                    for (lo, hi), w in zip(problem.padding, wins, strict=True))  # fmt: skip
    return replace(problem, stride=(1,) * problem.rank, padding=padding)


def _wider(dtype: np.dtype) -> np.dtype:
    if dtype.kind in "iu":
        return dtype if dtype.itemsize == 8 else np.dtype(np.int64)
    if dtype.kind == "c":
        return np.dtype(np.complex128 if dtype.itemsize == 8 else np.clongdouble)
    return np.dtype(np.longdouble if dtype.itemsize >= 8 else np.float64)


def _compare(out: Array, case: _Case, bound: float) -> float:
    """The largest error relative to the case's scale; raises where it is more than allowed."""
    expected, problem = case.expected, case.problem
    if problem.acc_dtype.kind in "iu":
        _demand_none(out != expected, "integers differ")
        return 0.0
    with np.errstate(all="ignore"):
        if case.name == "exact sums":
            _demand_none(out != expected.astype(problem.out_dtype), "exact sums differ")
        found = out.astype(expected.dtype)
        kinds = (np.isfinite,) if found.dtype.kind == "c" else (np.isnan, np.isposinf, np.isneginf)
        for kind in kinds:
            _demand_none(kind(found) != kind(expected), f"differ in {kind.__name__}")
        errors = np.where(np.isfinite(expected), np.abs(found - expected), 0)
    oracle = direct_error(replace(problem, acc_dtype=expected.dtype))
    allowed = (bound + oracle) * case.scale + SUBNORMAL.get(problem.out_dtype.name, 0.0)
    if problem.activation:
        rounding = 16 * float(np.finfo(problem.acc_dtype).eps) + output_rounding(problem)
        allowed = STEEPEST * allowed + rounding * np.maximum(case.scale, 1.0)
    worst = float((errors / np.maximum(allowed, 1e-300)).max(initial=0.0))
    _demand(worst <= 1, f"an error is {worst:.3g} times what the bound {bound:.3g} allows")
    return float((errors / np.maximum(case.scale, 1e-300)).max(initial=0.0))


@contextlib.contextmanager
def _blamed(where: str, problem: Problem) -> Iterator[None]:
    try:
        yield
    except _Complaint as complaint:
        raise ConformanceError(f"{where}: {complaint}: {problem}") from None


class _Complaint(Exception):  # noqa: N818
    """Something is wrong; who and where are added by `_blamed`."""


def _demand(condition: bool, complaint: str) -> None:
    if not condition:
        raise _Complaint(complaint)


def _demand_none(wrong: Array, complaint: str) -> None:
    count = int(np.count_nonzero(wrong))
    _demand(count == 0, f"{count} of {wrong.size} {complaint}")


def _integers(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> Array:
    """Any bits there are, the least number more often."""
    if dtype.kind == "b":
        return rng.random(shape) < 0.3
    values = np.frombuffer(rng.bytes(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)
    return np.where(rng.random(shape) < 0.1, np.iinfo(dtype).min, values)


def _small_integers(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> Array:
    least = 0 if dtype.kind in "bu" else -3
    values = rng.integers(least, 4, shape)
    if dtype.kind == "c":
        return (values + 1j * rng.integers(-3, 4, shape)).astype(dtype)
    return values.astype(dtype)


def _numbers(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> Array:
    if dtype.kind in "biu":
        return _small_integers(shape, dtype, rng)
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        return (values + 1j * rng.standard_normal(shape)).astype(dtype)
    return values.astype(dtype)


def _not_all_finite(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> Array:
    values = _numbers(shape, dtype, rng)
    if dtype.kind not in "biu" and values.size:
        for strange in (np.nan, np.inf, -np.inf):
            values.reshape(-1)[rng.integers(values.size)] = strange
    return values


def _any_kernel(
    shape: tuple[int, ...], rank: int, dtype: np.dtype, draw: _Values, rng: np.random.Generator
) -> Array:
    return draw(shape, dtype, rng)


def _outer_product(
    shape: tuple[int, ...], rank: int, dtype: np.dtype, draw: _Values, rng: np.random.Generator
) -> Array:
    lead = shape[: len(shape) - rank]
    kernel = np.ones(shape, dtype)
    for axis in range(len(lead), len(shape)):
        ones = (1,) * (axis - len(lead)), (1,) * (len(shape) - axis - 1)
        kernel = kernel * draw((*lead, *ones[0], shape[axis], *ones[1]), dtype, rng)
    return kernel


def _sum_with_gaps(
    shape: tuple[int, ...], rank: int, dtype: np.dtype, draw: _Values, rng: np.random.Generator
) -> Array:
    """Two outer products with zeros in the same rows and columns."""
    terms = [_outer_product(shape, rank, dtype, draw, rng) for _ in range(2)]
    kernel = terms[0] + terms[1]
    for axis in range(len(shape) - rank, len(shape)):
        kernel[(slice(None),) * axis + (rng.random(shape[axis]) < 0.4,)] = 0
    return kernel


def _box(
    shape: tuple[int, ...], rank: int, dtype: np.dtype, draw: _Values, rng: np.random.Generator
) -> Array:
    return np.full(shape, draw((1,), dtype, rng)[0])


def _stairs(
    shape: tuple[int, ...], rank: int, dtype: np.dtype, draw: _Values, rng: np.random.Generator
) -> Array:
    """Outer products of lines of two or three values, zero perhaps among them."""
    kernel = _outer_product((*shape[: len(shape) - rank], *(3,) * rank), rank, dtype, draw, rng)
    for axis in range(len(shape) - rank, len(shape)):
        steps = np.sort(rng.integers(0, 3, shape[axis]))
        kernel = np.take(kernel, steps, axis)
    return kernel


def _bells(
    shape: tuple[int, ...], rank: int, dtype: np.dtype, draw: _Values, rng: np.random.Generator
) -> Array:
    """The smooth kernels that fast algorithms are for: bells that end at zero, of any height."""
    lead = shape[: len(shape) - rank]
    heights = draw((*lead, *(1,) * rank), dtype, rng)
    bell = np.ones(shape[len(lead) :])
    for axis, size in enumerate(bell.shape):
        line = np.hanning(size + 2)[1:-1]
        bell *= line.reshape(-1, *(1,) * (rank - axis - 1))
    return (heights * bell).astype(dtype)


def _sizes(values: Array) -> Array:
    """Absolute values, 0 where not finite."""
    if values.dtype.kind not in "biufc":
        values = values.astype(np.float64)
    return np.abs(np.where(np.isfinite(values), values, 0)).astype(np.longdouble)


def _whole(cval: complex) -> complex:
    """A boundary value that keeps sums of small integers exact."""
    return cval if cval in (0, 1, 2, 3) else 3


def _poison(dtype: np.dtype) -> Any:
    """What memory holds that must be neither read nor written."""
    return 77 if dtype.kind in "biu" else np.nan


def _contiguous(values: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    memory = values.copy()
    return memory, memory


def _displaced(values: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    memory = np.full(values.size + 32, _poison(values.dtype), values.dtype)
    start = int(rng.integers(1, 32))
    view = memory[start : start + values.size].reshape(values.shape)
    view[...] = values
    return view, memory


def _scattered(values: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Axes in another order, some backwards, some with gaps."""
    order = rng.permutation(values.ndim)
    steps = rng.choice([1, 2, -1, -2], values.ndim)
    shape = [values.shape[a] * abs(int(s)) for a, s in zip(order, steps, strict=True)]
    memory = np.full(shape, _poison(values.dtype), values.dtype)
    view = memory[tuple(slice(None, None, int(s)) for s in steps)].transpose(np.argsort(order))
    view[...] = values
    return view, memory


_Values: TypeAlias = Callable[[tuple[int, ...], np.dtype, np.random.Generator], Array]
_Kernel: TypeAlias = Callable[..., Array]
_Place: TypeAlias = Callable[[Array, np.random.Generator], tuple[Array, Array]]
