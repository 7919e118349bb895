"""The kernels: what they are, and what they do to ramps, impulses and stripes."""

import math
import re

import numpy as np
import pytest
from scipy import ndimage, signal

import multiconv as mc

K = mc.kernels
SUM_TO_ONE = ("binomial", "box", "disk", "emboss", "gaussian", "identity", "lowpass", "motion",
              "sharpen", "unsharp")  # fmt: skip
SUM_TO_ZERO = ("difference_of_gaussians", "gaussian_derivative", "gaussian_laplace", "highpass",
               "laplace", "prewitt", "scharr", "sobel")  # fmt: skip
N_DIMENSIONAL = [n for n in K.names() if "ndim" in K.info(n).parameters]


def noise(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape)


def convolved(x, h):
    return mc.convolve(x, h, "same", boundary="symmetric")


@pytest.mark.parametrize("name", K.names())
def test_listed_kernels_can_be_made_and_are_described(name):
    info = K.info(name)
    taps = K.get(name)
    assert taps.dtype == np.float64
    assert taps.ndim in (1, 2)
    assert np.isfinite(taps).all()
    assert np.array_equal(taps, getattr(K, name)())
    assert 10 < len(info.summary) < 100
    documented = re.findall(r"^    (\w+) : ", info.function.__doc__.split("Returns")[0], re.M)
    assert documented == list(info.parameters)


@pytest.mark.parametrize("name", SUM_TO_ONE)
def test_kernels_that_keep_flat_signals(name):
    assert K.get(name).sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("name", SUM_TO_ZERO)
def test_kernels_that_remove_flat_signals(name):
    assert K.get(name).sum() == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("name", N_DIMENSIONAL)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_rank(name, ndim):
    assert K.get(name, ndim=ndim).ndim == ndim


def test_gaussian_is_scipys():
    x = noise(31, 26)
    expected = ndimage.gaussian_filter(x, (1.5, 2.2), mode="reflect", truncate=3)
    np.testing.assert_allclose(convolved(x, K.gaussian((1.5, 2.2), truncate=3)), expected,
                               atol=1e-13)  # fmt: skip


def test_gaussian_leaves_axes_with_sigma_zero():
    assert K.gaussian((0, 1.0)).shape == (1, 9)


@pytest.mark.parametrize("order", [(1, 0), (0, 1), (2, 1), (0, 3)])
def test_gaussian_derivative_is_scipys(order):
    x = noise(40, 33)
    expected = ndimage.gaussian_filter(x, (1.5, 2), order=order, mode="reflect", truncate=6)
    result = convolved(x, K.gaussian_derivative((1.5, 2), order=order, truncate=6))
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_gaussian_derivative_takes_an_axis_and_a_rank_from_order():
    assert K.gaussian_derivative(1, order=(1, 0, 0)).ndim == 3
    np.testing.assert_array_equal(K.gaussian_derivative(1, axis=0),
                                  K.gaussian_derivative(1, axis=1).T)  # fmt: skip


def test_gaussian_laplace_is_scipys():
    x = noise(40, 33)
    expected = ndimage.gaussian_laplace(x, (2, 3), mode="reflect", truncate=6)
    np.testing.assert_allclose(convolved(x, K.gaussian_laplace((2, 3), truncate=6)), expected,
                               atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("name", ["sobel", "prewitt"])
@pytest.mark.parametrize("axis", [0, 1])
def test_slopes_are_scipys(name, axis):
    x = noise(12, 17)
    expected = getattr(ndimage, name)(x, axis=axis, mode="reflect")
    np.testing.assert_allclose(convolved(x, K.get(name, axis=axis)), expected, atol=1e-12)


@pytest.mark.parametrize(("name", "slope"), [("sobel", 8), ("prewitt", 6), ("scharr", 32)])
def test_slopes_are_positive_where_the_signal_rises(name, slope):
    ramp = np.arange(7.0) * np.ones((5, 1))
    assert (mc.convolve(ramp, K.get(name), "valid") == slope).all()
    assert (mc.convolve(ramp.T, K.get(name, axis=0), "valid") == slope).all()
    assert (mc.convolve(ramp, K.get(name, axis=0), "valid") == 0).all()


@pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_normalized_slopes_measure_a_ramp(name, axis):
    ramp = np.indices((5, 6, 7))[axis] * 1.0
    slope = mc.convolve(ramp, K.get(name, axis=axis, normalize=True, ndim=3), "valid")
    np.testing.assert_allclose(slope, 1, atol=1e-12)


def test_smoothed_slope_is_about_one_on_a_ramp():
    ramp = np.arange(50.0)
    slope = mc.convolve(ramp, K.gaussian_derivative(2, ndim=1), "valid")
    np.testing.assert_allclose(slope, 1, rtol=2e-3)


def test_laplace_is_scipys_and_counts_diagonals():
    x = noise(9, 11, 8)
    np.testing.assert_allclose(convolved(x, K.laplace(ndim=3)), ndimage.laplace(x), atol=1e-12)
    np.testing.assert_array_equal(K.laplace(diagonals=True), [[1, 1, 1], [1, -8, 1], [1, 1, 1]])


def test_sharpen_and_unsharp_add_what_is_lost():
    x = noise(14, 19)
    np.testing.assert_allclose(convolved(x, K.sharpen(0.7)), x - 0.7 * ndimage.laplace(x),
                               atol=1e-12)  # fmt: skip
    lost = x - ndimage.gaussian_filter(x, 1.3)
    np.testing.assert_allclose(convolved(x, K.unsharp(1.3, amount=2)), x + 2 * lost, atol=1e-12)


def test_box_and_binomial():
    np.testing.assert_array_equal(K.box((2, 5)), np.full((2, 5), 0.1))
    np.testing.assert_array_equal(K.binomial((3, 5)) * 64, np.outer([1, 2, 1], [1, 4, 6, 4, 1]))


def test_disk_covers_its_area():
    disk = K.disk(9.3)
    assert 1 / disk.max() == pytest.approx(math.pi * 9.3**2, rel=0.01)
    np.testing.assert_array_equal(disk, disk.T[::-1])


def test_difference_of_gaussians():
    expected = -K.gaussian(1.6, ndim=2)
    expected[2:-2, 2:-2] += K.gaussian(1.0)
    np.testing.assert_allclose(K.difference_of_gaussians(1.0), expected, atol=1e-16)


def test_motion_follows_its_angle():
    np.testing.assert_array_equal(K.motion(7), np.full((1, 7), 1 / 7))
    np.testing.assert_array_equal(K.motion(7, 90), K.motion(7).T)
    rising = K.motion(15, 30)  # up to the right
    rows, columns = rising.shape
    assert rising[: rows // 2, columns // 2 + 1 :].sum() > 0.4
    assert rising[: rows // 2, : columns // 2].sum() == 0
    assert K.motion(6.5, 77).sum() == pytest.approx(1)


def test_emboss_is_bright_on_the_side_of_the_light():
    x = np.zeros((20, 24))
    x[5:15, 8:18] = 1
    upper_left, lower_right = (6, 8), (14, 16)
    relief = convolved(x, K.emboss())
    assert relief[upper_left] > 1 > relief[lower_right]
    from_the_right = convolved(x, K.emboss(0))
    assert from_the_right[10, 17] > 1 > from_the_right[10, 8]
    from_above = convolved(x, K.emboss(90))
    assert from_above[5, 12] > 1 > from_above[14, 12]


def test_gabor_answers_to_its_texture_only():
    across, down = np.meshgrid(np.arange(90), np.arange(80))
    vertical, horizontal = np.cos(across * 2 * np.pi / 8), np.cos(down * 2 * np.pi / 8)
    even, odd = K.gabor(8), K.gabor(8, phase=90)
    strength = np.hypot(mc.convolve(vertical, even, "valid"), mc.convolve(vertical, odd, "valid"))
    np.testing.assert_allclose(strength, 0.5, atol=0.01)
    assert abs(mc.convolve(horizontal, even, "valid")).max() < 0.01
    np.testing.assert_allclose(K.gabor(8, 90), even.T, atol=1e-15)
    oblique = np.cos((across - down) / math.sqrt(2) * 2 * np.pi / 8)  # runs up to the right
    assert abs(mc.convolve(oblique, K.gabor(8, 45), "valid")).max() > 0.45
    assert abs(mc.convolve(oblique, K.gabor(8, -45), "valid")).max() < 0.01


def test_lowpass_is_scipys_and_highpass_the_rest():
    np.testing.assert_allclose(K.lowpass(0.13, size=41), signal.firwin(41, 0.13, fs=1), atol=1e-15)
    impulse = np.zeros(41)
    impulse[20] = 1
    np.testing.assert_allclose(K.lowpass(0.13, size=41) + K.highpass(0.13, size=41), impulse,
                               atol=1e-15)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: K.get("gausian"), ValueError, "did you mean 'gaussian'"),
        (lambda: K.get("zzz"), ValueError, "choose one of binomial, box"),
        (lambda: K.get("gaussian", sgma=2), TypeError, "'sgma', the parameters are sigma"),
        (lambda: K.get("gaussian", 1, 2), TypeError, "too many positional"),
        (lambda: K.gaussian(1e9), ValueError, "needs 512000000128000000008 bytes"),
        (lambda: K.gaussian(-1), ValueError, "sigma: -1 is not allowed, give a finite number"),
        (lambda: K.gaussian(math.nan), ValueError, "finite"),
        (lambda: K.gaussian("wide"), TypeError, "sigma: 'wide' is not allowed, give a number"),
        (lambda: K.gaussian((1, 2), ndim=3), ValueError, "ndim=3 takes 3 values"),
        (lambda: K.gaussian(ndim=0), ValueError, "ndim: 0 is not allowed"),
        (lambda: K.gaussian(1, truncate=0), ValueError, "truncate: 0"),
        (lambda: K.gaussian_derivative(1, order=99), ValueError, "order: 99"),
        (lambda: K.gaussian_derivative(0), ValueError, "above 0"),
        (lambda: K.box(2.5), TypeError, "size: 2.5 is not allowed, give an integer"),
        (lambda: K.box(0), ValueError, "size: 0 is not allowed"),
        (lambda: K.box(10**6, ndim=3), ValueError, "134217728 taps"),
        (lambda: K.sobel(2), ValueError, "axis: 2 is not allowed, give an integer from -2 to 1"),
        (lambda: K.lowpass(0.7), ValueError, "cutoff: 0.7"),
        (lambda: K.lowpass(0.1, size=4), ValueError, "odd"),
        (lambda: K.motion(0.5), ValueError, "length: 0.5"),
        (lambda: K.motion(1e300), ValueError, "bytes"),
        (lambda: K.disk(1e6), ValueError, "bytes"),
        (lambda: K.gabor(1), ValueError, "wavelength: 1"),
        (lambda: K.difference_of_gaussians(ratio=1), ValueError, "ratio: 1"),
    ],
)
def test_bad_parameters_are_refused_in_one_sentence(call, error, words):
    with pytest.raises(error, match=re.escape(words)) as caught:
        call()
    assert "\n" not in str(caught.value)
