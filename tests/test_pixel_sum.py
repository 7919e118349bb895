"""Weight gradients: sums over many pixels."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

LAYERS = [
    # channels, outputs, groups, size, kernel, options
    (3, 40, 1, (61,), (5,), {"padding": 2}),
    (5, 17, 1, (23, 30), (3, 4), {"padding": (1, 2)}),
    (6, 4, 2, (15, 14), (3, 2), {"stride": (2, 1), "dilation": (1, 3)}),
    (8, 8, 8, (19, 37), (3, 5), {"padding": (1, 2)}),
    (70, 90, 1, (6, 7), (2, 3), {"padding": 1, "padding_mode": "circular"}),
    (4, 33, 1, (7, 6, 9), (3, 2, 1), {"stride": (1, 2, 3), "padding": (1, 0, 2)}),
    (150, 140, 1, (9, 8), (1, 1), {"stride": 2}),
]


def arrays(channels, outputs, groups, size, kernel, options, dtype, layout="channels_first"):
    rng = np.random.default_rng(5)
    x = rng.integers(-4, 5, (3, channels, *size)).astype(dtype)
    w_shape = (outputs, channels // groups, *kernel)
    options = {**options, "groups": groups}
    out = mc.plan(mc.conv, mc.ShapeDtype(x.shape), mc.ShapeDtype(w_shape), **options).out_shape
    grad = rng.integers(-4, 5, out).astype(dtype)
    if layout == "channels_last":
        x, grad = np.moveaxis(x, 1, -1), np.moveaxis(grad, 1, -1)
        w_shape = (*kernel, channels // groups, outputs)
    return x, grad, w_shape, {**options, "data_format": layout}


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("target", testing.targets())
def test_every_geometry_is_exact(layer, dtype, target):
    x, grad, w_shape, options = arrays(*layer, dtype)
    with testing.forced_target(target):
        found = mc.conv_weight_grad(x, grad, w_shape, method="pixel_sum", **options)
    expected = mc.conv_weight_grad(x, grad, w_shape, method="reference", **options)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("flip", [False, True])
def test_channels_last_and_flipped_kernels(layer, flip):
    x, grad, w_shape, options = arrays(*layer, np.float64, "channels_last")
    options["flip"] = flip
    np.testing.assert_array_equal(
        mc.conv_weight_grad(x, grad, w_shape, method="pixel_sum", **options),
        mc.conv_weight_grad(x, grad, w_shape, method="reference", **options),
    )


def test_many_tiles_and_shares_give_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((4, 12, 90, 101), np.float32)
    grad = rng.standard_normal((4, 20, 90, 101), np.float32)
    found = []
    for threads in (1, 2, 3):
        with mc.num_threads(threads):
            found.append(mc.conv_weight_grad(x, grad, (20, 12, 3, 3), padding=1,
                                             method="pixel_sum"))  # fmt: skip
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    expected = mc.conv_weight_grad(x.astype("f8"), grad.astype("f8"), (20, 12, 3, 3), padding=1)
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-3)


def test_a_nan_reaches_its_own_sums():
    x, grad, w_shape, options = arrays(*LAYERS[1], np.float32)
    x[1, 2, 0, 0] = np.nan
    grad[0, 3, 2, 1] = np.inf
    np.testing.assert_array_equal(
        mc.conv_weight_grad(x, grad, w_shape, method="pixel_sum", **options),
        mc.conv_weight_grad(x, grad, w_shape, method="reference", **options),
    )


def test_a_plan_keeps_its_kernel():
    x, grad, w_shape, options = arrays(*LAYERS[0], np.float64)
    plan = mc.plan(mc.conv_weight_grad, mc.ShapeDtype(x.shape), grad.copy(), w_shape=w_shape,
                   method="pixel_sum", **options)  # fmt: skip
    np.testing.assert_array_equal(plan(x), mc.conv_weight_grad(x, grad, w_shape, **options))
