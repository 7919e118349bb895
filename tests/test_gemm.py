"""Layers by matrix products: every layout, register shape and border, exactly, on every target."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import _core, testing

TARGETS = _core.targets()


def whole_numbers(shape, dtype="float32", seed=2):
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)


def layouts(x, w):
    """The same layer as it may lie in memory."""
    yield x, w, "channels_first"
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    yield last, np.ascontiguousarray(np.moveaxis(w, (0, 1), (-1, -2))), "channels_last"
    yield x[..., ::-1], w[:, ::-1], "channels_first"
    yield np.asfortranarray(x), np.asfortranarray(w), "channels_first"
    wide = np.repeat(last, 2, axis=-1)[..., ::2]
    yield wide, np.moveaxis(w, (0, 1), (-1, -2)), "channels_last"


def assert_exact(x, w, targets=TARGETS, **options):
    for a, b, data_format in layouts(x, w):
        expected = mc.conv(a, b, data_format=data_format, method="reference", **options)
        for target in targets:
            with testing.forced_target(target):
                found = mc.conv(a, b, data_format=data_format, method="gemm", **options)
            np.testing.assert_array_equal(found, expected, f"{target} {data_format}")


@pytest.mark.parametrize("channels", [2, 15, 16, 17, 31, 32, 33, 47, 65])
def test_panels_and_their_remainders(channels):
    assert_exact(whole_numbers((2, 5, 7, 9)), whole_numbers((channels, 5, 3, 2)), padding=1)
    assert_exact(whole_numbers((1, 33, 5, 7)), whole_numbers((channels, 33, 1, 1)))


@pytest.mark.parametrize("pixels", [1, 2, 5, 13, 14, 15, 27, 29, 43, 63, 64, 65, 127, 200])
def test_lines_of_pixels_of_any_length(pixels):
    for taps in (1, 3):
        w = whole_numbers((19, 6, taps))
        assert_exact(whole_numbers((1, 6, pixels)), w, padding=taps // 2)


@pytest.mark.parametrize(
    ("size", "kernel", "options"),
    [
        ((19, 23), (7, 7), {"stride": 2, "padding": 3}),
        ((33, 17), (4, 4), {"stride": 4}),
        ((21, 19), (3, 2), {"dilation": (5, 3), "padding": (5, 2)}),
        ((17, 18), (1, 1), {"stride": (2, 3)}),
        ((17, 18), (1, 1), {"padding": ((1, 2), (0, 3))}),
        ((9, 8, 11), (3, 2, 3), {"stride": (1, 2, 1), "padding": 1}),
        ((40,), (3,), {"stride": 7, "dilation": 4, "padding": 9}),
        ((13, 11), (3, 3), {"padding": ((-1, 2), (3, -2))}),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 36])
def test_strides_dilations_and_padding(size, kernel, options, channels):
    x, w = whole_numbers((2, channels, *size)), whole_numbers((5, channels, *kernel))
    assert_exact(x, w, targets=TARGETS[:1] + TARGETS[-1:], **options)


@pytest.mark.parametrize("mode", ["zeros", "replicate", "reflect", "circular"])
@pytest.mark.parametrize("channels", [3, 36])
def test_borders(mode, channels):
    x, w = whole_numbers((1, channels, 9, 13)), whole_numbers((18, channels, 5, 3))
    bias = whole_numbers(18)
    assert_exact(x, w, padding=(2, 1), padding_mode=mode, bias=bias, activation="relu")


@pytest.mark.parametrize("groups", [2, 3, 8])
def test_groups(groups):
    for each_in, each_out in ((4, 4), (2, 4), (8, 8), (5, 3), (36, 17)):
        x = whole_numbers((1, groups * each_in, 6, 9))
        w = whole_numbers((groups * each_out, each_in, 3, 3))
        assert_exact(x, w, groups=groups, padding=1)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint64", "float64"])
def test_types(dtype):
    x, w = whole_numbers((2, 34, 7, 9), dtype), whole_numbers((35, 34, 3, 3), dtype)
    assert_exact(x, w, padding=1)
    assert_exact(x, w[..., :1, :1])


def test_channels_in_several_blocks():
    x, w = whole_numbers((1, 1030, 3, 5)), whole_numbers((18, 1030, 3, 3))
    assert_exact(x, w, padding=1, bias=whole_numbers(18))
    assert_exact(np.repeat(x, 3, axis=-1), w[..., 1:2, 1:2], bias=whole_numbers(18))


@pytest.mark.parametrize("strange", [np.nan, np.inf])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
def test_what_is_not_finite_stays_in_its_windows(strange, kernel, rng):
    x = rng.standard_normal((1, 40, 12, 17)).astype("f4")
    x[0, 7, 5, 6] = strange
    w = rng.standard_normal((21, 40, *kernel)).astype("f4")
    marked = mc.conv((~np.isfinite(x)).astype(int), np.ones(w.shape, int), padding=1)
    for a, b, data_format in layouts(x, w):
        options = {"padding": 1, "data_format": data_format}
        found = mc.conv(a, b, method="gemm", **options)
        expected = mc.conv(a, b, method="reference", **options)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
        assert np.count_nonzero(~np.isfinite(found)) == np.count_nonzero(marked)


def test_same_bits_for_any_number_of_threads(rng):
    for shape, kernel in (
        ((1, 70, 30, 31), (3, 3)),
        ((2, 70, 30, 31), (1, 1)),
        ((1, 3, 90, 91), (7, 7)),
    ):
        x = rng.standard_normal(shape).astype("f4")
        w = rng.standard_normal((50, shape[1], *kernel)).astype("f4")
        for a, b, data_format in layouts(x, w):
            results = []
            for threads in (1, 2, 7):
                with mc.num_threads(threads):
                    results.append(mc.conv(a, b, data_format=data_format, method="gemm"))
            for other in results[1:]:
                np.testing.assert_array_equal(results[0], other)


def test_packed_weights_are_as_large_as_the_weights():
    for channels in (2, 17, 32, 100):
        w = whole_numbers((channels, 24, 3, 3))
        plan = mc.plan(mc.conv, mc.ShapeDtype((1, 24, 20, 20), "float32"), w, method="gemm")
        assert plan._prepared.packed.bytes <= w.nbytes + 128
