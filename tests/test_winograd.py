"""Minimal filtering: every tile, what it keeps of small values, the error it states."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing
from multiconv._geometry import out_size
from multiconv._planner import DEFAULT_ERROR_FACTOR, direct_error, planner
from multiconv._problem import Problem
from multiconv._registry import registered
from multiconv._traits import UNKNOWN
from multiconv.algorithms import winograd
from multiconv.algorithms._base import Epilogue, weight_bytes
from multiconv.algorithms._native import executable

ALGORITHM = registered()["winograd"]


def noise(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def run(name, problem, tile, x, w, target=""):
    native = executable(name, problem, tile, target)
    assert native.refusal is None
    shape = (problem.batch, problem.groups, problem.group_out, *out_size(problem))
    out = np.full(shape, 7, problem.out_dtype)
    native.run(native.pack(w), x, None, None, None, out)
    return out


def arrays(problem, seed=0):
    dtype = problem.acc_dtype
    x = noise(problem.batch, problem.groups, problem.group_in, *problem.in_size, dtype=dtype)
    shape = (problem.groups, problem.group_out, problem.group_in, *problem.kernel)
    return x, noise(*shape, dtype=dtype, seed=seed + 1)


def tiles(kernel):
    """Every tile that a kernel may have."""
    axes = [
        [1] if k == 1 else [m for m in range(1 if a == 0 else 2, 8) if m + k - 1 <= 8]
        for a, k in enumerate(kernel)
    ]
    return [tile for tile in itertools.product(*axes) if max(tile) > 1]


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize(
    "text",
    [
        "mb1 ic5 oc3 in19 k2", "mb1 ic5 oc18 in23 k3 p1:2", "mb2 ic3 oc5 in17 k6 p5:0",
        "mb2 ic5 oc7 in13x11 k3x3 p1:1", "mb1 ic4 oc3 in9x17 k5x4 p2:2",
        "mb1 ic3 oc4 in10x19 k1x7 p0:0,3:3", "mb1 ic3 oc4 in19x10 k3x1 p2:4,0:0",
        "mb1 ic3 oc4 in7x9x8 k3x2x3 p1:1", "mb2 g2 ic6 oc8 in7x9x8 k3x1x1 p1:1",
        "mb1 ic4 oc3 in17x19 k3x3 d2x3 p2:3 flip", "mb1 ic3 oc3 in2x3 k3x3 d4 p4:5",
        "mb1 ic4 oc3 in9x12 k3x3 p5:3 b=reflect", "mb1 ic4 oc3 in9x12 k3x3 p5:3 b=wrap",
        "mb1 ic4 oc3 in9x12 k3x3 p5:3 cval=2.5", "mb3 ic35 oc70 in8x7 k3x3 p1:1",
    ],
)  # fmt: skip
def test_every_tile_is_the_definition(text, target):
    problem = Problem.parse(text + " float64")
    x, w = arrays(problem)
    expected = run("direct", problem, (0,) * problem.rank, x, w)
    for tile in [(0,) * problem.rank, *tiles(problem.kernel)]:
        got = run("winograd", problem, tile, x, w, target)
        np.testing.assert_allclose(got, expected, atol=1e-11, err_msg=str(tile))


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("channels", "outs", "size", "kernel"),
    [(300, 40, (20, 31), (3, 3)), (64, 33, (50, 47), (3, 3)), (40, 20, (9, 14, 20), (3, 3, 3))],
)
def test_large_layers_in_both_layouts(channels, outs, size, kernel, last):
    x, w = noise(2, channels, *size), noise(outs, channels, *kernel, seed=1)
    expected = mc.conv(x.astype(float), w.astype(float), padding=1, method="direct")
    if last:
        form = {"data_format": "channels_last"}
        x, w = np.moveaxis(x, 1, -1), np.moveaxis(w, (0, 1), (-1, -2))
        got = mc.conv(x.copy(), w.copy(), padding=1, method="winograd", **form)
        got = np.moveaxis(got, -1, 1)
    else:
        got = mc.conv(x, w, padding=1, method="winograd")
    assert np.max(np.abs(got - expected)) < 5e-6 * np.max(np.abs(expected))


def kinds(problem):
    """Data of many kinds, the ones that rounding errors do not cancel in among them."""
    x, w = arrays(problem)
    yield "noise", x, w
    yield "positive", np.abs(x), np.abs(w)
    yield "constant", np.full_like(x, 0.1), np.full_like(w, 0.3)
    yield "mixed", np.full_like(x, 0.7), w
    alternating = (-1.0) ** np.indices(problem.in_size).sum(axis=0)
    yield (
        "alternating",
        np.broadcast_to(alternating, x.shape).astype(x.dtype) * x.dtype.type(0.1),
        w,
    )
    ramp = np.linspace(-1, 1, x[0, 0, 0].size).reshape(problem.in_size)
    yield "ramp", np.broadcast_to(ramp, x.shape).astype(x.dtype), np.full_like(w, 0.3)
    corner = np.zeros_like(w)
    corner[..., -1, 0] = 0.3
    yield "corner", x, corner
    yield "large tap", x, np.where(np.arange(w.shape[-1]) == 1, w, w * w.dtype.type(1e-3))
    yield "steps", np.where(np.indices(problem.in_size)[-1] % 8 < 4, x, x * x.dtype.type(1e-2)), w


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "text",
    [
        "mb1 ic2 oc16 in26x22 k3x3 p1:1", "mb1 ic64 oc16 in26x22 k3x3 p1:1",
        "mb1 ic400 oc16 in14x14 k3x3 p1:1", "mb1 ic16 oc16 in27x22 k5x5 p2:2",
        "mb1 ic48 oc16 in27x22 k5x5 p2:2", "mb1 ic24 oc16 in6x12x13 k3x3x3 p1:1",
        "mb1 ic24 oc16 in14x300 k1x7 p0:0,3:3", "mb1 ic33 oc16 in20x20 k2x4",
    ],
)  # fmt: skip
def test_the_stated_error_holds_for_every_tile(text, dtype):
    problem = Problem.parse(f"{text} {dtype}")
    wide = Problem.parse(f"{text} {'float64' if dtype == 'float32' else 'longdouble'}")
    for name, x, w in kinds(problem):
        if dtype == "float32":
            exact = run("direct", wide, (0,) * wide.rank, x.astype(float), w.astype(float))
            scale = run(
                "direct", wide, (0,) * wide.rank, abs(x.astype(float)), abs(w.astype(float))
            ).max()
        else:
            plan = planner.step(wide, UNKNOWN, "reference")
            exact, scale = (
                np.empty((1, 1, problem.group_out, *out_size(problem)), np.longdouble)
                for _ in range(2)
            )
            long_x, long_w = x.astype(np.longdouble), w.astype(np.longdouble)
            if x.size * w[0, 0, 0].size > 2e5:
                continue
            plan.run(plan.prepare(long_w), long_x, Epilogue(), exact)
            plan.run(plan.prepare(abs(long_w)), abs(long_x), Epilogue(), scale)
            scale = scale.max()
        for tile in tiles(problem.kernel):
            got = run("winograd", problem, tile, x, w)
            error = float(np.max(np.abs(got - exact)) / scale)
            assert error <= winograd._error(problem, tile), (name, tile)


@pytest.mark.parametrize(
    "text",
    ["mb1 ic64 oc64 in56x56 k3x3 p1:1", "mb1 ic16 oc16 in50x50 k5x5", "mb1 ic2 oc9 in40x40 k3x3",
     "mb1 ic32 oc32 in20x20x20 k3x3x3", "mb1 ic64 oc20 in50x50 k3x3", "mb1 ic64 oc64 in500 k7"],
)  # fmt: skip
def test_the_choice_of_tiles_keeps_the_rules_of_accuracy_and_memory(text):
    problem = Problem.parse(text + " float32")
    cost = ALGORITHM.cost(problem, UNKNOWN, planner)
    assert cost.error <= DEFAULT_ERROR_FACTOR * direct_error(problem)
    for low_memory, times in [(False, 4.5), (True, 1.0)]:
        problem = replace(problem, low_memory=low_memory)
        prepared = ALGORITHM.prepared_bytes(problem, UNKNOWN, planner)
        if not low_memory or weight_bytes(problem) < 2**18:
            assert prepared <= times * weight_bytes(problem) + 2**20


def test_the_highest_precision_is_refused():
    with pytest.raises(mc.RefusedError, match="highest"):
        mc.conv(noise(1, 8, 9, 9), noise(8, 8, 3, 3), method="winograd", precision="highest")


SHAPES = [((1, 20, 23, 19), (17, 20, 3, 3)), ((2, 9, 40), (20, 9, 5)),
          ((1, 6, 7, 9, 11), (5, 6, 3, 3, 3)), ((1, 18, 15, 14), (3, 18, 5, 5))]  # fmt: skip


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize(("data", "kernel"), SHAPES)
def test_nan_and_infinity_reach_the_outputs_whose_windows_hold_them(data, kernel, target):
    x, w = noise(*data), noise(*kernel, seed=1)
    w[0, 1] = 0  # a zero times infinity is NaN
    w[1, 0, ..., 1] = 0
    x.reshape(-1)[[3, x.size // 3, x.size - 1]] = np.nan, np.inf, -np.inf
    x[0, 1].reshape(-1)[30] = np.inf
    with testing.forced_target(target):
        got = mc.conv(x, w, padding=1, method="winograd")
        wide = x.astype(float), w.astype(float)
        with np.errstate(invalid="ignore"):
            expected = mc.conv(*wide, padding=1, method="direct")
    finite = np.isfinite(expected)
    assert not finite.all()
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    np.testing.assert_allclose(got[finite], expected[finite], atol=2e-4)


@pytest.mark.parametrize(("data", "kernel"), SHAPES)
@pytest.mark.parametrize("spread", ["half", "spots", "ramp"])
def test_small_values_are_kept_beside_large_ones(data, kernel, spread):
    x, w = noise(*data), noise(*kernel, seed=1)
    size = np.indices(data)[-1]
    if spread == "half":
        x[size < data[-1] // 2] *= 1e-8
    elif spread == "ramp":
        x *= np.float32(10.0) ** (-size)
    else:
        x *= 1e-8
        x.reshape(-1)[:: x.size // 5] = 1e4
    wide = x.astype(float), w.astype(float)
    got = mc.conv(x, w, padding=1, method="winograd")
    exact = mc.conv(*wide, padding=1, method="direct")
    scale = mc.conv(*map(abs, wide), padding=1, method="direct")
    assert np.max(np.abs(got - exact) / scale) < 2e-3


def test_what_direct_summation_can_hold_does_not_overflow():
    x, w = noise(1, 20, 21, 22), noise(17, 20, 3, 3, seed=1)
    for large, small in [(1e37, 1e-3), (1e30, 1e5), (1e-20, 1e36)]:
        data, kernel = x * np.float32(large), w * np.float32(small)
        got = mc.conv(data, kernel, method="winograd")
        exact = mc.conv(data.astype(float), kernel.astype(float), method="direct")
        assert np.max(np.abs(got - exact)) < 1e-5 * np.max(np.abs(exact))


def test_results_do_not_depend_on_threads():
    for data, kernel in [*SHAPES, ((1, 300, 30, 31), (70, 300, 3, 3))]:
        x, w = noise(*data), noise(*kernel, seed=1)
        x.reshape(-1)[5] = 1e9
        results = []
        for threads in (1, 2, 3):
            with mc.num_threads(threads):
                results.append(mc.conv(x, w, padding=1, method="winograd"))
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])


def test_bias_and_activation():
    x, w, b = noise(2, 20, 15, 13), noise(19, 20, 3, 3, seed=1), noise(19, seed=2)
    arguments = {"padding": 1, "activation": "relu"}
    got = mc.conv(x, w, b, method="winograd", **arguments)
    expected = mc.conv(x, w, b, method="direct", **arguments)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert (got == 0).any()
    assert (got > 0).any()


def test_input_gradients_run_as_layers():
    w, grad = noise(20, 18, 3, 3), noise(1, 20, 14, 13, seed=1)
    shape = (1, 18, 14, 13)
    got = mc.conv_input_grad(grad, w, shape, padding=1, method="winograd")
    expected = mc.conv_input_grad(grad, w, shape, padding=1, method="direct")
    np.testing.assert_allclose(got, expected, atol=1e-4)
