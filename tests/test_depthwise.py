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
