"""Against `numpy.convolve`, `numpy.correlate` and their definitions."""

import numpy as np
import pytest

import multiconv as mc

SIZES = [(1, 1), (5, 1), (5, 3), (5, 5), (17, 4), (64, 7), (65, 8), (200, 33), (1001, 250)]
DTYPES = ["bool", "int8", "uint16", "int32", "int64", "float16", "float32", "float64", "longdouble",
          "complex64", "complex128"]  # fmt: skip
MODES = ["full", "same", "valid"]


def draw(rng, size, dtype):
    values = rng.integers(-9, 10, size)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.integers(-9, 10, size)
    return values.astype(dtype)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_convolve_and_correlate(size, dtype, mode, rng):
    x, h = draw(rng, size[0], dtype), draw(rng, size[1], dtype)
    for ours, theirs in ((mc.convolve, np.convolve), (mc.correlate, np.correlate)):
        got, expected = ours(x, h, mode), theirs(x, h, mode)
        assert got.dtype == expected.dtype
        if np.dtype(dtype).kind in "biu":
            np.testing.assert_array_equal(got, expected)
        else:
            np.testing.assert_allclose(got, expected, rtol=0, atol=error(x, h, dtype))


def error(x, h, dtype):
    """What rounding may do to sums of these."""
    largest = np.abs(x.astype(complex)).max() * np.abs(h.astype(complex)).sum()
    # NumPy itself adds float16 up in float16.
    return 4 * np.finfo(dtype).eps * largest * (h.size if dtype == "float16" else 10)


@pytest.mark.parametrize("x", [3, 8, 20])
@pytest.mark.parametrize("h", [9, 33])
def test_full_does_not_care_which_is_longer(x, h, rng):
    x, h = rng.standard_normal(x), rng.standard_normal(h)
    np.testing.assert_allclose(mc.convolve(x, h), np.convolve(x, h), atol=1e-13)
    np.testing.assert_allclose(mc.correlate(x, h, "full"), np.correlate(x, h, "full"), atol=1e-13)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rank", [2, 3, 4])
def test_any_rank_by_nested_sums(rank, mode, rng):
    x, h = rng.standard_normal((5, 6, 4, 7)[:rank]), rng.standard_normal((3, 2, 4, 1)[:rank])
    full = np.zeros([n + k - 1 for n, k in zip(x.shape, h.shape, strict=True)])
    for tap in np.ndindex(h.shape):
        full[tuple(slice(t, t + n) for t, n in zip(tap, x.shape, strict=True))] += h[tap] * x
    kept = {
        "full": lambda n, k: slice(None),
        "same": lambda n, k: slice((k - 1) // 2, (k - 1) // 2 + n),
        "valid": lambda n, k: slice(k - 1, n),
    }[mode]
    expected = full[tuple(map(kept, x.shape, h.shape))]
    np.testing.assert_allclose(mc.convolve(x, h, mode), expected, atol=1e-13)


def test_a_symmetric_kernel_would_hide_a_missing_flip():
    x, h = [1, 2, 3, 4, 5], [1, 10, 100]
    assert mc.convolve(x, h, "valid").tolist() == [123, 234, 345]
    assert mc.correlate(x, h, "valid").tolist() == [321, 432, 543]
    assert mc.conv([[x]], [[h]]).tolist() == [[[321, 432, 543]]]
    assert mc.conv([[x]], [[h]], flip=True).tolist() == [[[123, 234, 345]]]
