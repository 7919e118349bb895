"""Integers in, float kernels, integers out: rounded half to even, clipped, in every algorithm."""

from __future__ import annotations

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing
from multiconv._rounding import narrowed, stored

METHODS = ["auto", "direct", "fused", "cast", "reference"]


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["uint8", "int8", "uint16", "int16"])
def test_rounds_and_clips(name, method, target, rng):
    bounds = np.iinfo(name)
    x = rng.integers(bounds.min, bounds.max, (37, 83), endpoint=True).astype(name)
    h = np.outer([0.5, 2.0, -0.75], [1.0, 0.5, 4.0, -1.0, 0.25]).astype(np.float64)
    exact = mc.convolve(x.astype(np.float64), h, "same", boundary="reflect", method="reference")
    expected = np.clip(np.rint(exact), bounds.min, bounds.max).astype(name)
    assert (exact < bounds.min).any()
    assert (exact > bounds.max).any()
    assert (exact % 1 == 0.5).any()
    with testing.forced_target(target):
        got = mc.convolve(
            x, h, "same", boundary="reflect", dtype=name, method=method
        )  # fmt: skip
    assert got.dtype == name
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("boundary", ["constant", "edge", "wrap"])
def test_pictures_by_single_floats(method, boundary, rng):
    x = rng.integers(0, 256, (45, 131), np.uint8)
    h = np.outer(np.arange(1, 6), np.arange(2, 9)).astype(np.float32)
    h /= 2 ** np.ceil(np.log2(h.sum()))  # taps that lose nothing
    options = {"mode": "same", "boundary": boundary, "cval": 77}
    exact = mc.convolve(x.astype(np.float64), h.astype(np.float64), method="reference", **options)
    got = mc.convolve(x, h, dtype=np.uint8, method=method, **options)
    np.testing.assert_array_equal(got, np.rint(exact).astype(np.uint8))


@pytest.mark.parametrize("method", METHODS)
def test_integer_results_wider_than_the_data(method, rng):
    x = rng.integers(0, 256, (21, 65), np.uint8)
    h = np.outer([4.0, -1.0, 0.5], [2.0, 8.0, -4.0]).astype(np.float32)
    exact = mc.convolve(x.astype(np.float64), h.astype(np.float64), method="reference")
    got = mc.convolve(x, h, dtype=np.int16, method=method)
    np.testing.assert_array_equal(got, np.rint(exact).astype(np.int16))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("result", ["uint8", "int8", "uint16", "int16"])
def test_what_is_not_finite_has_a_place(dtype, result, rng):
    x = np.ones((4, 40), np.uint8)
    h = np.outer([1.0, 1.0], [1.0, 1.0, 1.0]).astype(dtype)
    bounds = np.iinfo(result)
    for tap, expected in ((np.inf, bounds.max), (-np.inf, bounds.min), (np.nan, 0)):
        h[0, 1] = tap
        got = mc.convolve(x, h, "valid", dtype=result)
        assert (got == expected).all()
        np.testing.assert_array_equal(
            got, mc.convolve(x, h, "valid", dtype=result, method="direct")
        )


def test_integer_kernels_stay_exact_modulo():
    x, h = np.array([200, 100], np.uint8), np.array([2, 1], np.uint8)
    np.testing.assert_array_equal(mc.convolve(x, h), np.array([400, 400, 100]).astype(np.uint8))


@pytest.mark.parametrize(
    ("x", "h", "dtype"),
    [(np.float32, np.float32, np.uint8), (np.uint8, np.uint16, np.uint8),
     (np.uint8, np.complex64, np.uint8), (np.float32, np.int8, np.int16)],
)  # fmt: skip
def test_other_narrow_results_are_refused(x, h, dtype):
    with pytest.raises(ValueError, match=r"dtype: .* cannot hold"):
        mc.convolve(np.ones(5, x), np.ones(3, h), dtype=dtype)


def test_narrowing_of_arrays():
    values = np.array([-1.5, 0.5, 1.5, 254.5, 255.5, 300, np.nan, np.inf])
    expected = np.array([0, 0, 2, 254, 255, 255, 0, 255], np.uint8)
    np.testing.assert_array_equal(narrowed(values, np.dtype(np.uint8)), expected)
    whole = np.array([-1, 256, 511])
    np.testing.assert_array_equal(narrowed(whole, np.dtype(np.uint8)), [255, 0, 255])
    np.testing.assert_array_equal(stored(whole, np.dtype(np.uint8)), [0, 255, 255])
