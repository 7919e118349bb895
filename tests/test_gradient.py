"""Length and direction of the gradient in one pass: what its parts give, on every target."""

import numpy as np
import pytest
from scipy import ndimage

import multiconv as mc
from multiconv import filters, testing

MODES = {"edge": "nearest", "symmetric": "reflect", "reflect": "mirror", "wrap": "wrap",
         "constant": "constant"}  # fmt: skip
DTYPES = ["uint8", "int8", "int16", "uint16", "float32", "float64"]


@pytest.fixture(params=testing.targets(), autouse=True)
def target(request):
    with testing.forced_target(request.param):
        yield


def picture(shape, dtype):
    rng = np.random.default_rng(sum(shape))
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    bounds = np.iinfo(dtype)
    return rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)


def by_parts(x, mode):
    down, right = (ndimage.sobel(x.astype(float), a, mode=mode) for a in (0, 1))
    return np.hypot(down, right), np.degrees(np.arctan2(0 - down, right))


def turn(a, b):
    """How far directions are apart."""
    return np.abs((a - b + 180) % 360 - 180)


@pytest.mark.parametrize("boundary", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(19, 31), (70, 1100), (1, 6), (40, 1), (2, 2)], ids=str)
def test_it_is_what_the_slopes_make(shape, dtype, boundary):
    x = picture(shape, dtype)
    sums = "float64" if dtype == "float64" else "float32"
    length, angle = filters.gradient(x, boundary=boundary, dtype=sums)
    expected, direction = by_parts(x, MODES[boundary])
    eps = np.finfo(sums).eps
    scale = 8 * max(abs(float(x.max())), abs(float(x.min())), 1)
    assert length.dtype == angle.dtype == sums
    assert length.shape == angle.shape == shape
    np.testing.assert_allclose(length, expected, rtol=4 * eps, atol=8 * eps * scale)
    steep = expected > scale / 100
    assert (turn(angle, direction)[steep] < 2e5 * eps).all()
    np.testing.assert_array_equal(
        length, filters.gradient_magnitude(x, kind="sobel", boundary=boundary, dtype=sums)
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_directions_are_true_to_three_units_in_the_last_place_of_180(dtype):
    whole = np.random.default_rng(5).integers(-1000, 1000, (200, 300))
    x = whole.astype(dtype)  # whose slopes have no rounding errors
    _, angle = filters.gradient(x)
    down, right = (filters.sobel(x, a).astype(np.longdouble) for a in (0, 1))
    true = np.arctan2(0 - down, right) * 180 / np.arctan2(np.longdouble(0), -1)
    assert turn(angle, true).max() <= 3 * np.spacing(x.dtype.type(180))


def test_the_four_ways_and_none():
    x = np.zeros((7, 7))
    x[3, 3] = 1
    length, angle = filters.gradient(x)
    assert angle[3, 2] == 0
    assert angle[3, 4] == 180
    assert angle[4, 3] == 90
    assert angle[2, 3] == -90
    assert length[0, 0] == angle[0, 0] == angle[3, 3] == 0
    assert not np.signbit(angle[3, 3])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [(9, 40), (40, 70)])
def test_what_is_not_finite_reaches_its_windows_alone(value, size):
    x = picture(size, "float32")
    x[4, 17] = value
    expected = np.zeros(size, bool)
    expected[3:6, 16:19] = True
    for part in filters.gradient(x):
        np.testing.assert_array_equal(~np.isfinite(part), expected)


def test_gaussian_slopes_of_any_sigma():
    x = picture((50, 61), "float64")
    for sigma in (0.7, (1.5, 3), 9):
        expected = ndimage.gaussian_gradient_magnitude(x, sigma, mode="mirror")
        actual = filters.gradient_magnitude(x, sigma, boundary="reflect")
        np.testing.assert_allclose(actual, expected, atol=1e-12)
        length, _ = filters.gradient(x, sigma, kind="gaussian", boundary="reflect")
        np.testing.assert_allclose(length, expected, atol=1e-12)


def test_axes_channels_strides_and_an_array_given():
    x = picture((13, 22, 3), "uint8")
    pages = [filters.gradient(x[..., c]) for c in range(3)]
    for part in (0, 1):
        expected = np.stack([page[part] for page in pages], -1)
        np.testing.assert_array_equal(filters.gradient(x, channel_axis=-1)[part], expected)
        np.testing.assert_array_equal(filters.gradient(x, axes=(0, 1))[part], expected)
    turned = filters.gradient_magnitude(x[..., 0].T, kind="sobel")
    np.testing.assert_array_equal(turned.T, pages[0][0])
    out = np.empty((13, 22))
    found = filters.gradient_magnitude(x[::-1, ::-1, 0], kind="sobel", out=out)
    assert found is out
    np.testing.assert_array_equal(out[::-1, ::-1], pages[0][0])
    wide = np.full((13, 30), -1.0)
    filters.gradient_magnitude(x[..., 0], kind="sobel", out=wide[:, 4:26])
    np.testing.assert_array_equal(wide[:, 4:26], pages[0][0])
    assert (wide[:, :4] == -1).all()
    assert (wide[:, 26:] == -1).all()


def test_large_pictures_make_the_same_bits_whatever_the_threads():
    x = picture((1301, 1999), "float32")
    results = []
    for count in (1, 3):
        with mc.num_threads(count):
            results.append(np.stack(filters.gradient(x)))
    np.testing.assert_array_equal(*results)
    cut = np.stack(filters.gradient(x[:60]))[:, 1:59]
    np.testing.assert_array_equal(results[0][:, 1:59], cut)
