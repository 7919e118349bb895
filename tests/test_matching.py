"""Lags and template matching against SciPy, scikit-image and plain sums."""

import numpy as np
import pytest
import scipy.signal
import skimage.data
from skimage.feature import match_template as skimage_match

import multiconv as mc
from multiconv.matching import lags, match_template
from multiconv.matching._deviations import squared_deviations

BOUNDARIES = ["constant", "edge", "reflect", "symmetric", "wrap"]


def coefficients(x, t):
    """The definition, window by window."""
    windows = np.lib.stride_tricks.sliding_window_view(x, t.shape).astype(np.longdouble)
    axes = tuple(range(-t.ndim, 0))
    a = windows - windows.mean(axes, keepdims=True)
    b = t.astype(np.longdouble)
    b = b - b.mean()
    return (a * b).sum(axes) / np.sqrt((a**2).sum(axes) * (b**2).sum())


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(
    ("n", "m"), [(7, 3), (8, 3), (8, 4), (7, 4), (5, 5), (1, 1), (3, 7), (4, 9)]
)
def test_lags_are_where_a_shifted_one_is_found(mode, n, m):
    if mode == "valid" and m > n:
        with pytest.raises(ValueError, match=f"m: {m} is more than n = {n}"):
            lags(n, m, mode)
        return
    found = lags(n, m, mode)
    x, h = np.arange(1.0, n + 1), np.arange(2.0, m + 2) ** 2
    values = mc.correlate(x, h, mode)
    assert found.size == values.size
    for lag, value in zip(found, values, strict=True):
        assert value == sum(x[i + lag] * h[i] for i in range(m) if 0 <= i + lag < n)
    if (mode, n % 2, m % 2) != ("same", 1, 0):
        np.testing.assert_array_equal(found, scipy.signal.correlation_lags(n, m, mode))


@pytest.mark.parametrize(("given", "error", "message"), [
    ((0, 1), ValueError, r"n: 0 is not allowed, give an integer from 1"),
    ((3, 2.5), TypeError, r"m: 2.5 is not allowed, give an integer"),
    ((3, 2, "half"), ValueError, r"mode: 'half' is not allowed, choose one of 'full'"),
])  # fmt: skip
def test_bad_lags(given, error, message):
    with pytest.raises(error, match=message):
        lags(*given)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (7, 8), (6, 1)])
def test_deviations_are_those_of_each_window(size, rng):
    x = rng.standard_normal((3, 9, 11)) + 1e6
    windows = np.lib.stride_tricks.sliding_window_view(x, size, (1, 2)).astype(np.longdouble)
    expected = windows.var((-2, -1)) * (size[0] * size[1])
    np.testing.assert_allclose(squared_deviations(x, size), expected.astype(float), rtol=1e-9)


@pytest.mark.parametrize(("shape", "size"), [((31, 40), (5, 8)), ((30, 23), (4, 3)),
                                             ((12, 14, 13), (3, 4, 6))])  # fmt: skip
@pytest.mark.parametrize("pad_input", [False, True])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_scikit_images_results(shape, size, pad_input, boundary, rng):
    x, t = rng.standard_normal(shape), rng.standard_normal(size)
    expected = skimage_match(x, t, pad_input, boundary)
    actual = match_template(x, t, pad_input=pad_input, boundary=boundary)
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-9)


def test_scikit_images_result_on_a_photograph():
    coins = skimage.data.coins()
    t = coins[170:220, 75:130]
    found = match_template(coins, t)
    assert np.unravel_index(np.argmax(found), found.shape) == (170, 75)
    np.testing.assert_allclose(found, skimage_match(coins, t), atol=1e-6)
    padded = match_template(coins, t, pad_input=True, cval=90)
    expected = skimage_match(coins, t, True, constant_values=90)
    np.testing.assert_allclose(padded, expected, atol=1e-6)


@pytest.mark.parametrize(("shape", "size"), [((40,), (7,)), ((5, 6, 4, 7), (2, 3, 1, 4))])
def test_other_ranks(shape, size, rng):
    x, t = rng.standard_normal(shape), rng.standard_normal(size)
    np.testing.assert_allclose(match_template(x, t), coefficients(x, t).astype(float), atol=1e-12)


def test_axes_before_the_templates_are_a_batch(rng):
    x, t = rng.standard_normal((3, 12, 14)), rng.standard_normal((4, 5))
    for page, found in zip(x, match_template(x, t, pad_input=True), strict=True):
        np.testing.assert_allclose(found, match_template(page, t, pad_input=True), atol=1e-12)


@pytest.mark.parametrize("offset", [0, 1e4, 3e6])
def test_float32_stands_a_large_offset(offset, rng):
    x = (rng.integers(0, 8, (40, 51)) + offset).astype(np.float32)
    t = x[11:18, 20:31] - np.float32(offset)
    found = match_template(x, t)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, coefficients(x.astype(float), t).astype(float), atol=1e-6)
    assert found[11, 20] == pytest.approx(1)


def test_a_bright_half_does_not_spoil_the_dark_one(rng):
    x = rng.integers(0, 8, (40, 60)).astype(float)
    x[:, 30:] += 1e7
    t = x[8:13, 9:15]
    np.testing.assert_allclose(match_template(x, t), coefficients(x, t).astype(float), atol=1e-6)


def test_what_is_constant_correlates_with_nothing(rng):
    x = rng.standard_normal((20, 30)) + 1e3
    x[5:14, 6:19] = 1000.1
    t = rng.standard_normal((4, 5))
    found = match_template(x, t)
    assert np.all(found[5:11, 6:15] == 0)
    assert np.isfinite(found).all()
    assert np.all(match_template(x, np.full((4, 5), 0.1)) == 0)
    assert np.all(match_template(np.full((9, 9), 0.1), t) == 0)
    assert np.all(match_template(x, np.ones((1, 1))) == 0)


def test_nan_and_infinity_stay_where_they_are(rng):
    x, t = rng.standard_normal((15, 17)), rng.standard_normal((3, 4))
    expected = match_template(x, t)
    x[6, 7], x[12, 2] = np.nan, np.inf
    touched = np.zeros((13, 14), bool)
    touched[4:7, 4:8] = touched[10:13, :3] = True
    found = match_template(x, t)
    np.testing.assert_array_equal(np.isnan(found), touched)
    np.testing.assert_allclose(found[~touched], expected[~touched], atol=1e-9)


def test_scale_and_offset_do_not_matter(rng):
    x, t = rng.standard_normal((15, 17)), rng.standard_normal((3, 4))
    expected = match_template(x, t)
    np.testing.assert_allclose(match_template(7 * x - 3, 2 * t + 5), expected, atol=1e-12)
    np.testing.assert_allclose(match_template(x, -t), -expected, atol=1e-12)


X = np.ones((6, 7))


@pytest.mark.parametrize(("x", "t", "options", "error", "message"), [
    (X, np.ones((7, 2)), {}, ValueError, r"template: shape \(7, 2\) does not fit .* \(6, 7\)"),
    (X, np.ones((2, 2, 2)), {}, ValueError, r"template: .* has 3 axes, allowed are 1 to 2"),
    (X, np.ones((0, 2)), {}, ValueError, r"template: shape \(0, 2\) is empty"),
    (X * 1j, X, {}, TypeError, r"image: dtype complex128 is not allowed, give real numbers"),
    (X, X * np.nan, {}, ValueError, r"template: holds NaN or infinity"),
    (X, X, {"pad_input": True, "boundary": "mirror"}, ValueError, r"boundary: 'mirror' is not"),
    (X, X, {"pad_input": True, "cval": "x"}, TypeError, r"cval: 'x' is not allowed"),
])  # fmt: skip
def test_bad_templates(x, t, options, error, message):
    with pytest.raises(error, match=message):
        match_template(x, t, **options)
