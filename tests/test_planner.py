"""What the planner chooses, says and remembers."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given

import multiconv as mc
from multiconv import _registry, testing
from multiconv._planner import (
    DEFAULT_ERROR_FACTOR,
    Planner,
    direct_error,
    output_rounding,
    planner,
)
from multiconv._traits import UNKNOWN, look
from multiconv.algorithms._base import Algorithm, Cost, Refusal

IMAGE = mc.ShapeDtype((1, 3, 40, 50), "float32")
FILTERS = mc.ShapeDtype((6, 3, 3, 5), "float32")


def spy(name="spy", seconds=1e-12, error=0.0, scratch=0, refusal=None):
    """An algorithm made up: as good as told, and `reference` inside."""
    base = _registry.registered()["reference"]
    told = (name, seconds, error, scratch, refusal)

    class Spy(Algorithm):
        name, _seconds, _error, _scratch, _refusal = told
        summary = "made up"
        runs = 0

        def accepts(self, problem, traits):
            return None if self._refusal is None else Refusal(self._refusal)

        def cost(self, problem, traits, planning):
            return Cost(self._seconds, self._scratch, self._error)

        def prepare(self, problem, kernel, traits, planning):
            return base.prepare(problem, kernel, traits, planning)

        def run(self, prepared, x, epilogue, out):
            type(self).runs += 1
            base.run(prepared, x, epilogue, out)

    return Spy


@pytest.fixture
def register(monkeypatch):
    """Add made-up algorithms to the registry for one test."""

    class Point:
        def __init__(self, cls):
            self.load = lambda: cls

    def add(*classes):
        points = [Point(c) for c in classes]
        monkeypatch.setattr(_registry.metadata, "entry_points", lambda group: points)
        _registry.registered.cache_clear()
        planner.forget()

    yield add
    monkeypatch.undo()
    _registry.registered.cache_clear()
    planner.forget()


def test_every_algorithm_is_explained_and_one_chosen():
    explanation = mc.plan(mc.conv, IMAGE, FILTERS).explain()
    assert {r.algorithm for r in explanation.rows} == set(mc.algorithms())
    assert sum(r.chosen for r in explanation.rows) == 1
    for row in explanation.rows:
        assert row.accepted or row.reason
        assert not row.accepted or (row.seconds > 0 and row.scratch_bytes >= 0 <= row.error)
    text = str(explanation)
    assert "mb1 ic3 oc6 in40x50 k3x5 float32" in text
    assert all(name in text for name in mc.algorithms())


@given(testing.problems())
def test_the_cheapest_admitted_algorithm_is_chosen(problem):
    step = planner.step(problem, UNKNOWN)
    admitted = [r for r in step.rows if r.accepted]
    assert step.cost.seconds == min(r.seconds for r in admitted)
    assert [r.algorithm for r in step.rows if r.chosen] == [step.algorithm.name]
    if problem.precision != "fast":
        factor = 1 if problem.precision == "highest" else DEFAULT_ERROR_FACTOR
        least = min(r.error for r in step.rows if r.error is not None)
        assert step.cost.error <= max(factor * direct_error(problem), least)


@given(testing.problems())
def test_traits_never_make_a_choice_worse_than_it_is_without(problem):
    kernel = np.ones((problem.groups, problem.group_out, problem.group_in, *problem.kernel))
    known = planner.step(problem, look(kernel.astype(problem.acc_dtype), problem.rank))
    assert known.cost.seconds <= 1.0001 * planner.step(problem, UNKNOWN).cost.seconds


def test_the_highest_precision_sums_directly():
    x, h = mc.ShapeDtype((2000, 2000), "float32"), mc.ShapeDtype((301, 301), "float32")
    default, highest = (mc.plan(mc.convolve, x, h, precision=p) for p in ("default", "highest"))
    assert default.algorithm != highest.algorithm
    assert default.error_bound < DEFAULT_ERROR_FACTOR * highest.error_bound
    rows = {r.algorithm: r for r in highest.explain().rows}
    assert rows[default.algorithm].reason


def test_a_method_can_be_named():
    filters = np.ones(FILTERS.shape, FILTERS.dtype)
    rows = mc.plan(mc.conv, IMAGE, filters).explain().rows
    assert {r.accepted for r in rows} == {True, False}
    for row in rows:
        name = row.algorithm
        if row.accepted or _registry.registered()[name].last_resort:
            plan = mc.plan(mc.conv, IMAGE, filters, method=name)
            assert [r.algorithm for r in plan.explain().rows] == [plan.algorithm] == [name]
        else:
            with pytest.raises(mc.RefusedError, match=f"method: '{name}' cannot run") as error:
                mc.plan(mc.conv, IMAGE, filters, method=name)
            assert row.reason in str(error.value)


def test_an_algorithm_of_somebody_else_is_asked_too(register):
    cls = spy()
    register(cls)
    assert "spy" in mc.algorithms()
    x, h = np.arange(50.0), np.array([1.0, 2, 4])
    plan = mc.plan(mc.convolve, x, h)
    assert plan.algorithm == "spy"
    np.testing.assert_array_equal(plan(x), np.convolve(x, h))
    assert cls.runs == 1


@pytest.mark.parametrize(
    ("options", "precision", "reason"),
    [
        ({"refusal": "it is tired"}, "default", "it is tired"),
        ({"error": 1e-3}, "default", "error 1.0e-03 is above"),
        ({"error": 1e-3}, "fast", None),
        ({"error": 3e-15}, "highest", "above"),
        ({"error": 3e-15}, "default", None),
        ({"scratch": 2**62}, "default", f"needs {2**62} bytes of scratch, the limit is"),
    ],
)
def test_what_is_not_chosen_has_a_reason(register, options, precision, reason):
    register(spy(**options))
    plan = mc.plan(mc.convolve, mc.ShapeDtype((50,)), np.ones(3), precision=precision)
    (row,) = (r for r in plan.explain().rows if r.algorithm == "spy")
    assert (plan.algorithm == "spy") == (reason is None)
    assert row.chosen == (reason is None)
    if reason:
        assert reason in row.reason


def test_a_refusal_names_the_method_and_the_reason(register):
    register(spy(refusal="it is tired"))
    with pytest.raises(mc.RefusedError, match=r"method: 'spy' cannot run this.*: it is tired"):
        mc.convolve([1.0, 2.0], [1.0], method="spy")


def test_too_little_memory_for_any_algorithm(monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "20KB")
    planner.forget()
    x = np.zeros((50, 50, 4))
    with pytest.raises(mc.MemoryLimitError, match=r"at least \d+ bytes .* limit is 20000 bytes"):
        mc.plan(mc.convolve, x, np.zeros((40, 40, 3)), mode="valid")
    monkeypatch.undo()
    planner.forget()


def test_composite_plans_print_as_a_tree():
    kernel = np.outer([1.0, 3, 2, 4, 1, 7, 2], [2.0, 1, 5, 3, 8, 1, 1]).astype(np.float16)
    plan = mc.plan(mc.convolve, mc.ShapeDtype((900, 800), "float16"), kernel,
                   method="cast")  # fmt: skip
    lines = str(plan).splitlines()
    assert len(lines) > 1
    assert lines[0].startswith(plan.algorithm)
    assert all("└─" in line or "├─" in line for line in lines[1:])
    assert plan.explain().tree == tuple(lines)


def test_knowing_the_kernel_opens_more_ways():
    kernel = np.outer(np.hanning(33), np.hamming(29)).astype(np.float32)
    shape = mc.ShapeDtype((600, 700), "float32")
    known = mc.plan(mc.convolve, shape, kernel).explain()
    unknown = mc.plan(mc.convolve, shape, mc.ShapeDtype(kernel.shape, kernel.dtype)).explain()
    accepted = [{r.algorithm for r in e.rows if r.accepted} for e in (known, unknown)]
    more = accepted[0] - accepted[1]
    assert more
    reasons = {r.algorithm: r.reason for r in unknown.rows}
    assert {reasons[name] for name in more} == {"the kernel's values are not known"}


@pytest.mark.parametrize("method", ["gemm", "winograd", "fft_tiled"])
def test_who_brings_a_kernel_to_each_call_pays_for_preparing_it(method):
    x, w = mc.ShapeDtype((1, 96, 9, 9), "float32"), np.ones((80, 96, 3, 3), np.float32)
    kept = mc.plan(mc.conv, x, w, method=method)
    each = mc.plan(mc.conv, x, mc.ShapeDtype(w.shape, w.dtype), method=method)
    assert each.seconds > kept.seconds


def test_steps_are_kept_and_forgotten():
    own = Planner()
    problem = mc.Problem.parse("in40 k3 float32")
    first = own.step(problem, UNKNOWN)
    assert own.step(problem, UNKNOWN) is first
    own.forget()
    assert own.step(problem, UNKNOWN) is not first


def test_the_cache_of_steps_is_bounded(monkeypatch):
    own = Planner()
    monkeypatch.setattr(Planner, "LARGEST_CACHE", 3)
    for n in range(10, 20):
        own.step(mc.Problem.parse(f"in{n} k3"), UNKNOWN)
        assert len(own._steps) <= 3


def test_plans_state_an_error_that_includes_storing():
    for dtype in ("float16", "float32", "float64", "int8"):
        plan = mc.plan(mc.convolve, mc.ShapeDtype((50,), dtype), mc.ShapeDtype((5,), dtype))
        assert plan.error_bound >= output_rounding(plan.problem)
        assert (plan.error_bound == 0) == (dtype == "int8")


def test_tuning_measures_and_remembers(register, rng):
    slow_but_proud = spy("proud", seconds=1e-9)
    register(slow_but_proud)
    x, h = rng.standard_normal((120, 130)), rng.standard_normal((5, 6))
    assert mc.plan(mc.convolve, x, h).algorithm == "proud"
    tuned = mc.tune(mc.convolve, x, h, rounds=2)
    assert slow_but_proud.runs >= 2
    again = mc.plan(mc.convolve, x, h)
    assert tuned.algorithm == again.algorithm
    (row,) = (r for r in again.explain().rows if r.chosen)
    assert row.reason == "measured fastest by tune"


def test_wisdom_about_what_is_gone_is_ignored():
    from multiconv import _wisdom

    problem = mc.Problem.parse("in77 k3")
    _wisdom.remember(problem, "an algorithm of last year")
    assert planner.step(problem, UNKNOWN).algorithm.name in mc.algorithms()
    _wisdom.forget()
    assert _wisdom.recall(problem) is None


def test_a_plan_from_shapes_takes_the_kernel_at_each_call(rng):
    plan = mc.plan(mc.conv, mc.ShapeDtype((2, 3, 9)), mc.ShapeDtype((4, 3, 2)), padding=1)
    for _ in range(3):
        x, w = rng.standard_normal((2, 3, 9)), rng.standard_normal((4, 3, 2))
        np.testing.assert_array_equal(plan(x, w), mc.conv(x, w, padding=1))


def test_a_plan_with_a_kernel_holds_it(rng):
    x, w, bias = (rng.standard_normal(s) for s in ((2, 3, 9), (4, 3, 2), 4))
    plan = mc.plan(mc.conv, x, w, bias, stride=2, activation="tanh")
    expected = mc.conv(x, w, bias, stride=2, activation="tanh")
    w[...] = 0
    bias[...] = 0
    np.testing.assert_array_equal(plan(x), expected)
    other = rng.standard_normal(w.shape)
    np.testing.assert_array_equal(
        plan(x, other, bias=bias), mc.conv(x, other, bias, stride=2, activation="tanh")
    )


@pytest.mark.parametrize(
    ("function", "shapes", "options"),
    [
        (mc.convolve, [(9, 8), (3, 2)], {"mode": "same", "boundary": "wrap"}),
        (mc.correlate, [(9, 8), (3, 2)], {"axes": (0, 1)}),
        (mc.conv, [(2, 4, 9), (6, 2, 3)], {"groups": 2}),
        (mc.conv2d, [(2, 4, 9, 8), (6, 4, 3, 2)], {"padding": "same"}),
        (mc.conv_transpose, [(2, 4, 9), (4, 3, 3)], {"stride": 2, "output_padding": 1}),
        (mc.conv_input_grad, [(2, 6, 7), (6, 2, 3)], {"x_shape": (2, 4, 9), "groups": 2}),
        (mc.conv_weight_grad, [(2, 4, 9), (2, 6, 7)], {"w_shape": (6, 2, 3), "groups": 2}),
    ],
)
def test_plans_of_every_function_do_what_the_function_does(function, shapes, options, rng):
    x, w = (rng.standard_normal(s) for s in shapes)
    expected = function(x, w, **options)
    kept = mc.plan(function, x, w, **options)  # perhaps by an algorithm that prepares more
    np.testing.assert_allclose(kept(x), expected, rtol=1e-12, atol=1e-12)
    planned = mc.plan(function, mc.ShapeDtype(shapes[0]), mc.ShapeDtype(shapes[1]), **options)
    np.testing.assert_array_equal(planned(x, w), expected)


def test_plans_say_who_they_are():
    plan = mc.plan(mc.conv, IMAGE, FILTERS)
    assert repr(plan) == f"<multiconv.Plan {plan.algorithm}: {plan.problem}>"
    assert dataclasses.is_dataclass(plan.explain())


@pytest.mark.parametrize("kind", ["box", "outer", "symmetric", "sparse", "wide", "nan", "ragged"])
def test_traits_tell_what_is_so(kind, rng):
    general = rng.standard_normal((7, 6))
    kernel = {
        "box": np.full((7, 6), 2.5),
        "outer": np.outer(general[:, 0], general[0]),
        "symmetric": general + general[::-1, ::-1],
        "sparse": np.where(general > 1, general, 0),
        "wide": general * np.logspace(0, -20, 42).reshape(7, 6),
        "nan": np.where(general == general.max(), np.nan, general),
        "ragged": general,
    }[kind]
    traits = look(kernel[None, None, None], 2)
    assert traits.known
    assert traits.constant == (kind == "box")
    assert traits.separable == (kind in ("box", "outer"))
    assert traits.symmetric == (kind in ("box", "symmetric"))
    assert traits.wide_range == (kind == "wide")
    assert traits.finite == (kind != "nan")
    assert (traits.zero_fraction > 0.5) == (kind == "sparse")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "complex64"])
@pytest.mark.parametrize("size", [(1, 1), (3, 1), (2, 5), (2, 3, 4)])
def test_factors_multiply_back(dtype, size, rng):
    from multiconv._traits import rank_one_factors

    for _ in range(20):
        kernel = np.ones((2, 1, 3, *size), dtype)
        for axis, n in enumerate(size):
            shape = [2, 1, 3] + [n if a == axis else 1 for a in range(len(size))]
            least = 0 if dtype == "uint8" else -2
            kernel = kernel * rng.integers(least, 4, shape).astype(dtype)
        kernel[0, 0, 0] = np.iinfo(dtype).min if dtype == "int8" else kernel[0, 0, 0]
        factors = rank_one_factors(kernel, len(size))
        if factors is None:  # a slice of zeros has no largest tap
            assert any(not kernel[i, 0, j].any() for i in range(2) for j in range(3))
            continue
        product = factors[0]
        for factor in factors[1:]:
            product = product * factor
        np.testing.assert_allclose(product, kernel, rtol=1e-5)
