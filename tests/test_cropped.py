"""Windows that reach far beyond the data: the same as with the zeros there."""

import numpy as np
import pytest

import multiconv as mc
from multiconv._registry import registered
from multiconv._traits import UNKNOWN

CASES = [
    ((9,), (3,), 1, 7, 7),
    ((9, 12), (3, 3), 1, (8, 9), (8, 9)),
    ((9, 12), (3, 2), 1, (5, 11), ((5, 5), (11, 0))),
    ((11, 8), (5, 3), (2, 3), (4, 6), (8, 7)),
    ((4, 5, 6), (3, 2, 3), 1, (3, 4, 5), (3, 2, 5)),
    ((3, 4), (5, 7), 1, 1, (2, 3)),
    ((10,), (4,), 3, 6, ((9, 3),)),
]


def arrays(size, kernel, dtype=np.int64, groups=1, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 9, (2, 3 * groups, *size)).astype(dtype)
    return x, rng.integers(-9, 9, (2 * groups, 3, *kernel)).astype(dtype)


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize(("size", "kernel", "stride", "dilation", "padding"), CASES)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("flip", [False, True])
def test_all_geometries_are_exact(size, kernel, stride, dilation, padding, groups, dtype, flip):
    x, w = arrays(size, kernel, dtype, groups)
    options = {
        "stride": stride, "dilation": dilation, "padding": padding, "groups": groups, "flip": flip,
    }  # fmt: skip
    np.testing.assert_array_equal(
        mc.conv(x, w, method="cropped", **options),
        mc.conv(x, w, method="reference", **options),
    )


def test_bias_activation_and_channels_last():
    x, w = arrays((9, 12), (3, 2), np.float64)
    x, w = np.moveaxis(x, 1, -1), w.transpose(2, 3, 1, 0)
    options = {
        "dilation": (8, 10), "padding": (8, 5), "activation": "relu",
        "data_format": "channels_last",
    }  # fmt: skip
    bias = np.array([1.0, -2.0])
    np.testing.assert_array_equal(
        mc.conv(x, w, bias, method="cropped", **options),
        mc.conv(x, w, bias, method="reference", **options),
    )


def test_gradients_of_dilated_layers():
    rng = np.random.default_rng(4)
    x, w = rng.integers(-9, 9, (2, 4, 9, 7)), rng.integers(-9, 9, (5, 4, 3, 3))
    grad = rng.integers(-9, 9, (2, 5, 9, 7))
    options = {"dilation": (8, 6), "padding": (8, 6)}
    for function, given in ((mc.conv_input_grad, (grad, w, x.shape)),
                            (mc.conv_weight_grad, (x, grad, w.shape))):  # fmt: skip
        np.testing.assert_array_equal(
            function(*given, method="cropped", **options),
            function(*given, method="reference", **options),
        )


def test_nan_reaches_its_own_windows():
    x, w = arrays((9, 12), (3, 3), np.float64)
    x[0, 1, 4, 5] = np.nan
    options = {"dilation": (8, 9), "padding": (8, 9)}
    found = mc.conv(x, w, method="cropped", **options)
    expected = mc.conv(x, w, method="reference", **options)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("mb1 ic4 oc4 in28x28 k3x3 d24x24 p24:24 b=edge", "zeros only"),
        ("mb1 ic4 oc4 in28x28 k3x3 p1:1", "most products"),
        ("mb1 ic4 oc4 in5000 k3 d4999 p4999:4999", "too long"),
        ("mb1 ic4 oc4 in14x14 k31x31 p15:15", "taps of their own"),
        ("mb1 ic4 oc4 in9 k2 d30 p20:30", "no sample"),
    ],
)
def test_refusals(problem, reason):
    refusal = registered()["cropped"].accepts(mc.Problem.parse(problem), UNKNOWN)
    assert refusal is not None
    assert reason in refusal.reason


def test_taps_that_are_not_finite_meet_the_zeros():
    x, w = arrays((9, 12), (3, 3), np.float64)
    w[1, 0, 0, 0] = np.inf
    options = {"dilation": (8, 9), "padding": (8, 9)}
    with pytest.raises(mc.RefusedError, match="not finite"):
        mc.conv(x, w, method="cropped", **options)
    assert mc.plan(mc.conv, x, w, **options).algorithm != "cropped"


def test_chosen_where_most_taps_see_zeros():
    x = mc.ShapeDtype((1, 256, 28, 28), "float32")
    w = np.ones((64, 256, 3, 3), "float32")
    assert mc.plan(mc.conv, x, w, dilation=24, padding=24).algorithm == "cropped"
