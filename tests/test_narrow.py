"""Small integers in lanes of 16 bits: exact modulo the result, means rounded half to even."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

BOUNDARIES = ("constant", "edge", "reflect", "symmetric", "wrap")
PRODUCT = np.multiply.outer([1, -3, 2], [4, 0, -2, 6])


@pytest.fixture(params=testing.targets(), autouse=True)
def target(request):
    with testing.forced_target(request.param):
        yield


def samples(shape, dtype):
    bounds = np.iinfo(dtype)
    rng = np.random.default_rng(sum(shape))
    return rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)


def taps(*shape):
    return np.random.default_rng(sum(shape)).integers(-9, 10, shape)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize(
    "kernel",
    [taps(3, 3), taps(1, 4), taps(5, 1), taps(2, 7), taps(6, 5), PRODUCT, np.ones((4, 3), int)],
    ids=lambda k: f"{k.shape}",
)
@pytest.mark.parametrize("shape", [(37, 211), (1, 90), (70, 1), (3, 2)], ids=str)
def test_results_are_the_definitions(kernel, dtype, boundary, shape):
    x = samples(shape, dtype)
    w = kernel.astype("uint16" if dtype == "uint16" else "int16")
    expected = mc.convolve(x, w, "full", boundary=boundary, method="reference")
    actual = mc.convolve(x, w, "full", boundary=boundary, method="narrow")
    np.testing.assert_array_equal(actual, expected, strict=True)


@pytest.mark.parametrize("size", [(3, 3), (2, 2), (5, 4), (1, 7), (9, 1), (15, 15), (16, 16)])
def test_means_are_rounded_half_to_even(size):
    x = samples((45, 133), np.uint8)
    mean = np.full(size, 1 / np.prod(size), np.float32)
    sums = mc.convolve(x.astype(int), np.ones(size, int), "same", boundary="wrap")
    actual = mc.convolve(x, mean, "same", boundary="wrap", dtype="uint8", method="narrow")
    np.testing.assert_array_equal(actual, np.rint(sums / np.prod(size)).astype(np.uint8))


def test_every_sum_is_divided_exactly():
    """All sums that 5 by 5 bytes can have, each at a window of its own."""
    sums = np.arange(25 * 255 + 1)
    columns = np.minimum(np.maximum(sums[:, None] - 255 * np.arange(25), 0), 255)
    x = columns.reshape(-1, 5, 5).transpose(1, 0, 2).reshape(5, -1).astype(np.uint8)
    mean = np.full((5, 5), 1 / 25)
    found = mc.convolve(x, mean, "valid", dtype="uint8", method="narrow")[0, ::5]
    np.testing.assert_array_equal(found, np.rint(sums / 25))


def test_dilation_batches_planes_and_strides():
    x = samples((3, 4, 40, 150), np.uint8)[:, ::-1, :, ::-1]
    w = taps(1, 3, 4).astype(np.int16)
    arguments = {"mode": "same", "dilation": (1, 3, 2), "boundary": "reflect"}
    expected = mc.convolve(x, w, method="reference", **arguments)
    actual = mc.convolve(x, w, method="narrow", **arguments)
    np.testing.assert_array_equal(actual, expected)
    across = mc.convolve(x.swapaxes(2, 3), w.swapaxes(1, 2), method="narrow", **arguments | {
        "dilation": (1, 2, 3)})  # fmt: skip
    np.testing.assert_array_equal(across.swapaxes(2, 3), expected)


def test_wide_rows_make_the_same_bits_whatever_the_threads():
    x = samples((50, 9001), np.uint8)
    w = taps(3, 5).astype(np.int16)
    results = []
    for count in (1, 3):
        with mc.num_threads(count):
            results.append(mc.convolve(x, w, "same", boundary="edge", method="narrow"))
    np.testing.assert_array_equal(*results)
    np.testing.assert_array_equal(results[0], mc.convolve(x, w, "same", boundary="edge",
                                                          method="reference"))  # fmt: skip


@pytest.mark.parametrize(
    ("x", "w", "options"),
    [
        (np.uint8, np.full((3, 3), 1 / 8), {"dtype": "uint8"}),
        (np.uint8, np.full((3, 3), 1 / 9), {}),
        (np.uint8, np.full((17, 17), 1 / 289), {"dtype": "uint8"}),
        (np.uint8, np.ones((3, 3), np.int32), {}),
        (np.int8, np.ones((3, 3), np.int8), {}),
        (np.uint8, np.ones((3, 3), np.int16), {"cval": 256}),
    ],
)
def test_what_it_cannot_do_is_refused(x, w, options):
    with pytest.raises(mc.RefusedError, match="narrow"):
        mc.convolve(np.zeros((9, 9), x), w, "same", method="narrow", **options)
