"""Circular convolution against its definition and the product of spectra."""

import numpy as np
import pytest

import multiconv as mc
from multiconv.periodic import circular_convolve

X = np.ones((6, 7))


def cyclic(x, h, n):
    """The definition, for vectors of Python's numbers."""
    result = [0] * n
    for i, u in enumerate(x):
        for j, v in enumerate(h):
            result[(i + j) % n] += u * v
    return result


@pytest.mark.parametrize("n", [None, 1, 2, 3, 7, 8, 11, 12, 30])
@pytest.mark.parametrize(("x_size", "h_size"), [(8, 3), (3, 8), (7, 4), (1, 1), (11, 11)])
def test_circular_convolution_of_any_length(n, x_size, h_size, rng):
    x, h = rng.integers(-99, 99, x_size), rng.integers(-99, 99, h_size)
    expected = cyclic(x.tolist(), h.tolist(), n or max(x_size, h_size))
    found = circular_convolve(x, h, n)
    assert found.dtype == np.int64
    assert found.tolist() == expected
    np.testing.assert_allclose(circular_convolve(x.astype(float), h, n), expected, atol=1e-9)


@pytest.mark.parametrize("n", [None, 6, (5, 12)])
def test_circular_convolution_of_pages(n, rng):
    x, h = rng.standard_normal((2, 7, 9)), rng.standard_normal((4, 10))
    size = {None: (7, 10), 6: (6, 6)}.get(n, n)
    full = mc.convolve(x, h)
    expected = np.zeros((2, *size))
    for i in range(full.shape[1]):
        for j in range(full.shape[2]):
            expected[:, i % size[0], j % size[1]] += full[:, i, j]
    np.testing.assert_allclose(circular_convolve(x, h, n), expected, atol=1e-12)
    moved = circular_convolve(np.moveaxis(x, 0, -1), h, n, axes=(0, 1))
    np.testing.assert_allclose(np.moveaxis(moved, -1, 0), expected, atol=1e-12)


def test_circular_convolution_is_the_product_of_spectra(rng):
    x, h = rng.standard_normal((2, 13)) + 1j * rng.standard_normal((2, 13))
    expected = np.fft.ifft(np.fft.fft(x) * np.fft.fft(h))
    np.testing.assert_allclose(circular_convolve(x, h), expected, atol=1e-12)


@pytest.mark.parametrize(("h", "options", "error", "message"), [
    (np.ones((2, 2, 2)), {}, ValueError, r"h: shape \(2, 2, 2\) has 3 axes, allowed are 1 to 2"),
    (np.ones(0), {}, ValueError, r"h: shape \(0,\) is empty on an axis to be convolved"),
    (np.ones(2), {"n": 0}, ValueError, r"n: 0 is too small, the least allowed is 1"),
    (np.ones(2), {"n": (3, 4)}, ValueError, r"n: \(3, 4\) has 2 values, allowed are 1 or 1"),
    (np.ones(2), {"n": 2.5}, TypeError, r"n: 2.5 is not allowed, give an integer"),
    (np.ones((2, 2)), {"axes": 0}, ValueError, r"axes: 0 is not allowed, name 2 axes of x"),
])  # fmt: skip
def test_bad_periods(h, options, error, message):
    with pytest.raises(error, match=message):
        circular_convolve(X, h, **options)
