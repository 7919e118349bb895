"""Block transforms: what they keep of small values, kernels by the dozen, sizes of blocks."""

import math

import numpy as np
import pytest

import multiconv as mc
from multiconv.algorithms import overlap_save
from multiconv.algorithms._native import executable


def noise(*shape, dtype="float32", seed=0):
    source = np.random.default_rng(seed)
    values = source.uniform(0.5, 1, shape) * source.choice([-1, 1], shape)
    if np.dtype(dtype).kind == "c":
        values = values * np.exp(1j * source.uniform(0, 6, shape))
    return values.astype(dtype)


def problem_of(x, h, **arguments):
    return mc.plan(mc.convolve, x, h, method="overlap_save", **arguments).problem


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("end", [0, -1])
@pytest.mark.parametrize(
    ("size", "taps", "small"),
    [((4000,), (101,), 130), ((4000,), (64,), 70), ((150, 170), (21, 18), 30)],
)
def test_small_values_at_an_edge_are_kept_beside_large_ones(size, taps, small, end, mode):
    x, h = noise(*size), noise(*taps, seed=1)
    edge = np.arange(size[0]) < small
    x[edge if end == 0 else edge[::-1]] *= 1e-7
    got = mc.convolve(x, h, mode, method="overlap_save")
    wide = x.astype(float), h.astype(float)
    expected = mc.convolve(*wide, mode, method="direct")
    scale = mc.convolve(*map(abs, wide), mode, method="direct")
    assert np.max(np.abs(got - expected) / scale) < 1e-3


def test_the_smallest_corner_of_a_full_convolution_is_kept():
    x, h = noise(300, 310), noise(31, 29, seed=1)
    x[0, 0] = 1e-9
    got = mc.convolve(x, h, method="overlap_save")
    assert got[0, 0] == pytest.approx(float(x[0, 0]) * float(h[0, 0]), rel=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize(
    ("groups", "outs", "size", "taps"),
    [(19, 1, (700,), (40,)), (3, 7, (90,), (17,)), (5, 2, (33, 48), (7, 10))],
)
def test_many_kernels(groups, outs, size, taps, dtype):
    x = noise(2, groups, *size, dtype=dtype)
    w = noise(groups * outs, 1, *taps, dtype=dtype, seed=1)
    got = mc.conv(x, w, groups=groups, method="overlap_save")
    expected = mc.conv(x, w, groups=groups, method="direct")
    np.testing.assert_allclose(got, expected, atol=1e-5 * math.prod(taps))


@pytest.mark.parametrize("tile", [(2, 3, 10000), (48, 1, 54), (40, 45, 50), (64, 6, 96)])
def test_spectra_of_any_block_size(tile):
    size, taps = (50, 1, 40) if tile[1] == 1 else (50, 5, 40), (2, min(tile[1], 2), 9)
    x, h = noise(*size), noise(*taps, seed=1)
    problem = problem_of(x, h)
    native = executable("overlap_save", problem, tile)
    out = np.empty((1, 1, 1, *(n + k - 1 for n, k in zip(size, taps, strict=True))), x.dtype)
    native.run(native.pack(h[None, None, None]), x[None, None, None], None, None, None, out)
    np.testing.assert_allclose(out[0, 0, 0], mc.convolve(x, h, method="direct"), atol=1e-4)


def test_block_sizes_are_ones_the_kernel_takes():
    source = np.random.default_rng(3)
    for _ in range(60):
        rank = int(source.integers(1, 5))
        size = source.integers(1, {1: 10**6, 2: 900, 3: 90, 4: 20}[rank], rank)
        taps = [int(source.integers(1, n + 1)) for n in size]
        x, h = (
            mc.ShapeDtype(tuple(map(int, size)), "float32"),
            mc.ShapeDtype(tuple(taps), "float32"),
        )
        problem = problem_of(x, h, stride=int(source.integers(1, 4)))
        tile = overlap_save.OverlapSave().tile(problem)
        assert executable("overlap_save", problem, tile).refusal is None
        assert all(t >= k for t, k in zip(tile, taps, strict=True))


def test_cost_grows_with_the_data_and_the_kernel():
    def seconds(size, taps):
        x, h = mc.ShapeDtype((size, size), "float32"), mc.ShapeDtype((taps, taps), "float32")
        plan = mc.plan(mc.convolve, x, h, mode="same", method="overlap_save")
        return next(r.seconds for r in plan.explain().rows if r.algorithm == "overlap_save")

    sizes = [seconds(n, 21) for n in (256, 512, 1024, 2048, 4096)]
    kernels = [seconds(1024, k) for k in (9, 33, 129, 257)]
    assert sizes == sorted(sizes)
    assert kernels == sorted(kernels)
    assert sizes[4] < 24 * sizes[2]


def test_long_kernels_of_wide_range_are_transformed_in_double_precision(rng):
    decay = 10.0 ** (-5 * np.arange(30_011) / 30_011)
    kernel = (rng.standard_normal(30_011) * decay).astype(np.float32)
    x = rng.standard_normal(40_013).astype(np.float32)
    plan = mc.plan(mc.convolve, mc.ShapeDtype(x.shape, x.dtype), kernel)
    assert plan.algorithm == "cast"
    exact = np.convolve(x[-3:].astype(np.float64), kernel)[-30_000:]
    alone = np.zeros_like(x)
    alone[-3:] = x[-3:]
    np.testing.assert_allclose(plan(alone)[-30_000:], exact, rtol=1e-5, atol=1e-12)


def test_ranges_beyond_double_precision_are_summed_directly(rng):
    kernel = np.geomspace(1, 1e-30, 4001).astype(np.float32)
    x = rng.standard_normal(5003).astype(np.float32)
    assert mc.plan(mc.convolve, mc.ShapeDtype(x.shape, x.dtype), kernel).algorithm != "cast"
