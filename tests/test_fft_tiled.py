"""Layers with large kernels by transforms of tiles."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

LAYERS = [
    # channels, outputs, groups, size, kernel, options
    (5, 7, 1, (300,), (65,), {"padding": 32}),
    (20, 18, 1, (40, 37), (11, 9), {"padding": (5, 4)}),
    (6, 6, 2, (30, 41), (8, 13), {"stride": (2, 1), "padding_mode": "reflect", "padding": 6}),
    (33, 33, 33, (29, 31), (15, 16), {"padding": 7}),
    (3, 4, 1, (14, 15, 16), (7, 5, 6), {"padding": (3, 2, 1), "dilation": (1, 2, 1)}),
]


def arrays(channels, outputs, groups, size, kernel, options, layout="channels_first"):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((2, channels, *size))
    w = rng.standard_normal((outputs, channels // groups, *kernel))
    if layout == "channels_last":
        x, w = np.moveaxis(x, 1, -1).copy(), np.moveaxis(w, (0, 1), (-1, -2)).copy()
    return x, w, {**options, "groups": groups, "data_format": layout}


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", testing.targets())
def test_every_geometry_is_within_its_bound(layer, layout, dtype, target):
    x, w, options = arrays(*layer, layout)
    exact, size = (mc.conv(a, b, **options, method="direct")
                   for a, b in ((x, w), (np.abs(x), np.abs(w))))  # fmt: skip
    x, w = x.astype(dtype), w.astype(dtype)
    exact = mc.conv(x.astype("f8"), w.astype("f8"), **options, method="direct")
    with testing.forced_target(target):
        plan = mc.plan(mc.conv, mc.ShapeDtype(x.shape, dtype), w, method="fft_tiled", **options)
        found = plan(x)
    assert np.abs(found - exact).max() <= max(plan.error_bound, 1e-14) * size.max()


@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_windows(strange):
    x, w, options = arrays(*LAYERS[1])
    x[1, 3, 20, 11] = strange
    found = mc.conv(x, w, method="fft_tiled", **options)
    expected = mc.conv(x, w, method="reference", **options)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    finite = np.isfinite(expected)
    np.testing.assert_allclose(found[finite], expected[finite], rtol=0, atol=1e-10)


def test_small_values_beside_large_ones_are_kept():
    x, w, options = arrays(*LAYERS[1])
    x[:, :, :, 20:] *= 1e14
    found = mc.conv(x, w, method="fft_tiled", **options)
    expected = mc.conv(x, w, method="reference", **options)
    small = np.s_[:, :, :, :15]
    np.testing.assert_allclose(found[small], expected[small], rtol=0, atol=1e-9)


def test_the_same_bits_for_any_number_of_threads():
    x, w, options = arrays(*LAYERS[1])
    found = []
    for threads in (1, 2, 3):
        with mc.num_threads(threads):
            found.append(mc.conv(x, w, method="fft_tiled", **options))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
