"""Long transforms: any cut of the problem, any values, any number of threads."""

import dataclasses

import numpy as np
import pytest
from scipy import signal

import multiconv as mc
from multiconv import testing
from multiconv._problem import Problem
from multiconv._registry import registered
from multiconv.algorithms import partitioned

DTYPES = ("float32", "float64", "complex64", "complex128")


def noise(rng, count, dtype):
    values = rng.standard_normal(count)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(count)
    return values.astype(dtype)


def convolve(x, h, **words):
    return mc.convolve(x, h, method="partitioned", **words)


@pytest.fixture
def cut(monkeypatch):
    """Sets the length of blocks."""

    def set_length(length):
        best = partitioned._Blocks(length, 1e-3)
        monkeypatch.setattr(partitioned, "_best", lambda problem: best)

    return set_length


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("length", [512, 1024, 1536, 2560, 3584, 8192])
@pytest.mark.parametrize(
    "text",
    [
        "mb2 in1300 k301 float32",
        "mb1 ic2 oc4 g2 in1300 k500 p499:499 flip float64 bias",
        "in1300 k333 s3 p100:331 b=wrap flip float32 act=relu",
        "in700 k400 p-20:700 cval=-2 complex64",
        "in900 k511 s2 p700:-300 b=symmetric flip complex128 bias",
        "in3 k512 p511:511 float32",
    ],
)
def test_every_cut_agrees_with_the_definition(text, length, target, cut):
    cut(length)
    assert testing.check("partitioned", text, target=target).refusal is None


@pytest.mark.parametrize("padding", ["1030:0", "0:1030", "1030:-1700", "-1690:1000", "-900:-700"])
def test_windows_that_lie_beside_the_data(padding):
    text = f"in1700 k90 p{padding} float64"
    assert testing.check("partitioned", text).refusal is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "k"), [(100_003, 30_011), (20_011, 20_011), (7_001, 50_021)])
def test_long_kernels(n, k, mode, dtype, rng):
    if mode == "valid" and k > n:
        n, k = k, n
    x, h = noise(rng, n, dtype), noise(rng, k, dtype)
    wide = np.result_type(dtype, np.float64)
    # SciPy's centre is that of the larger array where it swaps them, so it is given no choice.
    expected = signal.fftconvolve(x.astype(wide), h.astype(wide))
    start, count = {"full": (0, n + k - 1), "same": ((k - 1) // 2, n), "valid": (k - 1, n - k + 1)}[
        mode
    ]
    found = convolve(x, h, mode=mode)
    limit = 40 * np.finfo(dtype).eps * np.linalg.norm(x) * np.linalg.norm(h)
    assert np.abs(found - expected[start : start + count]).max() < limit


@pytest.mark.parametrize("length", [4096, 16384])
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_a_stray_value_reaches_its_windows_alone(strange, length, cut, rng):
    cut(length)
    x, h = noise(rng, 9_001, "float64"), rng.random(2_003) + 0.5
    clean = convolve(x, h)
    x[4_567] = strange
    found = convolve(x, h)
    touched = slice(4_567, 4_567 + h.size)
    np.testing.assert_array_equal(found[touched], np.full(h.size, strange))
    outside = np.ones(found.size, bool)
    outside[touched] = False
    np.testing.assert_allclose(found[outside], clean[outside], atol=1e-10)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("share", [0.0005, 0.2, 1.0])
def test_many_values_that_are_not_finite(share, dtype, rng):
    x, h = noise(rng, 3_001, dtype), noise(rng, 701, dtype)
    h[5] = 0
    strange = rng.choice([np.nan, np.inf, -np.inf], x.size, p=[0.1, 0.45, 0.45])
    x = np.where(rng.random(x.size) < share, strange, x).astype(dtype)
    with np.errstate(invalid="ignore"):
        expected = mc.convolve(x, h, method="direct")
    for part in (np.real, np.imag):
        a, b = part(convolve(x, h)), part(expected)
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        np.testing.assert_array_equal(a[np.isinf(b)], b[np.isinf(b)])


def test_data_without_a_finite_value(rng):
    h = rng.random(3_000)
    assert np.isnan(convolve(np.full(5_000, np.nan), h)).all()
    assert np.isposinf(convolve(np.full(5_000, np.inf), h + 1)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [2048, 16384])
def test_small_values_survive_beside_large_ones(dtype, length, cut, rng):
    cut(length)
    x, h = noise(rng, 8_000, dtype), noise(rng, 900, dtype)
    x[:3_000] *= 2.0**-30
    x[3_000:5_000] *= 2.0**-60
    x[6_500] = 2.0**40
    found = convolve(x, h)
    wide = {"f": np.longdouble, "c": np.clongdouble}[np.dtype(dtype).kind]
    for start, end in ((900, 3_000), (3_900, 5_000), (5_900, 6_500), (7_400, 8_000)):
        first = start - h.size + 1
        expected = signal.convolve(x[first:end].astype(wide), h.astype(wide), "valid", "direct")
        assert np.abs(found[start:end] - expected).max() < 1e-3 * np.abs(expected).max()


def test_a_signal_that_fades_keeps_its_digits_to_the_end(rng):
    fading = np.logspace(0, -37, 40_000)
    x = (noise(rng, fading.size, "float64") * fading).astype(np.float32)
    h = (rng.random(2_000) + 0.5).astype(np.float32)
    found = convolve(x, h, mode="valid")
    for start in range(0, found.size, 1_777):
        window = x[start : start + h.size].astype(np.float64)
        error = abs(found[start] - window @ h[::-1].astype(np.float64))
        assert error < 1e-2 * (np.abs(window) @ np.abs(h))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_single_sample_returns_the_kernel(dtype, rng):
    x, h = np.zeros(5_000, dtype), noise(rng, 4_000, dtype)
    assert not convolve(x, h).any()
    for place in (0, 1_234, 4_999):
        x[:] = 0
        x[place] = 1
        found = convolve(x, h)
        limit = 20 * np.finfo(dtype).eps * np.abs(h).max()
        assert np.abs(found[place : place + h.size] - h).max() < limit
        assert np.abs(found[: max(place, 1)]).max() < max(limit, abs(h[0]) if place == 0 else 0) * 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", ["max", "smallest_subnormal", "tiny"])
def test_magnitudes_at_the_ends_of_the_range(scale, dtype, rng):
    extreme = getattr(np.finfo(dtype), scale)
    signs = rng.choice([-1, 1], 3_000).astype(dtype)
    h = np.zeros(1_000, dtype)
    h[[3, 900]] = [0.5, -0.25]
    found = convolve(signs * extreme, h)
    expected = signal.fftconvolve(signs.astype(float), h.astype(float))
    np.testing.assert_allclose(
        found.astype(np.longdouble) / extreme, expected, atol=1.0 if "sub" in scale else 1e-4
    )
    grown = convolve(signs * extreme, np.full(1_000, 2, dtype))
    exact = np.convolve(signs.astype(float), np.full(1_000, 2.0))
    with np.errstate(over="ignore"):
        stored = (exact * np.longdouble(extreme)).astype(dtype)
    large = np.abs(exact) > 2
    np.testing.assert_allclose(grown[large], stored[large], rtol=1e-3)


def test_the_same_bits_for_any_number_of_threads(rng):
    signals, h = noise(rng, (37, 4_000), "float32"), noise(rng, 1_500, "float32")
    x, long = noise(rng, 70_000, "float64"), noise(rng, 60_000, "float64")
    signals[3, 77] = np.inf
    x[:9_000] *= 1e-20
    results = set()
    for threads in (1, 2, 3, 16):
        with mc.num_threads(threads):
            results.add((convolve(signals, h).tobytes(), convolve(x, long).tobytes()))
    assert len(results) == 1


def test_a_plan_keeps_the_kernel(rng):
    x, h = noise(rng, 30_000, "float32"), noise(rng, 20_000, "float32")
    plan = mc.plan(mc.convolve, mc.ShapeDtype(x.shape, x.dtype), h, method="partitioned")
    expected = convolve(x, h)
    h[:] = 0
    np.testing.assert_array_equal(plan(x), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "k"), [(10**6, 10**6), (10**6, 4 * 10**5)])
def test_it_is_chosen_for_long_kernels(n, k, dtype):
    plan = mc.plan(mc.convolve, mc.ShapeDtype((n,), dtype), mc.ShapeDtype((k,), dtype))
    assert plan.algorithm == "partitioned"
    assert plan.error_bound < 80 * np.finfo(dtype).eps


def test_it_is_not_chosen_for_short_ones():
    for k in (3, 31, 300):
        plan = mc.plan(mc.convolve, mc.ShapeDtype((10**6,)), mc.ShapeDtype((k,)))
        assert plan.algorithm != "partitioned"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("in50x900 k1x800 float32", "one axis"),
        ("in900 k800 int32", "round integers"),
        ("ic2 oc2 in900 k800 float32", "sums over them"),
        ("in900 k300 d2 float32", "dilation"),
        ("in900 k300 id2 float32", "dilation"),
        ("in900 k300 precision=highest float32", "direct summation"),
    ],
)
def test_refusals(text, reason):
    report = testing.check("partitioned", text)
    assert reason in report.refusal


@pytest.mark.parametrize("text", ["in5000 k4000 p3999:3999 float32", "in9000 k3 complex128"])
def test_the_length_stated_for_a_single_block_is_the_least_that_works(text):
    problem = Problem.parse(text)
    length = partitioned._length_from(problem, partitioned._whole(problem))
    one = registered()["partitioned"].executable(problem)
    assert one.refusal is None
    sizes = {length, partitioned._best(problem).length}
    assert all(size % 256 == 0 for size in sizes)
    shorter = dataclasses.replace(problem, in_size=(problem.in_size[0] // 2,))
    assert partitioned._whole(shorter) < partitioned._whole(problem)
