"""Against `scipy.signal` and `scipy.ndimage`."""

import numpy as np
import pytest
from scipy import ndimage, signal

import multiconv as mc

SHAPES = [((30,), (7,)), ((31,), (8,)), ((13, 18), (4, 5)), ((12, 11), (3, 6)),
          ((7, 9, 8), (2, 3, 4)), ((5, 4, 6, 7), (2, 3, 1, 4))]  # fmt: skip
NDIMAGE = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge",
    "wrap": "wrap", "grid-wrap": "wrap", "constant": "constant", "grid-constant": "constant",
}  # fmt: skip
SIGNAL = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)


def draw(rng, shapes, dtype=float):
    arrays = [rng.standard_normal(s) + 1j * rng.standard_normal(s) for s in shapes]
    return arrays if dtype is complex else [a.real for a in arrays]


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_signal_convolve_and_correlate(shapes, mode, dtype, rng):
    x, h = draw(rng, shapes, dtype)
    close(mc.convolve(x, h, mode), signal.convolve(x, h, mode, method="direct"))
    close(mc.correlate(x, h, mode), signal.correlate(x, h, mode, method="direct"))


@pytest.mark.parametrize("shapes", SHAPES)
def test_signal_same_with_the_kernel_larger_than_the_data(shapes, rng):
    h, x = draw(rng, shapes)
    close(mc.convolve(x, h, "same"), signal.convolve(x, h, "same", method="direct"))


@pytest.mark.parametrize("axes", [0, 1, (0, 2), (2, 0)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_signal_fftconvolve_over_axes(axes, mode, rng):
    x, h = draw(rng, [(9, 8, 7), (3, 4, 2)])
    named = (axes,) if isinstance(axes, int) else axes
    h = h[tuple(slice(None) if a in named else slice(1) for a in range(3))]
    close(mc.convolve(x, h, mode, axes=axes), signal.fftconvolve(x, h, mode, axes=axes))


@pytest.mark.parametrize("boundary", SIGNAL)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("shapes", [((13, 18), (4, 5)), ((12, 11), (3, 6)), ((9, 7), (8, 3))])
def test_signal_convolve2d(shapes, mode, boundary, rng):
    x, h = draw(rng, shapes)
    fill = 2.5 if boundary == "fill" else 0
    ours = {"boundary": SIGNAL[boundary], "cval": fill}
    close(mc.convolve(x, h, mode, **ours), signal.convolve2d(x, h, mode, boundary, fill))
    if all(k % 2 for k in h.shape) or mode != "same":  # correlate2d centres even kernels elsewhere
        close(mc.correlate(x, h, mode, **ours), signal.correlate2d(x, h, mode, boundary, fill))


@pytest.mark.parametrize(("up", "down"), [(2, 1), (1, 3), (3, 2)])
def test_signal_upfirdn(up, down, rng):
    x, h = draw(rng, [(40,), (9,)])
    spread = np.zeros((x.size - 1) * up + 1)
    spread[::up] = x
    expected = signal.upfirdn(h, x, up, down)
    close(mc.convolve(spread, h, stride=down), expected)
    if down == 1:
        close(mc.conv_transpose(x[None], h[None, None], stride=up)[0], expected)


@pytest.mark.parametrize("mode", NDIMAGE)
@pytest.mark.parametrize("shapes", SHAPES)
def test_ndimage_correlate_and_convolve(shapes, mode, rng):
    x, h = draw(rng, shapes)
    options = {"boundary": NDIMAGE[mode], "cval": 1.5 if "constant" in mode else 0}
    close(mc.correlate(x, h, "same", **options), ndimage.correlate(x, h, mode=mode, cval=1.5))
    # ndimage centres even kernels one further on when it flips them.
    origin = [0 if k % 2 else -1 for k in h.shape]
    expected = ndimage.convolve(x, h, mode=mode, cval=1.5, origin=origin)
    close(mc.convolve(x, h, "same", **options), expected)


@pytest.mark.parametrize("boundary", sorted(set(NDIMAGE.values())))
@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_ndimage_with_borders_wider_than_the_data(size, boundary, rng):
    x, h = draw(rng, [(size, 6), (31, 22)])
    # ndimage itself reads foreign memory here, so the border is made by hand.
    padded = np.pad(x, [(15, 15), (11, 10)], boundary)
    got = mc.correlate(x, h, "same", boundary=boundary)
    close(got, signal.correlate(padded, h, "valid", method="direct"))


@pytest.mark.parametrize("mode", NDIMAGE)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_ndimage_along_one_axis(axis, mode, rng):
    x, h = draw(rng, [(7, 9, 8), (4,)])
    options = {"axes": axis, "boundary": NDIMAGE[mode], "cval": 1.5 if "constant" in mode else 0}
    got = mc.correlate(x, h, "same", **options)
    close(got, ndimage.correlate1d(x, h, axis, mode=mode, cval=1.5))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32"])
def test_ndimage_dtypes(dtype, rng):
    x = rng.integers(0, 5, (20, 30)).astype(dtype)
    h = rng.integers(0, 4, (3, 5)).astype(dtype)
    got = mc.correlate(x, h, "same", boundary="symmetric")
    expected = ndimage.correlate(x.astype(float), h.astype(float)).astype(dtype)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("sigma", [0.7, 2.5])
def test_ndimage_gaussian(sigma, rng):
    x = rng.standard_normal((40, 50))
    radius = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    got = mc.convolve(x, np.outer(taps, taps), "same", boundary="symmetric")
    close(got, ndimage.gaussian_filter(x, sigma))
