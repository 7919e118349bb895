"""Piecewise constant kernels: exact integers, direct summation's errors, NaN in its windows."""

import math

import numpy as np
import pytest

import multiconv as mc
from multiconv import _core, testing
from multiconv._traits import look

DTYPES = ("int8", "uint16", "int32", "uint64", "float32", "float64", "complex64", "complex128")


def staircase(sizes, values, dtype=np.float64):
    """Steps of these sizes and values."""
    return np.repeat(np.array(values, dtype), sizes)


def products(*lines):
    """The outer product of 1-D kernels."""
    return math.prod(line.reshape(-1, *(1,) * (len(lines) - a - 1)) for a, line in enumerate(lines))


def frame(shape, margin, inner, outer, dtype=np.float64):
    """A box within a box."""
    kernel = np.full(shape, outer, dtype)
    kernel[tuple(slice(m, n - m) for m, n in zip(margin, shape, strict=True))] = inner
    return kernel


KERNELS = {
    "staircase": staircase([3, 20, 7, 1], [1, -2, 3, 0]),
    "long steps": staircase([100, 65, 301], [2, 1, -1]),
    "haar 1-D": staircase([9, 9], [1, -1]),
    "outer product": products(staircase([4, 9], [1, 3]), staircase([11, 2, 30], [1, -1, 2])),
    "haar 2-D": products(staircase([6, 6], [1, -1]), np.ones(13)),
    "around": frame((13, 20), (4, 3), 5, -1),
    "zeros around": frame((9, 33), (2, 8), 3, 0),
    "volume": frame((5, 7, 9), (1, 2, 3), -2, 1),
    "volume of steps": products(np.ones(3), staircase([2, 3], [1, 2]), staircase([4, 5], [3, 1])),
}
SHAPES = {1: (5000,), 2: (130, 171), 3: (23, 30, 41)}


def whole_numbers(shape, dtype, seed=2):
    return np.random.default_rng(seed).integers(0, 9, shape).astype(dtype)


def both(x, kernel, target="", **options):
    with testing.forced_target(target):
        found = mc.correlate(x, kernel, method="steps", **options)
    return found, mc.correlate(x, kernel, method="reference", **options)


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_every_dtype_rank_and_target_is_exact(kernel, dtype, target):
    x = whole_numbers(SHAPES[kernel.ndim], dtype)
    taps = kernel.astype(int).astype(dtype)
    if x.dtype.kind == "c":
        x, taps = x * (1 - 2j), (taps * (2 + 1j)).astype(dtype)
    found, expected = both(x, taps, target, mode="same", boundary="reflect")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("boundary", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(
    ("stride", "dilation"), [(1, 1), (1, (2, 3)), ((2, 3), 1), ((2, 1), (1, 3))]
)
@pytest.mark.parametrize("flip", [False, True])
def test_every_boundary_mode_stride_and_dilation(mode, boundary, stride, dilation, flip):
    x = whole_numbers((143, 170), np.float32)
    function = mc.convolve if flip else mc.correlate
    kernel = KERNELS["outer product"].astype(np.float32)
    options = {"mode": mode, "boundary": boundary, "cval": 3, "stride": stride,
               "dilation": dilation}  # fmt: skip
    found = function(x, kernel, method="steps", **options)
    np.testing.assert_array_equal(found, function(x, kernel, method="reference", **options))


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("text", [
    "in700 k33 p16:16 b=reflect float32",
    "in5000 k301 p300:300 b=symmetric float32 bias act=gelu",
    "in5000 k97 s2 p3:3 cval=(0.5-2j) complex64",
    "mb3 ic2 oc2 g2 in400 k120 p60:59 b=symmetric float32 bias",
    "mb1 in63x65 k9x7 d2x3 p8:9 b=edge,wrap flip float32",
    "mb2 ic3 oc3 g3 in31x47 k5x4 p2:1 float32 bias act=silu",
    "mb2 in7x9x8 k3x4x2 d1x2x3 p2:2 b=symmetric complex128 bias",
    "mb1 in5x6x4x7 k2x3x1x2 s1x2x1x2 p1:2 b=constant,reflect,wrap,edge float32",
    "mb1 in40x30 k5x7 p3:4 cval=18446744073709551615 uint64",
    "mb1 in15x17 k3x2 dt=uint8,uint8,int32,int32 p1:1",
])  # fmt: skip
def test_it_is_the_definition(text, target):
    report = testing.check("steps", text, np.random.default_rng(3), target)
    assert report.refusal is None
    assert report.target == target


@pytest.mark.parametrize("name", ["staircase", "around", "zeros around", "volume"])
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_values_that_are_not_finite_reach_their_windows_alone(name, strange, dtype):
    kernel = KERNELS[name].astype(dtype)
    rng = np.random.default_rng(4)
    for _ in range(3):
        x = whole_numbers(SHAPES[kernel.ndim], dtype)
        x[tuple(rng.integers(n) for n in x.shape)] = strange
        with np.errstate(all="ignore"):
            found, expected = both(x, kernel, mode="same", boundary="wrap")
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
        if dtype == "float32":
            np.testing.assert_array_equal(found, expected)


def test_errors_follow_each_window_not_the_largest_value(rng):
    x = 10.0 ** rng.uniform(-4, 4, 20_000) * rng.choice([-1, 1], 20_000)
    x[5000:9000] *= 1e-8
    x = x.astype(np.float32)
    kernel = staircase([40, 80, 33], [0.1, -0.7, 1.3], np.float32)
    plan = mc.plan(mc.correlate, x, kernel, mode="valid", precision="highest", method="steps")
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.longdouble), kernel.size)
    scale = np.abs(windows) @ np.abs(kernel.astype(np.longdouble))
    errors = np.abs(plan(x) - windows @ kernel.astype(np.longdouble))
    assert np.all(errors <= plan.error_bound * scale)


@pytest.mark.parametrize(("name", "boxes"), [
    ("staircase", 4), ("long steps", 3), ("haar 1-D", 2), ("outer product", 6), ("haar 2-D", 2),
    ("around", 5), ("zeros around", 5), ("volume", 7), ("volume of steps", 4),
])  # fmt: skip
def test_how_many_boxes_a_kernel_is(name, boxes):
    kernel = KERNELS[name]
    assert look(kernel[None, None, None], kernel.ndim).boxes == boxes
    assert look(np.asfortranarray(kernel)[None, None, None], kernel.ndim).boxes == boxes


def test_kernels_of_many_values_are_given_up_soon(rng):
    assert look(rng.standard_normal((1, 1, 1, 40, 40)), 2).boxes == 0
    assert _core.tap_boxes(np.arange(32), 1) == 32
    assert _core.tap_boxes(np.arange(33), 1) == 0
    with pytest.raises(ValueError, match="rank"):
        _core.tap_boxes(np.arange(3), 2)


def test_each_group_has_steps_of_its_own(rng):
    x = rng.integers(-9, 9, (2, 3, 50, 60))
    w = np.stack([KERNELS["around"], KERNELS["around"][::-1] * 2, np.ones((13, 20))])[:, None]
    options = {"groups": 3, "padding": 5, "padding_mode": "reflect"}
    found = mc.conv(x, w.astype(int), method="steps", **options)
    np.testing.assert_array_equal(found, mc.conv(x, w.astype(int), method="reference", **options))


@pytest.mark.parametrize("shape", [(1, 1), (5, 33), (60, 7)])
def test_tiles_of_any_size_give_the_same_sums(shape, rng, monkeypatch):
    from multiconv._planner import planner
    from multiconv._registry import registered

    x = rng.integers(-99, 99, (61, 101))
    kernel = KERNELS["around"].astype(int)
    options = {"mode": "full", "boundary": "reflect"}
    whole = mc.convolve(x, kernel, method="steps", **options)
    monkeypatch.setattr(type(registered()["steps"]), "tile", lambda *_: shape)
    planner.forget()
    try:
        cut = mc.plan(mc.convolve, x, kernel, method="steps", **options)(x)
    finally:
        monkeypatch.undo()
        planner.forget()
    np.testing.assert_array_equal(cut, whole)


def test_large_steps_of_integers_are_taken_by_themselves():
    kernel = KERNELS["long steps"].astype(int)
    assert mc.plan(mc.convolve, mc.ShapeDtype((100_000,), int), kernel).algorithm == "steps"
