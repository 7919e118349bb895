"""The conformance suite: proves an algorithm, the package's own or anybody's, against `reference`.

An author of an algorithm runs `check` over problems of their choice, or over those that `problems`
draws with hypothesis.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiconv import _core
from multiconv._errors import MissingExtraError
from multiconv._geometry import out_size
from multiconv._planner import output_rounding, planner
from multiconv._problem import Problem
from multiconv._registry import registered
from multiconv._traits import look
from multiconv._typing import Array
from multiconv.algorithms import _native
from multiconv.algorithms._base import Algorithm
from multiconv.algorithms.reference import Reference

__all__ = ["ConformanceError", "Report", "Trial", "check", "forced_target", "problems", "targets"]

STEEPEST = 1.5
"""Largest slope of an activation: what it may make of an error."""


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
        Largest error seen, relative to the largest ``sum |x||w| + |bias|``.
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
    exactly, other floats within the stated bound, NaN and infinities in the same places; the same
    bits must come out wherever the arrays lie; any strides must be taken, and nothing but the output
    written.

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
    try:
        yield
    finally:
        _native.forced_target = before


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
    bias: Array | None
    expected: Array
    scale: float


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
        with forced_target(target):
            reports = [self._check_case(algorithm, case, target) for case in self._cases]
        ran = [r for r in reports if r.refusal is None]
        return max(ran, key=lambda r: r.error) if ran else reports[0]

    def _check_case(self, algorithm: Algorithm, case: _Case, target: str) -> Report:
        problem, traits = case.problem, look(case.w, case.problem.rank)
        refusal = algorithm.accepts(problem, traits)
        words = (algorithm.name, str(problem), target)
        if refusal is not None:
            return Report(*words, refusal.reason)
        cost = algorithm.cost(problem, traits, planner)
        _demand(cost.seconds > 0 and cost.bytes >= 0 and 0 <= cost.error < 1, case, words,
                f"its cost makes no sense: {cost}")  # fmt: skip
        prepared = algorithm.prepare(problem, case.w, traits, planner)
        outs = [self._run(algorithm, prepared, case, words, place)
                for place in (_contiguous, _displaced, _scattered)]  # fmt: skip
        _demand(outs[0].tobytes() == outs[1].tobytes(), case, words,
                "other bits come out where the arrays lie elsewhere")  # fmt: skip
        bound = cost.error + output_rounding(problem)
        error = max(_compare(out, case, bound, words) for out in outs)
        return Report(*words, None, error, bound)

    def _run(
        self, algorithm: Algorithm, prepared: Any, case: _Case, words: Any, place: Any
    ) -> Array:
        x, _ = place(case.x, self._rng)
        blank = np.full(case.expected.shape, _poison(case.problem.out_dtype))
        out, around = place(blank, self._rng)
        bias = None if case.bias is None else case.bias.copy()
        algorithm.run(prepared, x, bias, out)
        result = out.copy()
        out[...] = blank
        _demand(around.tobytes() == np.full_like(around, _poison(around.dtype)).tobytes(), case,
                words, "it wrote outside the output")  # fmt: skip
        _demand(x.tobytes() == case.x.tobytes(), case, words, "it wrote to the input")
        return result

    def _draw(self) -> Iterator[_Case]:
        problem = self.problem
        for kernel in (_general, _outer):
            if problem.acc_dtype.kind in "iu":
                yield self._case("integers", problem, kernel, _integers)
                continue
            exact = replace(
                problem, cval=_small(problem.cval), precision="highest",
                activation=problem.activation if problem.activation == "relu" else None,
            )  # fmt: skip
            if kernel is _general:
                yield self._case("exact", exact, kernel, _small_integers)
            yield self._case("numbers", problem, kernel, _numbers)
            yield self._case("non-finite", problem, kernel, _non_finite)

    def _case(self, name: str, problem: Problem, kernel: Any, data: Any) -> _Case:
        rng, p = self._rng, problem
        x = data((p.batch, p.groups, p.group_in, *p.in_size), p.x_dtype, rng)
        values = _numbers if data is _non_finite else data
        w = kernel((p.groups, p.group_out, p.group_in, *p.kernel), p.w_dtype, values, rng, p.rank)
        bias = values((p.out_channels,), p.acc_dtype, rng) if p.bias else None
        expected = _define(p, x, w, bias)
        positive = replace(p, activation=None, cval=abs(p.cval), acc_dtype=np.dtype(float))
        with np.errstate(over="ignore"):
            sizes = [None if a is None else np.abs(_finite(a).astype(_wider(a.dtype))).astype(float)
                     for a in (x, w, bias)]  # fmt: skip
        scale = _define(positive, *sizes).max(initial=0.0)
        return _Case(name, p, x, w, bias, expected, float(scale))


def _define(problem: Problem, x: Any, w: Any, bias: Any) -> Array:
    """What the definition gives, in a wider dtype; integers are cut to the stored one."""
    wide = _wider(problem.acc_dtype)
    exact = replace(problem, acc_dtype=wide, out_dtype=wide)
    out = np.empty((problem.batch, problem.groups, problem.group_out, *out_size(problem)), wide)
    oracle = Reference()
    with np.errstate(all="ignore"):
        oracle.run(oracle.prepare(exact, w, look(w, problem.rank), planner), x, bias, out)
    if problem.out_dtype.kind == "b":
        return out != 0
    return out.astype(problem.out_dtype) if problem.acc_dtype.kind in "iu" else out


def _wider(dtype: np.dtype) -> np.dtype:
    if dtype.kind in "biu":
        return dtype if dtype.itemsize == 8 else np.dtype(np.int64)
    if dtype.kind == "c":
        return np.dtype(np.complex128 if dtype.itemsize == 8 else np.clongdouble)
    return np.dtype(np.longdouble if dtype.itemsize >= 8 else np.float64)


def _compare(out: Array, case: _Case, bound: float, words: Any) -> float:
    """The largest error relative to the case's scale; raises where it is more than allowed."""
    expected, problem = case.expected, case.problem
    if out.size == 0 or problem.acc_dtype.kind in "iu":
        wrong = int(np.count_nonzero(out != expected))
        _demand(wrong == 0, case, words, f"{wrong} of {out.size} integers differ")
        return 0.0
    with np.errstate(all="ignore"):
        out = out.astype(expected.dtype)
        if case.name == "exact":
            wanted = expected.astype(problem.out_dtype).astype(expected.dtype)
            wrong = int(np.count_nonzero(out != wanted))
            _demand(wrong == 0, case, words, f"{wrong} of {out.size} exact sums differ")
        for kind in (np.isfinite,) if out.dtype.kind == "c" else (np.isnan, np.isposinf, np.isneginf):
            wrong = int(np.count_nonzero(kind(out) != kind(expected)))
            _demand(wrong == 0, case, words, f"{kind.__name__} differs at {wrong} of {out.size}")
        both = np.isfinite(expected)
        error = float(np.abs(out[both] - expected[both]).max(initial=0.0))
    eps = float(np.finfo(problem.acc_dtype).eps)
    allowed = (bound + eps * bound) * case.scale
    if problem.activation:
        allowed = STEEPEST * allowed + 16 * eps * max(case.scale, 1.0)
    allowed += Reference().cost(problem, look(case.w, problem.rank), planner).error * 2**-20
    _demand(error <= allowed, case, words,
            f"error {error:.3g} is {error / max(allowed, 1e-300):.3g} times the {allowed:.3g} "
            f"that a bound of {bound:.3g} allows")  # fmt: skip
    return error / case.scale if case.scale else 0.0


def _demand(condition: bool, case: _Case, words: tuple[str, str, str], complaint: str) -> None:
    if not condition:
        name, problem, target = words
        forced = f" on {target}" if target else ""
        raise ConformanceError(f"{name}{forced}, {case.name}: {complaint}: {problem}")
