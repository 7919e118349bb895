"""Long kernels along a line, whose taps are taken in classes of equal remainder."""

from __future__ import annotations

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint64", "int8"])
@pytest.mark.parametrize("taps", [9, 16, 17, 31, 33, 47, 96, 97, 101, 130, 250])
def test_signals_are_exact(taps, dtype, target, rng):
    x = rng.integers(0, 4, 2**14 + 3 * taps + 11).astype(dtype)
    h = rng.integers(0, 4, taps).astype(dtype)
    with testing.forced_target(target):
        for mode in ("same", "valid"):
            got = mc.convolve(x, h, mode, method="direct")
            expected = np.convolve(x.astype(np.int64), h.astype(np.int64), mode)
            np.testing.assert_array_equal(got, expected.astype(dtype))


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(("size", "kernel"), [((20_011,), (7,)), ((150, 171), (4, 5)),
                                              ((5, 40, 150), (2, 3, 4))])  # fmt: skip
def test_complex_numbers_are_summed_where_they_lie(size, kernel, dtype, target, rng):
    x, h = (rng.standard_normal(n) + 1j * rng.standard_normal(n) for n in (size, kernel))
    x, h = x.astype(dtype), h.astype(dtype)
    apart = np.repeat(x, 2, -1)[..., ::2]  # goes by copies
    with testing.forced_target(target):
        for mode in ("same", "full"):
            got = mc.convolve(x, h, mode, method="direct", boundary="reflect")
            copied = mc.convolve(apart, h, mode, method="direct", boundary="reflect")
            np.testing.assert_array_equal(got, copied)
        whole = np.round(4 * x), np.round(4 * h)
        exact = mc.convolve(*whole, method="reference")
        np.testing.assert_array_equal(mc.convolve(*whole, method="direct"), exact)


@pytest.mark.parametrize("taps", [31, 97])
def test_what_is_not_finite_reaches_its_windows_only(taps, rng):
    x, h = rng.random(2**15).astype(np.float32), rng.random(taps).astype(np.float32)
    x[[20_000, 20_400, 30_001]] = np.nan, np.inf, np.inf
    got = mc.convolve(x, h, "same", method="direct")
    finite = np.isfinite(np.convolve(x.astype(np.float64), h.astype(np.float64), "same"))
    np.testing.assert_array_equal(np.isfinite(got), finite)


def test_same_bits_for_any_thread_count(rng):
    x, h = rng.random(70_001).astype(np.float32), rng.random(77).astype(np.float32)
    results = []
    for threads in (1, 2, 5):
        with mc.num_threads(threads):
            results.append(mc.convolve(x, h, method="direct").tobytes())
    assert len(set(results)) == 1
