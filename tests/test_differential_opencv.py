"""Against OpenCV: the same filters under its conventions, and where it rounds otherwise."""

import cv2
import numpy as np
import pytest

import multiconv as mc
from multiconv import filters

F = filters
BORDERS = {"edge": cv2.BORDER_REPLICATE, "symmetric": cv2.BORDER_REFLECT,
           "reflect": cv2.BORDER_REFLECT_101, "constant": cv2.BORDER_CONSTANT}  # fmt: skip
DEPTHS = {"int16": cv2.CV_16S, "float32": cv2.CV_32F, "float64": cv2.CV_64F}
SHAPE = (61, 83)

borders = pytest.mark.parametrize("boundary", BORDERS)
depths = pytest.mark.parametrize("depth", DEPTHS)


def picture(dtype=np.uint8):
    rng = np.random.default_rng(3)
    if np.dtype(dtype).kind == "f":
        return rng.random(SHAPE).astype(dtype)
    return rng.integers(0, 256, SHAPE).astype(dtype)


def assert_close(actual, expected):
    assert actual.dtype == expected.dtype
    if actual.dtype.kind == "f":
        bound = 16 * np.finfo(actual.dtype).eps * max(np.abs(expected).max(), 1)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=bound)
    else:
        np.testing.assert_array_equal(actual, expected)


@borders
@depths
@pytest.mark.parametrize("axis", [0, 1])
def test_slopes_of_bytes(axis, depth, boundary):
    x, border = picture(), BORDERS[boundary]
    order = (axis, 1 - axis)
    options = {"axis": axis, "boundary": boundary, "dtype": depth}
    assert_close(F.sobel(x, **options), cv2.Sobel(x, DEPTHS[depth], *order, borderType=border))
    assert_close(F.scharr(x, **options), cv2.Scharr(x, DEPTHS[depth], *order, borderType=border))


@borders
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slopes_of_floats(dtype, boundary):
    x, border = picture(dtype), BORDERS[boundary]
    expected = cv2.Sobel(x, DEPTHS[dtype], 1, 0, borderType=border)
    assert_close(F.sobel(x, 1, boundary=boundary), expected)


@borders
@depths
def test_laplacians(depth, boundary):
    x = picture()
    expected = cv2.Laplacian(x, DEPTHS[depth], ksize=1, borderType=BORDERS[boundary])
    assert_close(F.laplace(x, boundary=boundary, dtype=depth), expected)


def test_slopes_are_clipped_to_bytes():
    x = picture()
    expected = cv2.Sobel(x, cv2.CV_8U, 1, 0, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_array_equal(F.sobel(x, 1, boundary="edge", dtype="uint8"), expected)


@borders
@pytest.mark.parametrize("depth", ["float32", "float64"])
def test_length_and_direction(depth, boundary):
    """Its angles run from 0 to 360, clockwise as one sees the picture, and are rough."""
    x, border = picture(), BORDERS[boundary]
    right, down = (cv2.Sobel(x, DEPTHS[depth], 1 - a, a, borderType=border) for a in (0, 1))
    length, angle = F.gradient(x, boundary=boundary, dtype=depth)
    assert_close(length, cv2.magnitude(right, down))
    assert_close(F.gradient_magnitude(x, kind="sobel", boundary=boundary, dtype=depth), length)
    clockwise = cv2.phase(right, down, angleInDegrees=True)
    apart = np.abs((angle + clockwise + 180) % 360 - 180)
    assert apart[length > 0].max() < 0.02


@borders
@pytest.mark.parametrize("size", [(3, 3), (5, 5), (3, 7), (9, 9)])
def test_means_of_bytes_of_odd_boxes(size, boundary):
    x = picture()
    expected = cv2.blur(x, size[::-1], borderType=BORDERS[boundary])
    np.testing.assert_array_equal(F.box(x, size, boundary=boundary), expected)


@pytest.mark.parametrize("size", [2, 4])
def test_means_of_bytes_of_even_boxes(size):
    """They lie as ours do, but are rounded upwards there, by more than a half for some."""
    x = picture()
    found = F.box(x, size, boundary="edge").astype(int)
    other = cv2.blur(x, (size, size), borderType=cv2.BORDER_REPLICATE).astype(int)
    means = F.box(x.astype(float), size, boundary="edge")
    np.testing.assert_array_equal(found, np.rint(means))
    assert set(np.unique(other - found)) == {0, 1}
    assert (other[means == found] == found[means == found]).all()


@borders
@pytest.mark.parametrize("sigma", [0.8, 1, 2])
def test_gaussians(sigma, boundary):
    """Of floats the same; of bytes its weights keep 8 bits, which may cost some levels."""
    border, size = BORDERS[boundary], 2 * int(4 * sigma + 0.5) + 1
    x = picture("float32")
    expected = cv2.GaussianBlur(x, (size, size), sigma, borderType=border)
    assert_close(F.gaussian(x, sigma, boundary=boundary), expected)
    x = picture()
    expected = cv2.GaussianBlur(x, (size, size), sigma, borderType=border)
    found = F.gaussian(x, sigma, boundary=boundary)
    assert np.abs(found.astype(int) - expected).max() <= 5
    exact = F.gaussian(x.astype(float), sigma, boundary=boundary)
    assert np.abs(found - exact).max() < 0.5 + 1e-3


@borders
@pytest.mark.parametrize("depth", ["int16", "float32"])
def test_stencils_are_correlations_there(depth, boundary):
    x = picture()
    w = np.random.default_rng(4).integers(-3, 4, (5, 3)).astype(depth)
    expected = cv2.filter2D(x, DEPTHS[depth], w.astype(np.float32), borderType=BORDERS[boundary])
    assert_close(mc.correlate(x, w, "same", boundary=boundary), expected)


def test_default_borders_differ():
    x = picture()
    np.testing.assert_array_equal(F.box(x, boundary="reflect"), cv2.blur(x, (3, 3)))
    assert (F.box(x) != cv2.blur(x, (3, 3))).any()
