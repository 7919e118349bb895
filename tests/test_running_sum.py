"""Boxes: exact for integers, no drift for floats, NaN and infinities in their windows, any size."""

import math

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def boxes(x, size, height=1, **options):
    """Sums under a box of this size, by the algorithm under test."""
    size = size if isinstance(size, tuple) else (size,)
    kernel = np.full(size, height, np.result_type(x, type(height)) if height != 1 else x.dtype)
    return mc.convolve(x, kernel, options.pop("mode", "valid"), method="running_sum", **options)


def bound(x, size, height=1):
    size = size if isinstance(size, tuple) else (size,)
    kernel = np.full(size, height, x.dtype)
    return mc.plan(mc.convolve, x, kernel, mode="valid", method="running_sum").error_bound


def windows(x, size):
    return np.lib.stride_tricks.sliding_window_view(x, size)


PROBLEMS = """
    in1 k1 float32
    in7 k3 float64
    in300 k15 p4:4 float32
    in300 k16 p4:4 float32
    in300 k17 p4:4 float64
    in300 k31 p4:40 b=edge float32
    in300 k32 p40:4 b=wrap float32
    in300 k47 cval=2 p3:3 float64
    in300 k48 cval=-0.75 p300:3 float32 bias
    in129 k33 s3 p40:17 b=reflect float64
    in129 k33 d2 p40:17 b=reflect float64
    in9 k1000 p1000:1001 b=symmetric float32
    in5000 k301 p300:300 b=symmetric float32 bias act=gelu
    in5000 k96 p3:3 complex64 bias
    in5000 k97 s2 p3:3 cval=(0.5-2j) complex64
    in500 k31 d3 p3:3 cval=(0.5-2j) complex128
    mb3 ic2 oc2 g2 in400 k120 p60:59 b=symmetric float32 bias
    mb2 ic3 oc3 g3 in31x47 k5x4 p2:1 float32 bias act=silu
    mb1 in63x65 k9x7 d2x3 p8:9 b=edge,wrap flip float32
    mb1 in9x5 k12x11 p11:11,10:10 b=reflect,symmetric float64
    mb1 in170x161 k25x24 p12:11 s2x3 float32
    mb1 in70x161 k1x24 p0:0,12:11 s2x3 float32
    mb1 in70x161 k24x1 p12:11,0:0 s2x3 float32
    mb2 in48x50 k17x16 p-5:20,3:-2 b=constant,wrap complex64 cval=(0.5-2j)
    mb2 in7x9x8 k3x4x2 d1x2x3 p2:2 b=symmetric complex128 bias
    mb1 in20x21x40 k3x1x7 p4:4 float32
    mb1 in5x6x4x7 k2x3x1x2 s1x2x1x2 p1:2 b=constant,reflect,wrap,edge float32
    mb1 in40x30 k5x7 p3:4 cval=-3 int8
    mb1 in40x30 k5x7 p3:4 cval=18446744073709551615 uint64
    mb2 ic4 oc4 g4 in33 k6 d3 p5:5 b=edge uint16 bias
    mb1 in15x17 k3x2 dt=uint8,int8,int16,int16 cval=-32768 p1:1
    mb1 in15x17 k3x2 dt=uint8,uint8,int32,int32 p1:1
"""
PROBLEMS = [line.strip() for line in PROBLEMS.strip().splitlines()]


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("text", PROBLEMS)
def test_it_is_the_definition(text, target):
    report = testing.check("running_sum", text, np.random.default_rng(3), target)
    assert report.refusal is None
    assert report.target == target


@pytest.mark.parametrize("shape", [(1, 1), (5, 33), (17, 100), (60, 7)])
def test_tasks_of_any_size_give_the_same_sums(shape, rng, monkeypatch):
    from multiconv._planner import planner
    from multiconv._registry import registered

    x = rng.integers(-99, 99, (61, 101))
    whole = boxes(x, (7, 33), mode="full", boundary="reflect")
    monkeypatch.setattr(type(registered()["running_sum"]), "tile", lambda *_: shape)
    planner.forget()
    try:
        cut = mc.plan(
            mc.convolve, x, np.ones((7, 33), int), mode="full", boundary="reflect",
            method="running_sum",
        )(x)  # fmt: skip
    finally:
        monkeypatch.undo()
        planner.forget()
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("size", [2, 16, 33, 100, 1001, 65_000])
def test_a_small_signal_on_a_large_offset_keeps_its_digits(size, rng):
    x = (1e4 + rng.standard_normal(100_000)).astype(np.float32)
    total = np.concatenate([[0.0], np.cumsum(x.astype(np.longdouble))])
    expected = total[size:] - total[:-size]
    allowed = min(bound(x, size), (size + 2) * EPS["float32"])
    assert np.all(np.abs(boxes(x, size) - expected) <= allowed * expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_error_drifts_along_a_long_signal(dtype):
    n, size = 10_000_000, 1000
    x = np.full(n, 0.1, dtype)
    sums = boxes(x, size)
    expected = size * float(x[0])
    error = np.abs(sums - expected) / expected
    assert error.max() <= (size + 2) * EPS[dtype]
    assert error[-size:].max() <= error[: 10 * size].max()


@pytest.mark.parametrize("size", [3, 40, 500])
def test_errors_follow_each_window_not_the_largest_value(size, rng):
    """Values over eight decades, a spike behind: what prefix sums would drown."""
    x = 10.0 ** rng.uniform(-4, 4, 20_000) * rng.choice([-1, 1], 20_000)
    x[5000:9000] *= 1e-8
    x[2000] = 1e15
    x = x.astype(np.float32)
    view = windows(x, size).astype(np.longdouble)
    errors = np.abs(boxes(x, size) - view.sum(-1))
    assert np.all(errors <= (size + 2) * EPS["float32"] * np.abs(view).sum(-1))


def test_errors_follow_each_window_of_an_image(rng):
    x = (10.0 ** rng.uniform(-4, 4, (90, 120)) * rng.choice([-1, 1], (90, 120))).astype(np.float32)
    x[20, 30] = 1e15
    size, height = (13, 37), 1 / 481
    view = windows(x, size).astype(np.longdouble) * np.float32(height)
    errors = np.abs(boxes(x, size, np.float32(height)) - view.sum((-2, -1)))
    scale = np.abs(view).sum((-2, -1))
    assert np.all(errors <= (sum(size) + 2) * EPS["float32"] * scale)


@pytest.mark.parametrize("size", [(5,), (50,), (700,), (4, 9), (30, 40), (1, 20), (20, 1)])
def test_the_stated_error_is_at_most_direct_summations(size):
    x = mc.ShapeDtype((1000,) * len(size), np.float32)
    plans = [
        mc.plan(mc.convolve, x, np.ones(size, np.float32), method=method)
        for method in ("running_sum", "direct")
    ]
    assert 0 < plans[0].error_bound <= plans[1].error_bound


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [(3, 3), (20, 7), (5, 40)])
def test_values_that_are_not_finite_stay_in_their_windows(value, size, rng):
    x = rng.standard_normal((70, 90)).astype(np.float32)
    x[31, 44] = x[2, 88] = value
    sums = boxes(x, size)
    strange = windows(~np.isfinite(x), size).any((-2, -1))
    np.testing.assert_array_equal(np.isfinite(sums), ~strange)
    assert np.array_equal(sums[strange], np.full(strange.sum(), np.float32(value)), equal_nan=True)


def test_a_mean_of_the_largest_values_does_not_overflow():
    top, eps = np.finfo(np.float32).max, np.finfo(np.float32).eps
    means = boxes(np.full(300, top), 64, np.float32(1 / 64))
    assert np.isfinite(means).all()
    np.testing.assert_allclose(means, top, rtol=eps)


@pytest.mark.parametrize("height", [0.0, 5e-324, 1e-310, 1e300, -0.3])
def test_any_height_will_do(height, rng):
    x = rng.standard_normal(200)
    sums = boxes(x, 20, height)
    expected = (windows(x, 20).astype(np.longdouble) * height).sum(-1).astype(np.float64)
    np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=100 * 5e-324)


def test_a_height_of_zero_still_shows_nan():
    x = np.ones(50)
    x[20] = np.nan
    np.testing.assert_array_equal(np.isnan(boxes(x, 7, 0.0)), windows(np.isnan(x), 7).any(-1))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "uint64"])
def test_integers_wrap_around_exactly(dtype, rng):
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, (50, 300), dtype, endpoint=True)
    expected = windows(x, (21, 150)).sum((-2, -1), dtype=dtype)
    np.testing.assert_array_equal(boxes(x, (21, 150)), expected)


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_means_of_small_integers_are_rounded_once(dtype, target, rng):
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, (40, 75), dtype, endpoint=True)
    size = (3, 21)
    means = windows(x, size).mean((-2, -1))
    with testing.forced_target(target):
        kernel = np.full(size, 1 / 63)
        plan = mc.plan(mc.convolve, x, kernel, mode="valid", dtype=dtype, method="running_sum")
        np.testing.assert_array_equal(plan(x), np.rint(means))
        double = mc.plan(
            mc.convolve, x, 2 * kernel, mode="valid", dtype=dtype, method="running_sum"
        )
        np.testing.assert_array_equal(double(x), np.rint(2 * means).clip(info.min, info.max))


@pytest.mark.parametrize("shape", [(200_000,), (600, 700), (40, 90, 80)])
def test_the_number_of_threads_changes_no_bit(shape, rng):
    x = rng.standard_normal(shape).astype(np.float32)
    found = set()
    for threads in (1, 2, 5):
        with mc.num_threads(threads):
            found.add(boxes(x, (9,) * len(shape), np.float32(0.3)).tobytes())
    assert len(found) == 1


@pytest.mark.parametrize(
    ("x", "size"), [((1_000_000,), (1001,)), ((2048, 2048), (31, 31)), ((2048, 2048), (21, 21))]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_planner_takes_it_for_large_boxes(x, size, dtype):
    kernel = np.full(size, 1 / math.prod(size), dtype)
    plan = mc.plan(mc.convolve, mc.ShapeDtype(x, dtype), kernel)
    assert plan.algorithm == "running_sum"


@pytest.mark.parametrize(
    ("text", "kernel", "reason"),
    [
        ("in30 k3 float32", [1, 2, 1], "not all equal"),
        ("in30 k3 float32", [1, np.nan, 1], "not all equal"),
        ("in30 k3 s4 float32", [1, 1, 1], "do not meet"),
        ("in30 k3 s2 d2 float32", [1, 1, 1], "stride and dilation"),
        ("in30 k3 id2 float32", [1, 1, 1], "input dilation"),
        ("ic2 in30 k3 float32", [[1, 1, 1]] * 2, "sums over them"),
        ("oc2 in30 k3 float32", [1, 1, 1], "one output"),
    ],
)
def test_what_it_refuses(text, kernel, reason):
    from multiconv._registry import registered
    from multiconv._traits import UNKNOWN, look

    problem = mc.Problem.parse(text)
    taps = np.array(kernel, np.float32).reshape(1, 1, problem.group_in, -1)
    refusal = registered()["running_sum"].accepts(problem, look(taps, 1))
    assert reason in refusal.reason
    assert registered()["running_sum"].accepts(problem, UNKNOWN) is not None


@pytest.mark.parametrize("boundary", ["symmetric", "constant"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_the_moving_mean_in_one_pass_or_several_is_the_same(boundary, dtype, rng, monkeypatch):
    from multiconv.filters import _box

    x = (rng.random((60, 40, 3)) * 255).astype(dtype)
    options = {"size": (5, 8), "axes": (0, 1), "boundary": boundary, "cval": 7}
    once = mc.filters.box(x, **options)
    monkeypatch.setattr(_box, "LARGEST_KERNEL", 0)
    passes = mc.filters.box(x, **options)
    if dtype == "uint8":
        np.testing.assert_array_equal(once, passes)
    else:
        np.testing.assert_allclose(once, passes, rtol=2e-6)


def test_traits_of_a_box_are_those_of_its_values():
    from multiconv._traits import look

    for value, dtype in [(3, np.int32), (0, np.int32), (0.1, np.float32), (0.0, np.float64)]:
        traits = look(np.full((1, 1, 1, 4, 3), value, dtype), 2)
        assert traits.known
        assert traits.constant
        assert traits.symmetric
        assert traits.finite
        assert not traits.wide_range
        assert traits.separable == (value != 0)
        assert traits.zero_fraction == (value == 0)
