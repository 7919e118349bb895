"""Transposed layers whose channels are convolved by themselves."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

LAYERS = [
    # images, channels, outputs of each, size, kernel, options
    (2, 19, 1, (13, 11), (3, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    (1, 35, 1, (5, 70), (3, 5), {"stride": 2, "padding": (1, 2)}),
    (2, 17, 1, (150, 41), (3, 3), {"stride": 2, "padding": 1}),  # bands of rows
    (1, 18, 2, (9, 23), (5, 7), {"stride": (1, 2), "padding": (2, 3)}),
    (3, 5, 1, (8, 9), (2, 3), {"stride": (3, 4), "output_padding": (2, 1)}),  # see none
    (1, 16, 1, (6, 33), (3, 4), {"stride": (4, 3), "dilation": (2, 5), "padding": (2, 7)}),
    (1, 16, 1, (7, 18), (3, 3), {"stride": 2, "dilation": 2, "padding": 2}),  # or have no taps
    (2, 33, 1, (90,), (9,), {"stride": 2, "padding": 4}),
    (1, 4, 3, (5000,), (3,), {"stride": 5}),
    (1, 23, 1, (3, 3), (9, 3), {"stride": 2, "padding": (5, 1)}),
    (2, 9, 1, (1, 1), (2, 2), {"stride": 2}),
]
NAME = "depthwise_transposed"


def case(images, channels, each, size, kernel, options, dtype="float32", last=False):
    rng = np.random.default_rng(3)
    x = rng.integers(-4, 5, (images, channels, *size)).astype(dtype)
    w = rng.integers(-4, 5, (channels, each, *kernel)).astype(dtype)
    options = {**options, "groups": channels}
    if last:
        x, w = np.ascontiguousarray(np.moveaxis(x, 1, -1)), np.moveaxis(w, (0, 1), (-1, -2))
        options["data_format"] = "channels_last"
    return x, w, options


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("target", testing.targets())
def test_every_geometry_is_exact(layer, dtype, last, target):
    x, w, options = case(*layer, dtype, last)
    with testing.forced_target(target):
        found = mc.conv_transpose(x, w, method=NAME, **options)
    np.testing.assert_array_equal(found, mc.conv_transpose(x, w, method="reference", **options))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
def test_finished_as_they_leave(layer, last):
    x, w, options = case(*layer, last=last)
    plain = mc.conv_transpose(x, w, method="reference", **options)
    channels = plain.shape[-1 if last else 1]
    rng = np.random.default_rng(4)
    bias, scale = (rng.integers(-3, 4, channels).astype("float32") for _ in "bs")
    residual = rng.integers(-9, 9, plain.shape).astype("float32")
    all_of_them = {"bias": bias, "scale": scale, "residual": residual, "activation": "relu6"}
    clamped = {"bias": bias, "activation": "relu"}
    for more in ({"bias": bias}, clamped, {"residual": residual}, all_of_them):
        found = mc.conv_transpose(x, w, method=NAME, **more, **options)
        expected = mc.conv_transpose(x, w, method="reference", **more, **options)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_results_and_data_wherever_they_lie(order):
    x, w, options = case(*LAYERS[0])
    expected = mc.conv_transpose(x, w, method="reference", **options)
    whole = np.full([2 * n for n in expected.shape], -99.0, "float32", order=order)
    out = whole[::2, 1::2, ::2, 1::2]
    x = np.ascontiguousarray(x[:, ::-1, ::-1, ::-1])[:, ::-1, ::-1, ::-1]
    mc.conv_transpose(x, w, method=NAME, out=out, **options)
    np.testing.assert_array_equal(out, expected)
    out[...] = -99.0
    assert (whole == -99.0).all()


@pytest.mark.parametrize("stored", ["uint8", "int16"])
def test_stored_types(stored):
    x, w, options = case(*LAYERS[0])
    x = np.abs(x).astype(stored)
    found = mc.conv_transpose(x, w, method=NAME, **options)
    np.testing.assert_array_equal(found, mc.conv_transpose(x, w, method="reference", **options))


def test_gradients_of_strided_layers_are_planned_to_it():
    grad, w, options = case(1, 96, 1, (56, 56), (3, 3), {"stride": 2, "padding": 1})
    plan = mc.plan(mc.conv_input_grad, grad, w, x_shape=(1, 96, 112, 112), **options)
    assert plan.algorithm == NAME


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stride": 1}, "there are no zeros between the samples"),
        ({"groups": 4}, "its groups have one input channel"),
    ],
)
def test_refusals(change, reason):
    x, w, options = case(1, 8, 1, (9, 9), (3, 3), {"stride": 2})
    with pytest.raises(ValueError, match=reason):
        mc.conv_transpose(x, w, method=NAME, **{**options, **change})
