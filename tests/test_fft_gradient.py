"""Weight gradients of large kernels by transforms of blocks: geometries, layouts, odd values."""

import numpy as np
import pytest

import multiconv as mc

CASES = {
    "line": ((2, 3, 250), 5, (17,), (8,), (1,), 1),
    "line, strided": ((1, 3, 250), 5, (17,), (9,), (1,), 1, (3,)),
    "line, dilated": ((1, 3, 250), 5, (7,), (9,), (3,), 1),
    "plane": ((2, 4, 50, 41), 3, (7, 4), (3, 1), (1, 1), 1),
    "plane, groups": ((3, 4, 50, 41), 6, (5, 3), (0, 4), (1, 2), 2, (2, 1)),
    "one long axis": ((1, 3, 90, 5), 2, (6, 5), (0, 2), (1, 1), 1),
    "volume": ((2, 3, 19, 23, 31), 4, (4, 5, 3), (1, 2, 0), (1, 1, 1), 1),
}


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_gradient(case, data_format, layer):
    x, grad, w_shape, options = layer(*CASES[case], data_format=data_format)
    expected = mc.conv_weight_grad(x, grad, w_shape, method="reference", **options)
    found = mc.conv_weight_grad(x, grad, w_shape, method="fft_gradient", **options)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("case", ["line", "volume"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [5, -1])
def test_values_that_are_no_numbers_stay_where_they_belong(case, value, place, layer):
    x, grad, w_shape, options = layer(*CASES[case])
    x[0, 2].flat[place] = value
    expected = mc.conv_weight_grad(x, grad, w_shape, method="reference", **options)
    found = mc.conv_weight_grad(x, grad, w_shape, method="fft_gradient", **options)
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(found, expected)


def test_layers_of_large_kernels_are_trained_by_it():
    x, grad = ((1, 16, 40, 40, 40), "float32"), ((1, 16, 40, 40, 40), "float32")
    plan = mc.plan(
        mc.conv_weight_grad, mc.ShapeDtype(*x), mc.ShapeDtype(*grad), (16, 16, 7, 7, 7), padding=3
    )
    assert plan.algorithm == "fft_gradient"
    assert "fft_tiled" in str(plan.explain())


def test_scratch_is_stated_as_it_is_taken(layer):
    x, grad, w_shape, options = layer(*CASES["volume"], dtype=np.float32)
    plan = mc.plan(
        mc.conv_weight_grad, mc.ShapeDtype(x.shape, x.dtype), mc.ShapeDtype(grad.shape, grad.dtype),
        w_shape, method="fft_gradient", **options,
    )  # fmt: skip
    assert plan.scratch_bytes >= 2 * x.nbytes


@pytest.mark.parametrize(
    ("kernel", "options", "reason"),
    [
        (5, {"precision": "highest"}, "direct summation"),
        (89, {"padding": 60}, "longer than the result"),
    ],
)
def test_refusals(kernel, options, reason, rng):
    x, w_shape = rng.standard_normal((1, 8, 90)), (8, 8, kernel)
    grad = mc.conv(x, np.zeros(w_shape), padding=options.get("padding", 0))
    with pytest.raises(mc.RefusedError, match=reason):
        mc.conv_weight_grad(x, grad, w_shape, method="fft_gradient", **options)
