"""Kernels of one tap along some axes: the same with fewer axes."""

import numpy as np
import pytest

import multiconv as mc
from multiconv._registry import registered
from multiconv._traits import UNKNOWN

CASES = [
    ((5, 7), (1, 1), {}),
    ((5, 7, 6), (1, 1, 1), {}),
    ((5, 7, 6), (1, 1, 4), {"padding": (0, 0, 2)}),
    ((5, 7, 6), (3, 1, 1), {"padding": (1, 0, 0), "padding_mode": "reflect"}),
    ((4, 3, 5, 6), (1, 1, 2, 1), {"dilation": (1, 1, 2, 1), "padding": (0, 0, 3, 0)}),
    ((4, 3, 5, 6), (2, 1, 1, 3), {}),
]
WITH_THE_BATCH = [
    ((9, 5, 6), (1, 3, 2), {"padding": (0, 1, 0)}),
    ((9, 5), (1, 3), {"stride": (1, 2)}),
]
"""Where one tap along the first axis makes one of it and the batch of single channels."""


def arrays(size, kernel, dtype, batch, groups):
    rng = np.random.default_rng(3)
    x = rng.integers(-9, 9, (batch, groups, *size)).astype(dtype)
    return x, rng.integers(-9, 9, (groups, 1, *kernel)).astype(dtype)


@pytest.mark.parametrize("dtype", ["int16", "float32", "complex128"])
@pytest.mark.parametrize(
    ("batch", "groups", "size", "kernel", "options"),
    [(3, 1, *case) for case in CASES + WITH_THE_BATCH] + [(2, 4, *case) for case in CASES],
)
def test_all_geometries_are_exact(batch, groups, size, kernel, options, dtype):
    x, w = arrays(size, kernel, dtype, batch, groups)
    np.testing.assert_array_equal(
        mc.conv(x, w, method="merged", groups=groups, **options),
        mc.conv(x, w, method="reference", groups=groups, **options),
    )


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("order", ["contiguous", "turned", "gaps"])
def test_arrays_may_lie_in_any_order(layout, order):
    x, w = arrays((4, 6, 5), (1, 1, 3), np.float64, 2, 3)
    residual = np.arange(2 * 3 * 4 * 6 * 3.0).reshape(2, 3, 4, 6, 3)
    bias, out = np.array([1.0, -2.0, 3.0]), np.empty_like(residual)
    if layout == "channels_last":
        x, residual, out = (np.ascontiguousarray(np.moveaxis(a, 1, -1)) for a in (x, residual, out))
        w = w.transpose(2, 3, 4, 1, 0)
    if order == "turned":
        x, residual, out = (np.asfortranarray(a) for a in (x, residual, out))
    elif order == "gaps":
        x, residual, out = (np.repeat(a, 2, 2)[:, :, ::2] for a in (x, residual, out))
    options = {"groups": 3, "data_format": layout, "residual": residual, "activation": "relu"}
    found = mc.conv(x, w, bias, method="merged", out=out, **options)
    assert found is out
    np.testing.assert_array_equal(out, mc.conv(x, w, bias, method="reference", **options))


@pytest.mark.parametrize(
    ("problem", "reason"),
    [("ic2 oc3 in4x5 k1x1", "one by one"), ("in4x5 k1x3", "no neighbouring"),
     ("mb2 in4x5 k3x1", "no neighbouring"), ("in4x5 k1x1 s2x1", "no neighbouring"),
     ("in4x5 k1x1 p0:0,1:1", "no neighbouring"), ("mb2 in9 k3", "no neighbouring")],
)  # fmt: skip
def test_what_it_leaves_to_others(problem, reason):
    refusal = registered()["merged"].accepts(mc.Problem.parse(problem), UNKNOWN)
    assert reason in refusal.reason


def test_short_rows_are_merged(rng):
    x, w = rng.standard_normal((30, 40, 17)), rng.standard_normal((5, 1, 1))
    assert mc.plan(mc.convolve, x, w).algorithm == "merged"
