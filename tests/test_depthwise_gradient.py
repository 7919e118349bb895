"""Weight gradients of layers whose channels are convolved by themselves."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

LAYERS = [
    # images, channels, size, kernel, options
    (3, 19, (13, 11), (3, 3), {"padding": 1}),
    (2, 5, (41, 37), (3, 2), {"stride": (1, 2), "padding": (2, 0)}),
    (2, 17, (150, 141), (3, 3), {"stride": 2, "padding": 1}),  # bands of rows
    (1, 18, (97, 203), (5, 7), {"padding": (2, 3)}),
    (1, 16, (130, 128), (3, 4), {"stride": (3, 1), "dilation": (2, 5), "padding": (2, 7)}),
    (1, 16, (90, 260), (2, 3), {"dilation": (44, 1)}),  # taps farther apart than bands
    (2, 33, (900,), (9,), {"padding": 4}),
    (1, 16, (5000,), (3,), {"stride": 2}),
    (1, 23, (7, 7), (9, 3), {"padding": (6, 1)}),  # rows that see nothing
]


def case(images, channels, size, kernel, options, dtype, last=False):
    rng = np.random.default_rng(3)
    x = rng.integers(-4, 5, (images, channels, *size)).astype(dtype)
    w_shape = (channels, 1, *kernel)
    options = {**options, "groups": channels}
    out = mc.plan(mc.conv, mc.ShapeDtype(x.shape), mc.ShapeDtype(w_shape), **options).out_shape
    grad = rng.integers(-4, 5, out).astype(dtype)
    if not last:
        return x, grad, w_shape, options
    x, grad = (np.ascontiguousarray(np.moveaxis(a, 1, -1)) for a in (x, grad))
    return x, grad, (*kernel, 1, channels), {**options, "data_format": "channels_last"}


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("target", testing.targets())
def test_every_geometry_is_exact(layer, dtype, last, target):
    x, grad, w_shape, options = case(*layer, dtype, last)
    with testing.forced_target(target):
        found = mc.conv_weight_grad(x, grad, w_shape, method="depthwise_gradient", **options)
    expected = mc.conv_weight_grad(x, grad, w_shape, method="pixel_sum", **options)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("layer", LAYERS[1:4], ids=str)
def test_a_nan_reaches_its_own_sums(layer):
    x, grad, w_shape, options = case(*layer, np.float32)
    x[0, 3, 5, 7] = np.nan
    grad[-1, 1, 2, 3] = np.inf
    found = mc.conv_weight_grad(x, grad, w_shape, method="depthwise_gradient", **options)
    expected = mc.conv_weight_grad(x, grad, w_shape, method="pixel_sum", **options)
    np.testing.assert_array_equal(found, expected)


def test_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((2, 24, 90, 101), np.float32)
    grad = rng.standard_normal((2, 24, 90, 101), np.float32)
    found = []
    for threads in (1, 2, 3):
        with mc.num_threads(threads):
            found.append(mc.conv_weight_grad(x, grad, (24, 1, 3, 3), padding=1, groups=24,
                                             method="depthwise_gradient"))  # fmt: skip
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
