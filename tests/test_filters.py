"""The filters: SciPy's and scikit-image's results, for every rank, boundary and dtype."""

import math

import numpy as np
import pytest
import skimage.data
import skimage.feature
import skimage.filters
import torch
from scipy import ndimage

from multiconv import filters, kernels

F = filters
MODES = {"edge": "nearest", "symmetric": "reflect", "reflect": "mirror", "wrap": "wrap",
         "constant": "constant"}  # fmt: skip
SHAPES = [(37,), (23, 31), (9, 14, 11)]
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
PLANAR = {"emboss": (30.0,), "gabor": (5.0, 30.0), "motion": (6.0, 20.0)}
SMOOTHING = [F.gaussian, F.box, F.sharpen, F.unsharp, F.emboss, F.motion]
SLOPES = [F.gaussian_derivative, F.sobel, F.prewitt, F.scharr, F.laplace, F.gaussian_laplace,
          F.gradient_magnitude, F.gabor]  # fmt: skip

boundaries = pytest.mark.parametrize("boundary", MODES)
dtypes = pytest.mark.parametrize("dtype", TOLERANCE)
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def noise(*shape, dtype=np.float64):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def picture(*shape, dtype=np.uint8):
    bounds = np.iinfo(dtype)
    return np.random.default_rng(sum(shape)).integers(bounds.min, bounds.max, shape, dtype, True)


def assert_close(actual, expected, dtype=np.float64):
    assert actual.dtype == dtype
    assert actual.flags.c_contiguous
    scale = max(np.abs(expected).max(), 1)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


def per_page(function, x, axis):
    """``function`` of each page of ``x`` along ``axis``."""
    return np.stack([function(page) for page in np.moveaxis(x, axis, 0)], axis)


@shapes
@boundaries
@dtypes
def test_gaussian_is_scipys(shape, boundary, dtype):
    x = noise(*shape, dtype=dtype)
    sigma = [0.7 + 0.6 * i for i in range(x.ndim)]
    expected = ndimage.gaussian_filter(x, sigma, mode=MODES[boundary], truncate=3, output=float)
    assert_close(F.gaussian(x, sigma, truncate=3, boundary=boundary), expected, dtype)


@boundaries
@pytest.mark.parametrize("order", [1, 2, 3, 4, (0, 1), (2, 0), (3, 1)])
def test_gaussian_derivatives_are_scipys(boundary, order):
    x, sigma = noise(23, 31), (1.3, 2.1)
    expected = ndimage.gaussian_filter(x, sigma, order, mode=MODES[boundary], cval=2.5)
    assert_close(F.gaussian(x, sigma, order, boundary=boundary, cval=2.5), expected)


@shapes
@boundaries
@dtypes
@pytest.mark.parametrize("name", ["sobel", "prewitt"])
def test_slopes_are_scipys(shape, boundary, dtype, name):
    x = noise(*shape, dtype=dtype)
    for axis in range(-1, x.ndim - 1):
        expected = getattr(ndimage, name)(x.astype(float), axis, mode=MODES[boundary])
        assert_close(getattr(F, name)(x, axis, boundary=boundary), expected, dtype)


def test_slopes_with_a_value_outside_are_scipys():
    x = noise(6, 9)
    expected = ndimage.sobel(x, 0, mode="constant", cval=3.5)
    assert_close(F.sobel(x, 0, boundary="constant", cval=3.5), expected)


@pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr"])
def test_normalised_slopes_are_half_scikit_images(name):
    x, inner = noise(23, 31), np.s_[1:-1, 1:-1]
    for axis, letter in enumerate("hv"):
        actual = getattr(F, name)(x, axis, normalize=True)
        expected = getattr(skimage.filters, f"{name}_{letter}")(x) / 2
        assert_close(actual[inner].copy(), expected[inner])


@shapes
@boundaries
@dtypes
def test_laplacians_are_scipys(shape, boundary, dtype):
    x = noise(*shape, dtype=dtype)
    sigma = [1.1 + 0.4 * i for i in range(x.ndim)]
    wide, mode = x.astype(float), MODES[boundary]
    assert_close(F.laplace(x, boundary=boundary), ndimage.laplace(wide, mode=mode), dtype)
    expected = ndimage.gaussian_laplace(wide, sigma, mode=mode, cval=0.5)
    assert_close(F.gaussian_laplace(x, sigma, boundary=boundary, cval=0.5), expected, dtype)


@shapes
@boundaries
@dtypes
def test_gradient_magnitudes_are_scipys(shape, boundary, dtype):
    x = noise(*shape, dtype=dtype)
    sigma = [1.1 + 0.4 * i for i in range(x.ndim)]
    wide, mode = x.astype(float), MODES[boundary]
    expected = ndimage.gaussian_gradient_magnitude(wide, sigma, mode=mode)
    assert_close(F.gradient_magnitude(x, sigma, boundary=boundary), expected, dtype)
    expected = ndimage.generic_gradient_magnitude(wide, ndimage.prewitt, mode=mode)
    assert_close(F.gradient_magnitude(x, kind="prewitt", boundary=boundary), expected, dtype)


@boundaries
@dtypes
@pytest.mark.parametrize(("size", "origin"), [(3, 0), ((4, 7), 0), ((5, 2), (-2, -1)),
                                              ((4, 5), (1, 2)), ((1, 6), (0, 2))])  # fmt: skip
def test_box_is_scipys(boundary, dtype, size, origin):
    x = noise(13, 22, dtype=dtype)
    expected = ndimage.uniform_filter(
        x.astype(float), size, mode=MODES[boundary], cval=-1.5, origin=origin
    )
    assert_close(F.box(x, size, origin=origin, boundary=boundary, cval=-1.5), expected, dtype)


@boundaries
def test_kernels_larger_than_the_image(boundary):
    x, mode = noise(4, 7), MODES[boundary]
    expected = ndimage.gaussian_filter(x, (9, 3), mode=mode)
    assert_close(F.gaussian(x, (9, 3), boundary=boundary), expected)
    expected = ndimage.uniform_filter(x, (21, 16), mode=mode)
    assert_close(F.box(x, (21, 16), boundary=boundary), expected)


@boundaries
def test_directed_kernels_are_convolved(boundary):
    x = noise(19, 26)
    for name, arguments in PLANAR.items():
        kernel = getattr(kernels, name)(*arguments)
        expected = ndimage.convolve(x, kernel, mode=MODES[boundary], cval=0.5)
        actual = getattr(F, name)(x, *arguments, boundary=boundary, cval=0.5)
        assert_close(actual, expected)


def test_sharpen_and_unsharp():
    x = noise(19, 26)
    assert_close(F.sharpen(x, 0.7), x - 0.7 * ndimage.laplace(x))
    expected = ndimage.convolve(x, kernels.sharpen(0.7, diagonals=True), mode="reflect")
    assert_close(F.sharpen(x, 0.7, diagonals=True), expected)
    expected = skimage.filters.unsharp_mask(x, 1.7, 0.6, preserve_range=True)
    assert_close(F.unsharp(x, 1.7, 0.6), expected)


def test_gaussian_derivative_removes_constants():
    x = noise(19, 26)
    flat = np.full((19, 26), 7.0)
    assert np.abs(F.gaussian_derivative(flat, 1.5, 2)).max() < 1e-14
    assert np.abs(F.gaussian(flat, 1.5, (0, 2))).max() > 1e-4
    kernel = kernels.gaussian_derivative((1.5, 0.8), order=(2, 1))
    expected = ndimage.convolve(x, kernel, mode="reflect")
    assert_close(F.gaussian_derivative(x, (1.5, 0.8), (2, 1)), expected)
    assert_close(F.gaussian_derivative(x, 1.5, 1, 0), ndimage.gaussian_filter(x, 1.5, (1, 0)))


def test_gradient_of_a_tilted_plane():
    rows, columns = np.mgrid[:11, :14]
    for kind, gain in (("sobel", 8), ("prewitt", 6), ("scharr", 32), ("gaussian", 1)):
        magnitude, angle = F.gradient(3.0 * columns - 4 * rows, kind=kind)
        assert magnitude[5, 6] == pytest.approx(5 * gain, rel=2e-3)
        assert angle[5, 6] == pytest.approx(math.degrees(math.atan2(4, 3)), abs=1e-9)
    assert (F.gradient(np.ones((3, 4)))[1] == 0).all()


@pytest.mark.parametrize("channel_axis", [-1, 0, 1])
@pytest.mark.parametrize("function", SMOOTHING + SLOPES, ids=lambda f: f.__name__)
def test_channels_are_not_mixed(channel_axis, function):
    x = np.moveaxis(picture(13, 18, 3), -1, channel_axis)
    actual = function(x, channel_axis=channel_axis)
    assert actual.flags.c_contiguous
    # Another layout may be another algorithm, that adds in another order.
    np.testing.assert_allclose(actual, per_page(function, x, channel_axis), rtol=1e-11, atol=1e-11)


@boundaries
@dtypes
def test_volume_with_channels(boundary, dtype):
    x, mode = noise(6, 9, 7, 3, dtype=dtype), MODES[boundary]
    wide, options = x.astype(float), {"channel_axis": -1, "boundary": boundary}
    expected = ndimage.gaussian_filter(wide, (1, 2, 0.6), axes=(0, 1, 2), mode=mode)
    assert_close(F.gaussian(x, (1, 2, 0.6), **options), expected, dtype)
    expected = ndimage.uniform_filter(wide, (2, 5, 3), axes=(0, 1, 2), mode=mode)
    assert_close(F.box(x, (2, 5, 3), **options), expected, dtype)
    expected = per_page(lambda p: ndimage.sobel(p, 0, mode=mode), wide, 3)
    assert_close(F.sobel(x, 0, **options), expected, dtype)
    expected = per_page(lambda p: ndimage.laplace(p, mode=mode), wide, 3)
    assert_close(F.laplace(x, **options), expected, dtype)
    expected = per_page(lambda p: ndimage.gaussian_laplace(p, 0.9, mode=mode), wide, 3)
    assert_close(F.gaussian_laplace(x, 0.9, **options), expected, dtype)


def test_named_axes():
    x = noise(5, 9, 12)
    expected = ndimage.gaussian_filter(x, (0.8, 2.3), axes=(2, 0), mode=("nearest", "wrap"))
    actual = F.gaussian(x, (0.8, 2.3), axes=(2, 0), boundary=("edge", "wrap"))
    assert_close(actual, expected)
    expected = np.stack([ndimage.laplace(x[:, i]) for i in range(9)], 1)
    assert_close(F.laplace(x, axes=(0, 2)), expected)
    actual = F.motion(x.transpose(1, 2, 0), 4, 25, axes=(2, 1))  # rows, columns of each page
    expected = np.stack([F.motion(x[:, i], 4, 25) for i in range(9)])
    assert_close(actual.transpose(0, 2, 1).copy(), expected)
    expected = per_page(lambda p: F.emboss(p, 60), x, 0)
    assert_close(F.emboss(x, 60), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32])
def test_integers_are_rounded_once_and_clipped(dtype):
    x = picture(23, 31, dtype=dtype)
    limits = np.iinfo(dtype)
    smoothed = ndimage.gaussian_filter(x.astype(float), 1.2)
    np.testing.assert_array_equal(F.gaussian(x, 1.2), np.rint(smoothed).astype(dtype))
    sharp = np.clip(x - ndimage.laplace(x.astype(float)), limits.min, limits.max)
    np.testing.assert_array_equal(F.sharpen(x), sharp.astype(dtype))
    assert F.gaussian(x, 1.2, dtype="float32").dtype == np.float32
    np.testing.assert_allclose(F.gaussian(x, 1.2, dtype=float), smoothed, rtol=1e-12)


def test_halves_go_to_even():
    x = np.array([0, 1, 2, 3, 6, 7], np.uint8)
    np.testing.assert_array_equal(F.box(x, 2, boundary="wrap"), [4, 0, 2, 2, 4, 6])
    np.testing.assert_array_equal(F.box(x, (2,), boundary="constant", cval=255)[0], 128)
    tie = np.array([[0, 1, 4], [0, 1, 4], [5, 4, 4]], np.uint8)
    expected = np.rint(ndimage.uniform_filter(tie * 4.0, 4, mode="constant", cval=12) / 4)
    np.testing.assert_array_equal(F.box(tie, 4, boundary="constant", cval=3), expected)


def test_means_of_integers_are_exact():
    x = picture(23, 31, dtype=np.uint16)
    wide = np.pad(x, ((150, 150), (105, 105)), "wrap").astype(np.int64)
    sums = np.lib.stride_tricks.sliding_window_view(wide, (301, 211)).sum((2, 3))
    expected = (sums / (301 * 211)).astype(np.float32)
    actual = F.box(x, (301, 211), boundary="wrap", dtype="float32")
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.uint32, np.int64, bool])
@pytest.mark.parametrize("function", SLOPES, ids=lambda f: f.__name__)
def test_slopes_of_integers_do_not_wrap(function, dtype):
    x = picture(14, 17, dtype=np.uint8) > 99 if dtype is bool else picture(14, 17, dtype=dtype)
    expected = function(x.astype(float))
    actual = function(x)
    assert actual.dtype == np.float64
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_slopes_in_integers():
    x = picture(14, 17)
    expected = ndimage.sobel(x.astype(float))
    np.testing.assert_array_equal(F.sobel(x, dtype="int16"), expected)
    np.testing.assert_array_equal(F.sobel(x, dtype="int8"), np.clip(expected, -128, 127))
    np.testing.assert_array_equal(F.sobel(x, dtype="uint8"), np.clip(expected, 0, 255))
    far = np.array([-(2**60), 2**60, 0], np.int64)
    np.testing.assert_array_equal(F.laplace(far, dtype=np.int64), [2**61, -3 * 2**60, 2**60])


def test_half_floats_are_rounded_once():
    x = noise(23, 31, dtype=np.float16)
    for function in (F.gaussian, F.unsharp, F.gradient_magnitude):
        expected = function(x.astype(np.float32)).astype(np.float16)
        np.testing.assert_array_equal(function(x), expected)


def test_booleans_become_fractions():
    x = picture(9, 12) > 128
    np.testing.assert_allclose(F.box(x), F.box(x.astype(float)), rtol=1e-14)
    assert F.gaussian(x).dtype == np.float64


def test_complex_images():
    x = noise(9, 12) + 1j * noise(12, 9).T
    expected = ndimage.gaussian_filter(x, 1.5)
    np.testing.assert_allclose(F.gaussian(x, 1.5), expected, rtol=0, atol=1e-13)
    with pytest.raises(TypeError, match="direction"):
        F.gradient_magnitude(x)
    with pytest.raises(ValueError, match="dtype"):
        F.gaussian(x, dtype=float)


def test_floats_stored_as_integers():
    x = np.array([np.nan, np.inf, -np.inf, 2.5, 3.5, -1, 300, 7])
    expected = [0, 255, 0, 2, 4, 0, 255, 7]
    np.testing.assert_array_equal(F.gaussian(x, 0, dtype=np.uint8), expected)
    assert F.gaussian(np.array([1e30, -1e30]), 0, dtype=np.int64).tolist() == [
        int(np.nextafter(2.0**63, 0)), -(2**63)]  # fmt: skip


@pytest.mark.parametrize("function", SMOOTHING + SLOPES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("channel_axis", [None, -1])
def test_out(function, channel_axis):
    x = noise(9, 12, 3)
    expected = function(x, channel_axis=channel_axis)
    for out in (np.empty_like(x), np.empty_like(x, np.float32), np.empty((9, 12, 6))[..., ::2]):
        assert function(x, channel_axis=channel_axis, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    assert function(x, channel_axis=channel_axis, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_the_image_is_not_touched():
    x = noise(9, 12)
    kept = x.copy()
    x.flags.writeable = False
    for function in SMOOTHING + SLOPES:
        assert not np.may_share_memory(function(x), x)
    assert not np.may_share_memory(F.gaussian(x, 0), x)
    assert not np.may_share_memory(F.box(x, 1), x)
    np.testing.assert_array_equal(x, kept)


def test_views():
    x = noise(18, 46)
    for view in (x[::2, ::-3], x.T, np.broadcast_to(x[:1], (5, 46)), x.astype(">f8")):
        plain = np.array(view, dtype=float)
        assert_close(F.gaussian(view, 1.2), ndimage.gaussian_filter(plain, 1.2))
        assert_close(F.sobel(view), ndimage.sobel(plain))


def test_tensors_stay_tensors():
    x = torch.from_numpy(picture(9, 12))
    for function in (F.gaussian, F.sobel, F.unsharp, F.gradient_magnitude):
        result = function(x)
        assert isinstance(result, torch.Tensor)
        np.testing.assert_array_equal(result.numpy(), function(x.numpy()))
    assert F.canny(x).dtype == torch.bool
    assert all(isinstance(part, torch.Tensor) for part in F.gradient(x))


@pytest.mark.parametrize("function", SMOOTHING + SLOPES, ids=lambda f: f.__name__)
def test_values_that_are_not_finite_stay_local(function):
    x = noise(40, 50)
    expected = function(x)
    x[3, 4], x[30, 7] = np.nan, np.inf
    actual = function(x)
    assert not np.isfinite(actual[2:5, 5]).all()
    np.testing.assert_allclose(actual[:, 25:], expected[:, 25:], rtol=0, atol=1e-12)
    assert F.canny(x)[:, 25:].any()


@pytest.mark.parametrize("function", SMOOTHING + SLOPES, ids=lambda f: f.__name__)
def test_empty_images(function):
    for shape in ((0, 5), (4, 0), (0, 0)):
        assert function(np.zeros(shape, np.uint8)).shape == shape


PHOTOGRAPHS = ["camera", "coins", "moon", "page", "clock", "brick", "text", "cell"]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_canny_is_scikit_images(name):
    photo = getattr(skimage.data, name)()
    quantiles = {"sigma": 1.6, "low_threshold": 0.7, "high_threshold": 0.93, "use_quantiles": True}
    for options in ({}, {"sigma": 2.5, "low_threshold": 5, "high_threshold": 30}, quantiles):
        expected = skimage.feature.canny(photo, **options)
        np.testing.assert_array_equal(F.canny(photo, **options), expected)


def test_canny_of_floats_masks_and_boundaries():
    photo = skimage.data.coins()[40:160, 20:170] / 255
    mask = np.hypot(*np.ogrid[-60:60, -80:70]) < 58
    expected = skimage.feature.canny(photo, 1.3, mask=mask)
    assert expected.any()
    np.testing.assert_array_equal(F.canny(photo, 1.3, mask=mask), expected)
    for boundary, mode in MODES.items():
        expected = skimage.feature.canny(photo, 2.2, mask=mask, mode=mode)
        actual = F.canny(photo, 2.2, mask=mask, boundary=boundary)
        np.testing.assert_array_equal(actual, expected)
    single = photo.astype(np.float32)
    agreement = (F.canny(single, 2) == skimage.feature.canny(single, 2)).mean()
    assert agreement > 0.999


def test_canny_keeps_both_sides_of_a_step():
    x = np.zeros((9, 25))
    x[:, 11:] = 1
    for sigma in (0.5, 1.0, 1.7):
        for turned in (x, 1 - x, x * 0.3 + 0.1):
            edges = F.canny(turned, sigma, 0.01, 0.02)
            np.testing.assert_array_equal(np.flatnonzero(edges[4]), [10, 11])
    assert not F.canny(np.ones((9, 12)), boundary="edge").any()
    assert F.canny(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("fill", [0.25, 0.45, 0.7])
def test_hysteresis_is_labelling(fill):
    from multiconv.filters._hysteresis import connected

    values = np.random.default_rng(7).random((60, 71))
    weak, strong = values < fill, values < fill / 40
    labels, count = ndimage.label(weak, np.ones((3, 3)))
    kept = np.isin(labels, np.setdiff1d(labels[strong], [0]))
    assert count > 1
    assert kept.any()
    np.testing.assert_array_equal(connected(weak, strong), kept)


def test_hysteresis_follows_a_long_way():
    from multiconv.filters._hysteresis import connected

    weak = np.zeros((101, 203), bool)
    weak[::2] = True
    weak[1::4, -1] = weak[3::4, 0] = True  # one winding line
    strong = np.zeros_like(weak)
    strong[0, 0] = True
    np.testing.assert_array_equal(connected(weak, strong), weak)
    weak[50, 100] = False
    reached = connected(weak, strong)
    assert reached[50, 0] != reached[50, -1]


BAD = [
    (F.gaussian, {"sigma": -1}, "sigma"),
    (F.gaussian, {"sigma": (1, 2, 3)}, "sigma.*one or 2"),
    (F.gaussian, {"sigma": "wide"}, "sigma"),
    (F.gaussian, {"sigma": 0, "order": 1}, "sigma"),
    (F.gaussian, {"sigma": 1, "order": -1}, "order"),
    (F.gaussian, {"sigma": 1, "order": 1.5}, "order"),
    (F.gaussian, {"sigma": 1, "truncate": 0}, "truncate"),
    (F.gaussian, {"boundary": "mirror"}, "boundary"),
    (F.gaussian, {"boundary": ("edge",) * 3}, "boundary"),
    (F.gaussian, {"axes": 2}, "axes"),
    (F.gaussian, {"axes": (0, -2)}, "axes"),
    (F.gaussian, {"axes": ()}, "axes"),
    (F.gaussian, {"axes": 1, "channel_axis": -1}, "channel axis"),
    (F.gaussian, {"channel_axis": 5}, "channel_axis"),
    (F.gaussian, {"channel_axis": 0.0}, "channel_axis"),
    (F.gaussian, {"cval": "x"}, "cval"),
    (F.sobel, {"cval": [1, 2], "boundary": "constant"}, "cval"),
    (F.box, {"cval": 1j, "boundary": "constant"}, "cval"),
    (F.gaussian, {"dtype": "text"}, "dtype"),
    (F.gaussian, {"dtype": "bool"}, "dtype"),
    (F.gaussian, {"out": [0.0]}, "out"),
    (F.gaussian, {"out": np.zeros((3, 2))}, "out"),
    (F.gaussian, {"out": np.zeros((2, 3)), "dtype": "float32"}, "out"),
    (F.gaussian_derivative, {"sigma": 0}, "sigma"),
    (F.gaussian_derivative, {"order": (1, 0), "axis": 0}, "axis"),
    (F.box, {"size": 0}, "size"),
    (F.box, {"size": 2.0}, "size"),
    (F.box, {"size": 4, "origin": 2}, "origin"),
    (F.sobel, {"axis": 2}, "axis"),
    (F.sobel, {"axis": 1, "channel_axis": 1}, "axis"),
    (F.gradient_magnitude, {"kind": "roberts"}, "kind"),
    (F.gradient_magnitude, {"kind": "sobel", "sigma": 2}, "sigma"),
    (F.gradient, {"axes": 0}, "axes"),
    (F.gabor, {"wavelength": 1}, "wavelength"),
    (F.motion, {"channel_axis": 0}, "axes"),
    (F.sharpen, {"amount": np.nan}, "amount"),
    (F.unsharp, {"amount": "much"}, "amount"),
    (F.canny, {"sigma": -1}, "sigma"),
    (F.canny, {"low_threshold": 3, "high_threshold": 2}, "high_threshold"),
    (F.canny, {"low_threshold": 3, "use_quantiles": True}, "low_threshold"),
    (F.canny, {"mask": np.ones((3, 3))}, "mask"),
    (F.canny, {"boundary": "nearest"}, "boundary"),
]


def worded(value):
    return getattr(value, "__name__", str(value))[:40]


@pytest.mark.parametrize(("function", "arguments", "message"), BAD, ids=worded)
def test_bad_arguments_are_named(function, arguments, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        function(np.ones((2, 3)), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("x", [3.0, np.ones(()), "text", None])
def test_what_is_no_image(x):
    for function in (F.gaussian, F.sobel, F.motion, F.canny):
        with pytest.raises((ValueError, TypeError), match="x:"):
            function(x)
