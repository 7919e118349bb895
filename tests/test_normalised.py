"""Convolution of data with gaps against a plain loop, and values that astropy computed."""

import itertools

import numpy as np
import pytest

import multiconv as mc
from multiconv.normalised import convolve_nan

NAN = np.nan
BOUNDARIES = ["constant", "edge", "reflect", "symmetric", "wrap"]
SHAPES = [((13,), (4,)), ((7, 9), (3, 4)), ((4, 5, 6), (3, 2, 5))]


def loop(x, h, boundary, cval=0, normalize=True):
    """Means of what is present under the kernel, sample by sample, of mode ``"same"``."""
    widths = [(k // 2, (k - 1) // 2) for k in h.shape]
    options = {"constant_values": cval} if boundary == "constant" else {}
    padded = np.pad(x, widths, boundary, **options)
    result = np.empty(x.shape)
    for place in itertools.product(*map(range, x.shape)):
        window = padded[tuple(slice(p, p + k) for p, k in zip(place, h.shape, strict=True))]
        top = bottom = 0.0
        for value, weight in zip(window.flat, np.flip(h).flat, strict=True):
            if not np.isnan(value) and weight:
                top += value * weight
                bottom += weight
        result[place] = (top / bottom if bottom else NAN) * (1 if normalize else h.sum())
    return result


def data(rng, shape, share=0.3):
    x = rng.standard_normal(shape)
    x[rng.random(shape) < share] = NAN
    return x


def kernel_of(*shape):
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape)


@pytest.mark.parametrize(("shape", "size"), SHAPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_interpolation_is_the_loop(shape, size, boundary, normalize, share, rng):
    x, h = data(rng, shape, share), kernel_of(*size)
    expected = loop(x, h, boundary, 2.5, normalize)
    if share == 0:
        expected = mc.convolve(x, h, "same", boundary=boundary, cval=2.5)
        expected /= h.sum() if normalize else 1
    actual = convolve_nan(x, h, boundary=boundary, cval=2.5, normalize=normalize)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("shape", "size"), SHAPES)
def test_outside_can_be_missing_too(shape, size, rng):
    h = kernel_of(*size)
    for x in (data(rng, shape), rng.standard_normal(shape)):
        np.testing.assert_allclose(convolve_nan(x, h, cval=NAN), loop(x, h, "constant", NAN))
    np.testing.assert_allclose(convolve_nan(np.full(shape, 3.0), h, cval=NAN), 3)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_fill_and_propagate(boundary, rng):
    x, h = data(rng, (7, 9), 0.1), kernel_of(3, 4)
    filled = np.where(np.isnan(x), -4.0, x)
    expected = mc.convolve(filled, h, "same", boundary=boundary, cval=1) / h.sum()
    found = convolve_nan(x, h, nan="fill", fill_value=-4, boundary=boundary, cval=1)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    reached = mc.convolve(np.isnan(x).astype(int), np.ones((3, 4), int), "same", boundary=boundary)
    found = convolve_nan(x, h, nan="propagate", boundary=boundary, cval=1)
    np.testing.assert_array_equal(np.isnan(found), reached > 0)
    np.testing.assert_allclose(found[reached == 0], expected[reached == 0], atol=1e-12)


ASTROPY_X = np.array([[1, NAN, 3, 4], [NAN, NAN, 7, 0], [2, 5, NAN, 1]])
ASTROPY_H = np.array([[1.0, 2, 0], [3, 4, 1], [0, 2, 1]])
ASTROPY = {
    ("interpolate", "constant", True): [
        [0.5, 2.125, 2.9230769231, 1.3571428571],
        [1.5714285714, 5.3333333333, 3.5, 1.4285714286],
        [1.9166666667, 2.75, 2.4444444444, 0.84615384615],
    ],
    ("interpolate", "constant", False): [
        [7, 29.75, 40.923076923, 19],
        [22, 74.666666667, 49, 20],
        [26.833333333, 38.5, 34.222222222, 11.846153846],
    ],
    ("interpolate", "edge", True): [
        [1, 3, 3.6666666667, 3],
        [2, 5.3333333333, 3.5, 1.5],
        [3.0909090909, 4.5714285714, 3.2857142857, 1.3076923077],
    ],
    ("interpolate", "edge", False): [
        [14, 42, 51.333333333, 42],
        [28, 74.666666667, 49, 21],
        [43.272727273, 64, 46, 18.307692308],
    ],
    ("interpolate", "wrap", True): [
        [1.625, 3.625, 3.9090909091, 2],
        [2.1428571429, 5.3333333333, 3.5, 2],
        [2.3636363636, 4.1666666667, 3.5555555556, 2],
    ],
    ("interpolate", "wrap", False): [
        [22.75, 50.75, 54.727272727, 28],
        [30, 74.666666667, 49, 28],
        [33.090909091, 58.333333333, 49.777777778, 28],
    ],
    ("fill", "constant", True): [
        [0.28571428571, 1.2142857143, 2.7142857143, 1.3571428571],
        [0.78571428571, 2.2857142857, 2.5, 1.4285714286],
        [1.6428571429, 1.5714285714, 1.5714285714, 0.78571428571],
    ],
    ("fill", "constant", False): [
        [4, 17, 38, 19],
        [11, 32, 35, 20],
        [23, 22, 22, 11],
    ],
    ("fill", "edge", True): [
        [0.57142857143, 1.2857142857, 3.1428571429, 3],
        [0.85714285714, 2.2857142857, 2.5, 1.5],
        [2.4285714286, 2.2857142857, 1.6428571429, 1.2142857143],
    ],
    ("fill", "edge", False): [
        [8, 18, 44, 42],
        [12, 32, 35, 21],
        [34, 32, 23, 17],
    ],
    ("fill", "wrap", True): [
        [0.92857142857, 2.0714285714, 3.0714285714, 1.7142857143],
        [1.0714285714, 2.2857142857, 2.5, 1.5714285714],
        [1.8571428571, 1.7857142857, 2.2857142857, 1.8571428571],
    ],
    ("fill", "wrap", False): [
        [13, 29, 43, 24],
        [15, 32, 35, 22],
        [26, 25, 32, 26],
    ],
}


@pytest.mark.parametrize("case", ASTROPY, ids=str)
def test_astropys_values(case):
    nan, boundary, normalize = case
    found = convolve_nan(ASTROPY_X, ASTROPY_H, nan=nan, boundary=boundary, normalize=normalize,
                         fill_value=0, cval=0)  # fmt: skip
    np.testing.assert_allclose(found, ASTROPY[case], rtol=1e-9)


def test_a_wide_gap_stays_and_a_distant_sample_counts():
    x = np.full(300, NAN)
    x[40], x[250] = 7.0, 9.0
    h = np.exp(-(np.arange(-50, 51) ** 2) / 50.0)
    found = convolve_nan(x, h)
    known = np.zeros(300, bool)
    known[0:91] = known[200:300] = True
    expected = np.where(np.arange(300) < 150, 7.0, 9.0)
    inside = known.copy()
    inside[:50] = inside[-50:] = False
    np.testing.assert_array_equal(np.isnan(found), ~known)
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-9)


def test_masks_are_gaps(rng):
    x, h = rng.standard_normal((7, 9)), kernel_of(3, 3)
    mask = rng.random((7, 9)) < 0.3
    expected = convolve_nan(np.where(mask, NAN, x), h)
    np.testing.assert_array_equal(convolve_nan(x, h, mask=mask), expected)
    np.testing.assert_array_equal(convolve_nan(np.ma.array(x, mask=mask), h), expected)
    half = np.ma.array(x, mask=mask & (x > 0))
    np.testing.assert_array_equal(convolve_nan(half, h, mask=mask & (x <= 0)), expected)
    column = np.arange(9) == 4
    expected = convolve_nan(np.where(column, NAN, x), h)
    np.testing.assert_array_equal(convolve_nan(x, h, mask=column), expected)


def test_masks_of_integers_and_complex_numbers():
    mask = [False, True, False, False]
    found = convolve_nan(np.array([1, 100, 3, 5]), [1, 1, 1], mask=mask, boundary="edge")
    np.testing.assert_allclose(found, [1, 2, 4, 13 / 3])
    found = convolve_nan([1j, NAN, 3j, 5j], [1, 1, 1], boundary="edge")
    np.testing.assert_allclose(found, np.array([1, 2, 4, 13 / 3]) * 1j)


def test_gaps_can_be_preserved(rng):
    x, h = data(rng, (7, 9)), kernel_of(3, 3)
    expected = np.where(np.isnan(x), NAN, convolve_nan(x, h))
    np.testing.assert_array_equal(convolve_nan(x, h, preserve_nan=True), expected)
    with pytest.raises(ValueError, match="preserve_nan: needs mode='same', mode is 'full'"):
        convolve_nan(x, h, "full", preserve_nan=True)


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_other_modes(mode, rng):
    x, h = data(rng, (9, 11)), kernel_of(3, 4)
    wide = np.pad(x, [(3, 3), (4, 4)])
    middle = convolve_nan(wide, h)[1:, 2:]  # from the first output of mode "full" on
    cut = {"full": (slice(1, 12), slice(1, 15)), "valid": (slice(3, 10), slice(4, 12))}[mode]
    np.testing.assert_allclose(convolve_nan(x, h, mode), middle[cut], atol=1e-12)


def test_batches_axes_and_a_kernel_per_channel(rng):
    x, h = data(rng, (2, 7, 9)), kernel_of(3, 4)
    for page, found in zip(x, convolve_nan(x, h), strict=True):
        np.testing.assert_allclose(found, convolve_nan(page, h), atol=1e-12)
    moved = convolve_nan(np.moveaxis(x, 0, -1), h, axes=(0, 1))
    np.testing.assert_allclose(np.moveaxis(moved, -1, 0), convolve_nan(x, h), atol=1e-12)
    both = np.stack([h, h.T.reshape(3, 4) ** 2])
    for normalize in (True, False):
        found = convolve_nan(x, both, axes=(1, 2), normalize=normalize)
        for page, kernel, result in zip(x, both, found, strict=True):
            expected = convolve_nan(page, kernel, normalize=normalize)
            np.testing.assert_allclose(result, expected, rtol=1e-12)


DTYPES = {"float16": "float32", "float32": "float32", "float64": "float64", "int8": "float64"}


@pytest.mark.parametrize("given", DTYPES)
@pytest.mark.parametrize("nan", ["interpolate", "fill", "propagate"])
def test_dtypes(given, nan):
    x, h = np.arange(6).astype(given), np.array([1, 2, 1], np.float32)
    for array in (x, np.ma.array(x, mask=x == 3)):
        assert convolve_nan(array, h, nan=nan).dtype == DTYPES[given]


def test_the_input_is_left_alone(rng):
    x = data(rng, (7, 9))
    before = x.copy()
    for nan in ("interpolate", "fill", "propagate"):
        convolve_nan(x, kernel_of(3, 3), nan=nan, preserve_nan=True)
        np.testing.assert_array_equal(x, before)


X = np.array([1.0, NAN, 3])


@pytest.mark.parametrize(("x", "h", "options", "error", "message"), [
    (X, [1, 1], {"nan": "omit"}, ValueError, r"nan: 'omit' is not allowed, choose one of 'interp"),
    (X, [1, -1], {"normalize": False}, ValueError, r"h: its taps sum to 0, .* nan='fill'"),
    ([1.0, 2], [1, -1], {}, ValueError, r"h: its taps sum to 0, .* give normalize=False"),
    (X, [1, NAN], {}, ValueError, r"h: holds NaN or infinity"),
    (X, [1], {"mask": [0, 1, 0]}, TypeError, r"mask: dtype int64 is not allowed, give booleans"),
    (X, [1], {"mask": [True, False]}, ValueError, r"mask: shape \(2,\) does not broadcast"),
    (X, [1], {"cval": "0"}, TypeError, r"cval: '0' is not allowed, give one number"),
    (X, [1], {"fill_value": None, "nan": "fill"}, TypeError, r"fill_value: None is not allowed"),
    (X, [1], {"boundary": "extend"}, ValueError, r"boundary: 'extend' is not allowed"),
    (X, [], {}, ValueError, r"h: shape \(0,\) "),
    (X, [[1]], {}, ValueError, r"h: shape \(1, 1\) has more axes"),
])  # fmt: skip
def test_bad_input(x, h, options, error, message):
    with pytest.raises(error, match=message):
        convolve_nan(x, h, **options)


def test_a_kernel_without_a_sum_needs_no_normalising():
    found = convolve_nan([1.0, 2, 4], [1, -1], "valid", normalize=False)
    np.testing.assert_array_equal(found, [1, 2])
    found = convolve_nan([1.0, NAN, 4], [1, -1], "valid", nan="fill", normalize=False)
    np.testing.assert_array_equal(found, [-1, 4])
