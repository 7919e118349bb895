"""Channels convolved each by itself."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

LAYERS = [
    # channels, multiplier, size, kernel, options
    (37, 1, (13, 14), (3, 3), {"padding": 1}),
    (16, 2, (9, 30), (5, 4), {"stride": 2, "padding": (2, 1)}),
    (5, 1, (41,), (7,), {"dilation": 3, "padding": 9, "padding_mode": "reflect"}),
    (18, 1, (7, 7), (7, 7), {"padding": 3}),
    (3, 3, (6, 7, 8), (3, 2, 3), {"stride": (1, 2, 1), "padding": 1}),
    (20, 1, (33, 35), (3, 5), {"dilation": (2, 1), "padding": -1}),
    (32, 1, (19, 24), (3, 3), {"padding": 1}),
    (35, 1, (12, 21), (3, 3), {"padding": 1, "stride": 2, "padding_mode": "reflect"}),
    (16, 1, (23, 40), (5, 5), {"padding": (2, 4), "dilation": (1, 2)}),
    (48, 1, (30,), (3,), {"stride": 3, "padding": 1, "padding_mode": "circular"}),
    (32, 1, (15, 30), (7, 7), {"padding": (3, 5)}),
    (16, 1, (17, 16), (2, 3), {"stride": (2, 1)}),
    (17, 1, (9, 3), (3, 2), {"padding": 1, "stride": (3, 1), "dilation": (2, 1)}),
    (16, 1, (15, 14), (3, 3), {"stride": 2, "padding": 1}),
    (32, 1, (13, 20), (5, 5), {"stride": 2, "padding": 2}),
    (48, 1, (11, 17), (5, 5), {"padding": (6, 7)}),
    (16, 1, (5, 7), (3, 3), {"padding": (4, 5)}),
    (16, 1, (6, 19), (3, 3), {"stride": (1, 2), "padding": (0, 1)}),
]


def arrays(channels, multiplier, size, kernel, dtype, layout):
    rng = np.random.default_rng(8)
    x = rng.integers(-4, 5, (2, channels, *size)).astype(dtype)
    w = rng.integers(-4, 5, (channels * multiplier, 1, *kernel)).astype(dtype)
    bias = rng.integers(-4, 5, channels * multiplier).astype(dtype)
    if layout == "channels_last":
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        w = np.ascontiguousarray(np.moveaxis(w, (0, 1), (-1, -2)))
    return x, w, bias


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("target", testing.targets())
def test_every_geometry_is_exact(layer, layout, dtype, target):
    *sizes, options = layer
    x, w, bias = arrays(*sizes, dtype, layout)
    options = {**options, "groups": sizes[0], "data_format": layout}
    if np.dtype(dtype).kind == "f":
        options["activation"] = "relu"
    with testing.forced_target(target):
        found = mc.conv(x, w, bias, method="depthwise", **options)
    np.testing.assert_array_equal(found, mc.conv(x, w, bias, method="reference", **options))


def test_a_nan_stays_in_its_channel_and_windows():
    x, w, _ = arrays(*LAYERS[0][:4], "float32", "channels_first")
    x[1, 4, 5, 6] = np.nan
    found = mc.conv(x, w, padding=1, groups=37, method="depthwise")
    expected = mc.conv(x, w, padding=1, groups=37, method="reference")
    np.testing.assert_array_equal(found, expected)
    assert np.isnan(found).sum() == 9


@pytest.mark.parametrize("activation", [None, "relu6", "silu"])
@pytest.mark.parametrize("target", testing.targets())
def test_pixels_may_lie_apart(rng, activation, target):
    wide = rng.integers(-4, 5, (2, 17, 30, 70)).astype("float32")
    x, w = wide[:, ::-1, ::2, 3:39], rng.integers(-4, 5, (3, 3, 1, 36)).astype("float32")
    options = {"padding": 1, "groups": 36, "data_format": "channels_last", "activation": activation}
    out = np.full((2, 17, 15, 50), 7, np.float32)
    with testing.forced_target(target):
        plan = mc.plan(mc.conv, x, w, method="depthwise", **options)
        plan(x, out=out[..., 9:45])
    expected = mc.conv(x, w, method="reference", **options)
    np.testing.assert_allclose(out[..., 9:45], expected, rtol=1e-6, atol=1e-6)
    assert (out[..., :9] == 7).all()
    assert (out[..., 45:] == 7).all()


def test_infinite_weights_meet_zeros_of_the_padding(rng):
    x, w = rng.random((1, 9, 20, 16), "float32") + 1, np.ones((3, 3, 1, 16), "float32")
    w[0, 0, 0, 5] = np.inf
    options = {"padding": 1, "groups": 16, "data_format": "channels_last"}
    found, expected = (
        mc.conv(x, w, method=method, **options) for method in ("depthwise", "reference")
    )
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert np.isnan(found).sum() == 9 + 20 - 1


@pytest.mark.parametrize("stride", [1, 2])
def test_data_that_no_cache_holds(stride):
    rng = np.random.default_rng(5)
    x = rng.integers(-9, 9, (2, 104, 105, 112)).astype(np.float32)
    w = rng.integers(-9, 9, (3, 3, 1, 112)).astype(np.float32)
    options = {"stride": stride, "padding": 1, "groups": 112, "data_format": "channels_last"}
    found = mc.conv(x, w, method="depthwise", **options)
    np.testing.assert_array_equal(found, mc.conv(x, w, method="direct", **options))
