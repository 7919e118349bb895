"""Weight gradients by tiles: volumes, dilation, layouts, and data that go another way."""

import numpy as np
import pytest

import multiconv as mc

CASES = {
    "plane": ((2, 9, 13, 88), 17, (3, 3), (1, 1), (1, 1), 1),
    "dilated": ((2, 9, 23, 18), 17, (3, 3), (2, 3), (2, 3), 1),
    "one axis dilated": ((1, 9, 23, 18), 17, (5, 5), (2, 3), (2, 1), 1),
    "more phases than outputs": ((3, 16, 5, 9), 20, (3, 3), (7, 1), (7, 1), 1),
    "volume": ((2, 9, 7, 13, 18), 17, (3, 3, 3), (1, 1, 1), (1, 1, 1), 1),
    "volume, planes dilated": ((2, 16, 7, 33, 28), 20, (4, 3, 3), (0, 1, 2), (1, 2, 3), 1),
    "volume of planes": ((2, 16, 7, 13, 18), 20, (1, 3, 3), (2, 0, 0), (1, 1, 1), 1),
    "volume, groups": ((1, 18, 9, 13, 18), 40, (2, 5, 5), (1, 2, 2), (1, 1, 1), 2),
    "many planes": ((1, 8, 150, 9, 21), 8, (3, 3, 3), (1, 1, 1), (1, 1, 1), 1),
}


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_gradient(case, data_format, layer):
    x, grad, w_shape, options = layer(*CASES[case], data_format=data_format)
    expected = mc.conv_weight_grad(x, grad, w_shape, method="reference", **options)
    found = mc.conv_weight_grad(x, grad, w_shape, method="winograd_gradient", **options)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("case", ["dilated", "volume", "volume, groups"])
def test_results_may_have_their_inputs_innermost(case, layer):
    x, grad, w_shape, options = layer(*CASES[case], data_format="channels_last")
    expected = mc.conv_weight_grad(x, grad, w_shape, method="reference", **options)
    out = np.full((w_shape[-1], *w_shape[:-1]), np.nan)
    view = np.moveaxis(out, 0, -1)
    mc.conv_weight_grad(x, grad, w_shape, method="winograd_gradient", out=view, **options)
    np.testing.assert_allclose(view, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("case", ["dilated", "volume"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_data_that_stand_out_are_summed_directly(case, value, layer):
    x, grad, w_shape, options = layer(*CASES[case])
    x[0, 3].flat[5] = value
    expected = mc.conv_weight_grad(x, grad, w_shape, method="pixel_sum", **options)
    found = mc.conv_weight_grad(x, grad, w_shape, method="winograd_gradient", **options)
    np.testing.assert_array_equal(found, expected)


def test_the_number_of_threads_changes_no_bit(layer):
    x, grad, w_shape, options = layer(*CASES["volume"])
    found = []
    before = mc.get_num_threads()
    try:
        for threads in (1, 2, 3):
            mc.set_num_threads(threads)
            options |= {"method": "winograd_gradient"}
            found.append(mc.conv_weight_grad(x, grad, w_shape, **options))
    finally:
        mc.set_num_threads(before)
    assert all(np.array_equal(found[0], f) for f in found)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"stride": 2, "padding": 1}, "strides"),
        ({"dilation": (2, 1, 1), "padding": 1}, "first axis"),
    ],
)
def test_refusals(options, reason, rng):
    x = rng.standard_normal((1, 8, 9, 9, 9))
    shape = mc.ShapeDtype(x.shape, x.dtype)
    layer = mc.plan(mc.conv, shape, mc.ShapeDtype((8, 8, 3, 3, 3), x.dtype), **options)
    grad = rng.standard_normal(layer.out_shape)
    with pytest.raises(mc.RefusedError, match=reason):
        mc.conv_weight_grad(x, grad, (8, 8, 3, 3, 3), method="winograd_gradient", **options)
