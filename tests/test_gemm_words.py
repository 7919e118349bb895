"""Layers of narrow integers: extreme numbers, every layout and remainder, exactly."""

import math

import ml_dtypes
import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

WORDS = [("gemm_pairs", t) for t in testing.targets()]
WORDS += [("gemm_quads", "avx512"), ("gemm_tiles", "avx512")]


def exact(x, w, stride=1, padding=0):
    """The definition in int64, in two dimensions."""
    p = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(p, w.shape[2:], (2, 3))
    windows = windows[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, w.astype(np.int64))


def runs(name, target):
    report = testing.check(name, "ic64 oc16 in9 k3 dt=int8,int8,int32,int32", target=target)
    return report.refusal is None


def fills_registers(w):
    """Whether weights take a quarter of what they do padded to 16 outputs by 64 bytes."""
    filters, channels, *taps = w.shape
    words = math.prod(taps) * -(-channels // 4)
    return -(-filters // 16) * -(-words // 16) * 1024 <= 4 * w.size


def check(name, target, x, w, **options):
    if target not in testing.targets() or not runs(name, target):
        pytest.skip("this CPU has no such instructions")
    expected = exact(x, w, **options)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)), w.transpose(2, 3, 1, 0)
    backwards = x[:, ::-1, ::-1], w[:, ::-1]
    with testing.forced_target(target):
        if name == "gemm_tiles" and not fills_registers(w):
            with pytest.raises(mc.RefusedError, match="mostly empty"):
                mc.conv(x, w, method=name, dtype="int32", **options)
            return
        found = mc.conv(x, w, method=name, dtype="int32", **options)
        np.testing.assert_array_equal(found, expected)
        found = mc.conv(*last, method=name, dtype="int32", data_format="channels_last", **options)
        np.testing.assert_array_equal(found.transpose(0, 3, 1, 2), expected)
        found = mc.conv(*backwards, method=name, dtype="int32", **options)
        np.testing.assert_array_equal(found, exact(*backwards, **options))


@pytest.mark.parametrize(("name", "target"), WORDS)
@pytest.mark.parametrize("value", [-128, 0, 127, 255])
@pytest.mark.parametrize("weight", [-128, 127])
def test_extreme_numbers_do_not_saturate(name, target, value, weight):
    dtype = "uint8" if value > 127 else "int8"
    x = np.full((1, 130, 5, 6), value, dtype)
    check(name, target, x, np.full((13, 130, 3, 2), weight, "int8"), padding=1)


@pytest.mark.parametrize(("name", "target"), WORDS)
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("channels", [1, 3, 4, 6, 63, 64, 67, 300])
def test_words_and_their_remainders(name, target, dtype, channels, rng):
    bounds = np.iinfo(dtype)
    x = rng.integers(bounds.min, bounds.max + 1, (2, channels, 19, 23)).astype(dtype)
    for filters, kernel, options in [(2, (3, 2), {}), (33, (1, 1), {}), (16, (1, 1), {"stride": 3}),
                                     (47, (3, 4), {"stride": 2, "padding": 2})]:  # fmt: skip
        w = rng.integers(-128, 128, (filters, channels, *kernel)).astype("int8")
        check(name, target, x, w, **options)


@pytest.mark.parametrize("target", testing.targets())
def test_pairs_of_16_bits_wrap(target):
    x = np.full((1, 6, 4, 5), -32768, "int16")
    w = np.full((3, 6, 2, 2), -32768, "int16")
    with testing.forced_target(target):
        found = mc.conv(x, w, method="gemm_pairs", dtype="int32")
    np.testing.assert_array_equal(found, np.zeros((1, 3, 3, 4), "int32") + 24 * 2**30 % 2**32)


def test_the_planner_takes_the_widest_words(rng):
    x = rng.integers(-128, 128, (1, 64, 28, 30)).astype("int8")
    w = rng.integers(-128, 128, (64, 64, 3, 3)).astype("int8")
    plan = mc.plan(mc.conv, x, w, padding=1, dtype="int32")
    assert plan.algorithm in ("gemm_pairs", "gemm_quads", "gemm_tiles")
    np.testing.assert_array_equal(plan(x), exact(x, w, padding=1))


@pytest.mark.parametrize("channels", [32, 63, 130])
@pytest.mark.parametrize("filters", [9, 33])
def test_bfloat16_is_summed_in_float32(channels, filters, rng):
    if not runs("gemm_tiles", "avx512"):
        pytest.skip("this CPU has no such instructions")
    brain = ml_dtypes.bfloat16
    x = rng.integers(-8, 9, (2, channels, 11, 13)).astype(brain)
    w = rng.integers(-8, 9, (filters, channels, 3, 2)).astype(brain)
    plan = mc.plan(mc.conv, x, w, padding=1)
    assert plan.algorithm == "gemm_tiles"
    expected = exact(x.astype("int8"), w.astype("int8"), padding=1).astype(brain)
    np.testing.assert_array_equal(plan(x), expected)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)), w.transpose(2, 3, 1, 0)
    found = mc.conv(*last, padding=1, data_format="channels_last", method="gemm_tiles")
    np.testing.assert_array_equal(found.transpose(0, 3, 1, 2), expected)
    x[0, 3, 5, 6] = np.nan
    strange = np.isnan(plan(x).astype("float32"))
    assert strange[0, :, 4:7, 6:8].all()
    assert strange.sum() == filters * 6


def test_kernels_say_what_they_do_not_take(rng):
    x, w = np.ones((1, 4, 5, 6), "int8"), np.ones((3, 4, 2, 2), "uint8")
    with pytest.raises(ValueError, match="weights have to be int8"):
        mc.conv(x, w, method="gemm_quads")
    with pytest.raises(ValueError, match="32-bit"):
        mc.conv(x, w, method="gemm_pairs", dtype="int64")
    with pytest.raises(ValueError, match="int8, uint8 or int16"):
        mc.conv(x.astype("uint16"), w, method="gemm_pairs", dtype="int32")
