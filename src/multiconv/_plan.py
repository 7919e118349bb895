"""The reusable, thread-safe plan that users hold, and what it says about itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiconv import _arrays, _wisdom
from multiconv._conventions import Request
from multiconv._planner import Row, Step, output_rounding, planner, planner_of_calls
from multiconv._problem import Problem
from multiconv._registry import registered
from multiconv._threads import get_num_threads
from multiconv._traits import BEST, NOT_FINITE, UNKNOWN, look, look_at_data
from multiconv._typing import Array
from multiconv.algorithms._base import NO_EPILOGUE, Algorithm, Epilogue
from multiconv.algorithms._native import Executable, NativeAlgorithm, converts_kernel

LOOK_AT_KERNEL = 100e-6
"""Problems predicted to take longer are worth a look at the kernel's values first."""

MANY_SLICES, LOOK_AT_TAP = 17, 40e-9
"""Kernels of so many slices, if what they may show saves more than so many seconds a tap."""


@dataclass(frozen=True)
class Explanation:
    """Why a plan is as it is; ``str()`` prints it.

    Attributes
    ----------
    problem : str
        The canonical string.
    rows : tuple of Row
        Every algorithm with its predicted seconds, scratch bytes and error, or the reason of its
        refusal; accepted ones first, fastest first.
    tree : tuple of str
        The plan and its child plans, one line each.

    Examples
    --------
    >>> import multiconv as mc
    >>> plan = mc.plan(mc.convolve, mc.ShapeDtype((40,)), mc.ShapeDtype((5,)), method="reference")
    >>> [row.chosen for row in plan.explain().rows]
    [True]
    """

    problem: str
    rows: tuple[Row, ...]
    tree: tuple[str, ...]

    def __str__(self) -> str:
        lines = [self.problem, ""]
        width = max(len(r.algorithm) for r in self.rows)
        for row in self.rows:
            mark = "->" if row.chosen else "  "
            facts = row.reason or ""
            if row.seconds is not None:
                facts = (
                    f"{row.seconds * 1e3:11.4f} ms  {row.scratch_bytes:>12,} B  "
                    f"error {row.error:.1e}  {facts}"
                )
            lines.append(f"{mark} {row.algorithm:<{width}}  {facts}".rstrip())
        return "\n".join([*lines, "", *self.tree])


class Plan:
    """One convolution, decided: call it with arrays of the planned shapes and dtypes.

    Plans may be shared between threads. A plan made with a kernel array holds it, prepared; one
    made with a kernel shape takes the kernel at each call.

    Attributes
    ----------
    problem : Problem
        What it computes.
    algorithm : str
        The algorithm that runs.
    seconds : float
        Predicted time of one run; where it takes the kernel at each call, of preparing it, too.
    scratch_bytes : int
        Scratch memory of one run.
    prepared_bytes : int
        Memory of the prepared kernel, which all threads share.
    error_bound : float
        Bound on the largest error, relative to the largest ``sum |x||w|`` over all places the
        kernel can be put, those that stride or padding leave out included.

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> plan = mc.plan(mc.correlate, mc.ShapeDtype((4,)), np.array([1.0, -1.0]))
    >>> plan(np.array([1.0, 2.0, 4.0, 8.0]))
    array([-1., -2., -4.])
    """

    def __init__(
        self, request: Request, method: str = "auto", kernel: Array | None = None,
        epilogue: Epilogue = NO_EPILOGUE,
    ) -> None:  # fmt: skip
        self._request = request
        self._method = method
        acc = request.problem.acc_dtype
        self._held = Epilogue(*(None if a is None else _held(a, acc) for a in epilogue))
        problem = _nothing(request.problem) if request.empty else request.problem
        lenient = _lenient(problem, method)
        self._planner = planner_of_calls if kernel is None else planner
        self._unseen = self._step = self._planner.step(problem, UNKNOWN, lenient)
        self._looks_closely = (
            lenient != method
            or self._unseen.value_sensitive
            or self._is_worth_a_look(problem, lenient)
            or (method == "auto" and _tuned_by_values(request.problem))
        )
        self._looks = self._looks_closely or self._needs_finite_taps(problem, lenient)
        self._prepared: Any = None
        self._bound = kernel is not None
        if kernel is not None and not request.empty:
            view = self._kernel_view(kernel)
            self._step = self._choose(view)
            self._prepared = self._step.prepare(view)

    @property
    def problem(self) -> Problem:
        """What it computes."""
        return self._request.problem

    @property
    def epilogue(self) -> Epilogue:
        """The arrays it was made with that finish the sums."""
        return self._held

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return self._request.out_shape

    @property
    def out_dtype(self) -> np.dtype:
        """Dtype of the result."""
        return self.problem.out_dtype

    @property
    def algorithm(self) -> str:
        """The algorithm that runs."""
        return self._step.algorithm.name

    @property
    def seconds(self) -> float:
        """Predicted time of one run."""
        return self._step.cost.seconds

    @property
    def kept(self) -> Step:
        """What would run with the kernel prepared once, whatever its values."""
        return planner.step(self.problem, UNKNOWN)

    @property
    def scratch_bytes(self) -> int:
        """Scratch memory of one run, on as many threads as are set now."""
        return self._step.scratch_bytes(get_num_threads(), self._prepared)

    @property
    def prepared_bytes(self) -> int:
        """Memory of the prepared kernel, which all threads share."""
        return 0 if self._request.empty else self._step.prepared_bytes

    @property
    def error_bound(self) -> float:
        """Bound on the largest error, relative to the largest ``sum |x||w|`` of any place."""
        return self._step.cost.error + output_rounding(self.problem)

    @property
    def executable(self) -> Executable | None:
        """The native code that does all of this, arrays being as it wants them; None if none does.

        It then needs neither the kernel's values nor a step of Python.
        """
        request, algorithm = self._request, self._unseen.algorithm
        layouts = (request.x, request.w, request.out)
        if (
            not isinstance(algorithm, NativeAlgorithm)
            or self._looks
            or request.empty
            or request.finish is not None
            or request.sums_shape
            or self.problem.bias
            or self.problem.scale
            or self.problem.residual
            or converts_kernel(self.problem)
            or not all(layout.reshapes for layout in layouts)
        ):
            return None
        return algorithm.executable(self.problem)

    def algorithm_with(self, w: Array) -> str:
        """The algorithm that runs a call with this kernel, which is not prepared."""
        return self._choose_again(self._request.w.view(w)).algorithm.name

    def explain(self) -> Explanation:
        """Every algorithm with its prediction, or why it cannot run this."""
        return Explanation(str(self.problem), self._step.rows, tuple(self._step.tree()))

    def __str__(self) -> str:
        return "\n".join(self._step.tree())

    def __repr__(self) -> str:
        return f"<multiconv.Plan {self.algorithm}: {self.problem}>"

    def with_kernel(self, w: Any, *, bias: Any = None, scale: Any = None) -> Plan:
        """The same convolution with another kernel, prepared; this plan stays as it is.

        The algorithm is chosen again where the kernel's values bear on it.

        Parameters
        ----------
        w : array
            A kernel of the planned shape and dtype.
        bias, scale : array, optional
            In place of those that this plan holds.

        Returns
        -------
        Plan

        Examples
        --------
        >>> import multiconv as mc
        >>> import numpy as np
        >>> plan = mc.plan(mc.convolve, mc.ShapeDtype((4,)), np.array([1.0, 1.0]), mode="valid")
        >>> plan.with_kernel(np.array([1.0, -1.0]))(np.array([1.0, 2, 4, 8]))
        array([1., 2., 4.])
        """
        w = _arrays.to_numpy(w, "w")
        w = self._check(w, self._expected("w"), self.problem.w_dtype, "w")
        return Plan(self._request, self._method, w, self._epilogue(bias, scale, None))

    def __call__(
        self, x: Any, w: Any = None, *, bias: Any = None, scale: Any = None, residual: Any = None,
        out: Any = None,
    ) -> Any:  # fmt: skip
        """Run it.

        Parameters
        ----------
        x : array
            Data of the planned shape and dtype.
        w : array, optional
            The kernel, needed where the plan was made from a kernel shape.
        bias, scale : array, optional
            Needed where the problem has them and the plan was made from their shapes.
        residual : array, optional
            Needed where the problem has one.
        out : ndarray, optional
            Where to put the result.

        Returns
        -------
        array
            Of the library that ``x`` is from.
        """
        restore = _arrays.restorer(x)
        x = self._check(_arrays.to_numpy(x, "x"), self._expected("x"), self.problem.x_dtype, "x")
        if w is not None:
            w = _arrays.to_numpy(w, "w")
            w = self._check(w, self._expected("w"), self.problem.w_dtype, "w")
        elif not self._bound:
            raise TypeError("w: the plan was made from a kernel shape, so it needs the kernel")
        epilogue = self._epilogue(bias, scale, residual)
        for name, array in epilogue._asdict().items():
            if array is None and getattr(self.problem, name):
                raise TypeError(
                    f"{name}: the plan has one and was made from its shape, so it needs the {name}"
                )
        result = self.run(x, w, epilogue, out)
        return restore(result) if restore and out is None else result

    def run(self, x: Array, w: Array | None, epilogue: Epilogue, out: Any) -> Array:
        """As ``__call__``, for NumPy arrays known to fit."""
        request = self._request
        if out is not None:
            return self._run_into(x, w, epilogue, out)
        if request.empty:
            return np.zeros(request.out_shape, request.problem.out_dtype)
        result, view = request.allocate()
        self._execute(x, w, epilogue, view)
        return result if request.finish is None else request.finish(result)

    def bind(self, x: Array, out: Array, residual: Array | None = None) -> Callable[[], object]:
        """A call that runs it on these NumPy arrays again and again.

        They are known to fit, to be aligned and to share no memory; ``out`` lies as `run` would
        return it.

        Raises
        ------
        ValueError
            If an array would have to be copied at each call, or the plan holds no kernel.
        """
        request = self._request
        x_view, out_view = request.x.view(x), request.out.view(out)
        added = None if residual is None else request.out.view(residual)
        pairs = [(x_view, x), (out_view, out), (added, residual)]
        if not all(b is None or np.may_share_memory(a, b) for a, b in pairs):
            raise ValueError("x, out, residual: the engine sees no view of one of them")
        if request.empty or request.finish or not self._bound:
            raise ValueError("plan: it needs its kernel and nothing to do after the sums")
        epilogue = self._canonical(self._held)._replace(residual=added)
        return self._step.algorithm.bound(self._prepared, x_view, epilogue, out_view)

    def _execute(self, x: Array, w: Array | None, epilogue: Epilogue, view: Array) -> None:
        request, step = self._request, self._step
        if w is None:
            prepared = self._prepared
        else:
            kernel = request.w.view(w)
            step = self._choose_again(kernel)
            prepared = step.prepare(kernel)
        step.run(prepared, request.x.view(x), self._canonical(epilogue), view)

    def _canonical(self, epilogue: Epilogue) -> Epilogue:
        """The arrays as algorithms take them."""
        if all(a is None for a in epilogue):
            return epilogue
        bias, scale, residual = epilogue
        acc = self.problem.acc_dtype
        if residual is not None:
            residual = residual.astype(self.problem.out_dtype, copy=False)
            residual = self._request.out.view(residual)
        return Epilogue(
            None if bias is None else bias.astype(acc, copy=False),
            None if scale is None else scale.astype(acc, copy=False),
            residual,
        )

    def _run_into(self, x: Array, w: Array | None, epilogue: Epilogue, out: Any) -> Array:
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out: {type(out).__name__} is not allowed, give a NumPy array")
        shape, dtype = self._request.out_shape, self.problem.out_dtype
        if out.shape != shape or out.dtype != dtype:
            raise ValueError(
                f"out: {out.dtype} of shape {out.shape} does not fit, the result is {dtype} of "
                f"shape {shape}"
            )
        if not out.flags.writeable:
            raise ValueError("out: the array is read-only, give a writable one")
        if self._request.empty:
            out[...] = 0
            return out
        arrays = (x, w, *epilogue)
        apart = not any(a is not None and np.may_share_memory(a, out) for a in arrays)
        if apart and out.flags.aligned and self._request.finish is None:
            view = self._request.out.view(out)
            if np.may_share_memory(view, out):
                self._execute(x, w, epilogue, view)
                return out
        out[...] = self.run(x, w, epilogue, None)
        return out

    def _is_worth_a_look(self, problem: Problem, method: str) -> bool:
        """Whether the kernel may show more than that some taps are not finite, and it may pay."""
        seconds = self._unseen.cost.seconds
        if (method == "auto" and self._is_vast(problem)) or seconds <= LOOK_AT_KERNEL:
            return False
        if method != "auto" or problem.out_channels < MANY_SLICES:
            return True
        least = min(self._planner.step(problem, traits).cost.seconds for traits in BEST)
        taps = problem.out_channels * math.prod(problem.kernel)
        return seconds - least > LOOK_AT_KERNEL + LOOK_AT_TAP * taps

    def _is_vast(self, problem: Problem) -> bool:
        """Whether nothing is told of the kernel but that it is finite."""
        return self._request.kernel_is_data or problem.group_in > 1

    def _needs_finite_taps(self, problem: Problem, method: str) -> bool:
        """Whether taps that are not finite would want another way."""
        ways = _ways(self._unseen)
        if any(way.skips_zeros for way in ways) or max(problem.in_dilation) > 1:
            return True  # others meet the zeros
        if method != "auto" or not (self._is_vast(problem) or problem.out_channels >= MANY_SLICES):
            return False
        return _ways(self._planner.step(problem, NOT_FINITE)) != ways

    def _choose_again(self, kernel: Array) -> Step:
        """What runs a call with this kernel, as far as its values bear on it."""
        return self._choose(kernel, self._looks_closely) if self._looks else self._unseen

    def _choose(self, kernel: Array, closely: bool = True) -> Step:
        summed = kernel.astype(self.problem.acc_dtype, copy=False)
        if self._request.kernel_is_data or not closely:
            traits = look_at_data(summed)
        else:
            traits = look(summed, self.problem.rank, fast=self.problem.precision == "fast")
        return self._planner.step(self.problem, traits, self._method)

    def _kernel_view(self, kernel: Array) -> Array:
        # A copy: later changes to the caller's array must not reach the plan.
        return _held(self._request.w.view(kernel), self.problem.w_dtype)

    def _expected(self, name: str) -> tuple[int, ...]:
        return self._request.x_shape if name == "x" else self._request.w_shape

    def _check(self, array: Array, shape: tuple[int, ...], dtype: np.dtype, name: str) -> Array:
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"{name}: {array.dtype} of shape {array.shape} does not fit this plan, it takes "
                f"{dtype} of shape {shape}"
            )
        return array

    def _epilogue(self, bias: Any, scale: Any, residual: Any) -> Epilogue:
        """The arrays given, checked, and those held in place of others."""
        if bias is scale is residual is None:
            return self._held
        problem = self.problem
        channels = (problem.out_channels,)
        return Epilogue(
            self._fitting(bias, "bias", channels, problem.acc_dtype),
            self._fitting(scale, "scale", channels, problem.acc_dtype),
            self._fitting(residual, "residual", self.out_shape, problem.out_dtype),
        )

    def _fitting(
        self, given: Any, name: str, shape: tuple[int, ...], dtype: np.dtype
    ) -> Array | None:
        if given is None:
            held: Array | None = getattr(self._held, name)
            return held
        array = _arrays.to_numpy(given, name)
        if not getattr(self.problem, name):
            raise ValueError(f"{name}: the plan was made without one, make it with a {name}")
        if array.shape != shape or not np.can_cast(array.dtype, dtype, "same_kind"):
            raise ValueError(
                f"{name}: {array.dtype} of shape {array.shape} does not fit this plan, it takes "
                f"{dtype} of shape {shape}"
            )
        return array


def _ways(step: Step) -> list[Algorithm]:
    """What runs, children included."""
    return [step.algorithm, *(way for child in step.children() for way in _ways(child))]


def _held(values: Array, dtype: np.dtype) -> Array:
    """A copy that nobody can change."""
    copy: Array = np.array(values, dtype=dtype)
    copy.flags.writeable = False
    return copy


def _tuned_by_values(problem: Problem) -> bool:
    """Whether the measured choice is one that must see the kernel's values first."""
    best = registered().get(_wisdom.recall(problem) or "")
    return best is not None and best.sees_values(problem)


def _nothing(problem: Problem) -> Problem:
    """What stands in for a problem without results, whose own sizes may not fit together."""
    zeros, ones = (0,) * problem.rank, (1,) * problem.rank
    return replace(problem, in_size=zeros, kernel=ones, padding=(), boundary=())


def _lenient(problem: Problem, method: str) -> str:
    """The method to plan with before the kernel is seen.

    One that must know the kernel's values is asked again when they are there.
    """
    if not isinstance(method, str):
        raise TypeError(f"method: {method!r} is not allowed, give 'auto' or an algorithm's name")
    named = registered().get(method)
    if named is not None and named.sees_values(problem) and named.accepts(problem, UNKNOWN):
        return "auto"
    return method
