"""Weight gradients of layers with channels first: panels of windows."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

LAYERS = [
    # images, channels, outputs, groups, size, kernel, options
    (3, 3, 40, 1, (61,), (5,), {"padding": 2}),
    (2, 5, 17, 1, (23, 30), (3, 4), {"padding": (1, 2)}),
    (3, 6, 4, 2, (15, 14), (3, 2), {"stride": (2, 1), "dilation": (1, 3)}),
    (1, 8, 16, 4, (19, 37), (3, 5), {"padding": (1, 2)}),
    (3, 70, 90, 1, (6, 7), (2, 3), {"padding": 1, "padding_mode": "circular"}),
    (2, 4, 33, 1, (7, 6, 9), (3, 2, 1), {"stride": (1, 2, 3), "padding": (1, 0, 2)}),
    (3, 150, 140, 1, (9, 8), (1, 1), {"stride": 2}),
    (21, 67, 131, 1, (7, 5), (1, 1), {}),  # images that share panels
    (2, 37, 6, 1, (31, 900), (1, 1), {}),  # shares of sums
    (1, 2, 3, 1, (2, 3), (1, 2), {}),  # lines shorter than vectors
]


def arrays(images, channels, outputs, groups, size, kernel, options, dtype):
    rng = np.random.default_rng(5)
    x = rng.integers(-4, 5, (images, channels, *size)).astype(dtype)
    w_shape = (outputs, channels // groups, *kernel)
    options = {**options, "groups": groups}
    out = mc.plan(mc.conv, mc.ShapeDtype(x.shape), mc.ShapeDtype(w_shape), **options).out_shape
    return x, rng.integers(-4, 5, out).astype(dtype), w_shape, options


def gradient(method, x, grad, w_shape, options, **more):
    return mc.conv_weight_grad(x, grad, w_shape, method=method, **options, **more)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", testing.targets())
def test_every_geometry_is_exact(layer, dtype, target):
    case = arrays(*layer, dtype)
    with testing.forced_target(target):
        found = gradient("panel_sum", *case)
    np.testing.assert_array_equal(found, gradient("reference", *case))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_strides_of_any_kind(layer):
    x, grad, *rest = arrays(*layer, np.float32)
    wide = np.zeros((*x.shape, 2), x.dtype)
    wide[..., 1] = x
    turned = np.ascontiguousarray(grad[:, ::-1, ..., ::-1].T).T[:, ::-1, ..., ::-1]
    found = gradient("panel_sum", wide[..., 1], turned, *rest)
    np.testing.assert_array_equal(found, gradient("reference", x, grad, *rest))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_results_whose_lanes_are_no_neighbours(layer):
    *case, w_shape, options = arrays(*layer, np.float32)
    out = np.full((*w_shape, 3), np.nan, np.float32)
    gradient("panel_sum", *case, w_shape, options, out=out[..., 1])
    np.testing.assert_array_equal(out[..., 1], gradient("reference", *case, w_shape, options))
    assert np.isnan(out[..., ::2]).all()


def test_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((4, 12, 90, 101), np.float32)
    grad = rng.standard_normal((4, 20, 90, 101), np.float32)
    found = []
    for threads in (1, 2, 3):
        with mc.num_threads(threads):
            found.append(gradient("panel_sum", x, grad, (20, 12, 3, 3), {"padding": 1}))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    expected = mc.conv_weight_grad(x.astype("f8"), grad.astype("f8"), (20, 12, 3, 3), padding=1)
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-3)


def test_a_nan_reaches_its_own_sums():
    x, grad, *rest = arrays(*LAYERS[1], np.float32)
    x[1, 2, 0, 0] = np.nan
    grad[0, 3, 2, 1] = np.inf
    np.testing.assert_array_equal(
        gradient("panel_sum", x, grad, *rest), gradient("reference", x, grad, *rest)
    )


def test_layers_with_channels_last_are_refused():
    shapes = [mc.ShapeDtype(s, "float32") for s in ((2, 9, 8, 5), (2, 9, 8, 7))]
    with pytest.raises(ValueError, match="channels come last"):
        mc.plan(mc.conv_weight_grad, *shapes, w_shape=(1, 1, 5, 7), data_format="channels_last",
                method="panel_sum")  # fmt: skip
