"""Transposed layers by phases: the same as with the zeros between the samples."""

import numpy as np
import pytest

import multiconv as mc

CASES = [
    ((9,), (4,), 2, 1, 0),
    ((9,), (5,), 3, 2, 1),
    ((7, 6), (4, 3), 2, 1, 1),
    ((7, 6), (5, 4), (3, 2), (2, 3), (1, 0)),
    ((5, 4, 6), (2, 3, 4), (2, 1, 3), 1, 0),
    ((8,), (7,), 4, 6, 3),
    ((5, 6), (1, 2), (2, 3), 1, 0),
    ((5, 6), (2, 3), (2, 3), 1, 0),  # phases of the last axis as channels
    ((9,), (8,), 4, 1, 2),
    ((4, 3, 5), (2, 3, 4), 2, 2, 2),
]


def arrays(size, kernel, dtype=np.int64, groups=1, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 9, (2, 3 * groups, *size)).astype(dtype)
    return x, rng.integers(-9, 9, (3 * groups, 2, *kernel)).astype(dtype)


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize(("size", "kernel", "stride", "dilation", "padding"), CASES)
@pytest.mark.parametrize("groups", [1, 2])
def test_all_geometries_are_exact(size, kernel, stride, dilation, padding, groups, dtype):
    x, w = arrays(size, kernel, dtype, groups)
    options = {"stride": stride, "dilation": dilation, "padding": padding, "groups": groups}
    np.testing.assert_array_equal(
        mc.conv_transpose(x, w, method="polyphase", **options),
        mc.conv_transpose(x, w, method="reference", **options),
    )


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_output_padding_bias_and_layouts(layout):
    x, w = arrays((7, 6), (4, 5), np.float64)
    bias = np.array([1.0, -2.0])
    if layout == "channels_last":
        x, w = np.moveaxis(x, 1, -1), w.transpose(2, 3, 1, 0)
    options = {"stride": (2, 3), "output_padding": (1, 2), "padding": (1, 2), "data_format": layout}
    np.testing.assert_array_equal(
        mc.conv_transpose(x, w, bias, method="polyphase", **options),
        mc.conv_transpose(x, w, bias, method="reference", **options),
    )


@pytest.mark.parametrize("channels", [1, 5])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_phases_that_are_channels(channels, layout, order):
    rng = np.random.default_rng(5)
    x, w = (rng.integers(-9, 9, s).astype("float32")
            for s in ((2, 4, 5, 6), (4, channels, 2, 6)))  # fmt: skip
    bias, scale = rng.integers(-9, 9, (2, channels)).astype("float32")
    options = {"stride": (2, 3), "padding": (0, 0), "output_padding": 0, "data_format": layout,
               "activation": "relu"}  # fmt: skip
    if layout == "channels_last":
        x, w = np.moveaxis(x, 1, -1), w.transpose(2, 3, 1, 0)
    shape = mc.plan(mc.conv_transpose, x, w, **options).out_shape
    residual = np.asarray(rng.integers(-9, 9, shape), "float32", order=order)
    options |= {"bias": bias, "scale": scale, "residual": residual}
    out = np.empty(shape, "float32", order=order)
    mc.conv_transpose(x, w, method="polyphase", out=out, **options)
    np.testing.assert_array_equal(out, mc.conv_transpose(x, w, method="reference", **options))


def test_input_gradients_of_strided_layers():
    rng = np.random.default_rng(4)
    grad, w = rng.integers(-9, 9, (2, 4, 5, 4)), rng.integers(-9, 9, (4, 3, 3, 5))
    options = {"stride": (2, 3), "padding": (1, 2)}
    np.testing.assert_array_equal(
        mc.conv_input_grad(grad, w, (2, 3, 9, 11), method="polyphase", **options),
        mc.conv_input_grad(grad, w, (2, 3, 9, 11), method="reference", **options),
    )


def test_nan_reaches_its_own_windows():
    x, w = arrays((9, 8), (4, 4), np.float64)
    x[0, 1, 4, 5] = np.nan
    expected = mc.conv_transpose(x, w, stride=2, method="reference")
    found = mc.conv_transpose(x, w, stride=2, method="polyphase")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("in9 k3 float64", "no zeros between"),
        ("in9 k3 s2 id2 p2:2 float64", "skips some"),
        ("in9 k2 id3 p1:1 float64 act=relu", "see no sample"),
        ("in9 k3 id2 p2:2 cval=1 float64", "zeros only"),
    ],
)
def test_what_it_refuses(problem, reason):
    from multiconv._registry import registered
    from multiconv._traits import UNKNOWN

    refusal = registered()["polyphase"].accepts(mc.Problem.parse(problem), UNKNOWN)
    assert reason in refusal.reason


def test_large_transposed_layers_are_planned_so():
    x = mc.ShapeDtype((1, 64, 64, 64), np.float32)
    w = mc.ShapeDtype((64, 64, 4, 4), np.float32)
    assert mc.plan(mc.conv_transpose, x, w, stride=2, padding=1).algorithm == "polyphase"
