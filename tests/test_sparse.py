"""Kernels with zeros: the same results as with them, NaN and infinity included."""

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing

DTYPES = ("int8", "uint16", "int32", "uint64", "float32", "float64", "complex64", "complex128")
SHAPES = ((20000,), (150, 141), (30, 33, 50))


def cross(rank, size, dtype=np.float64, seed=1):
    """Taps along each axis through a place off the centre, all others zero; in 1-D a comb."""
    rng = np.random.default_rng(seed)
    sizes = tuple(size + 2 * a for a in range(rank))
    kernel = np.zeros(sizes, dtype)
    for axis in range(rank):
        line = [s // 3 for s in sizes]
        line[axis] = slice(None)
        kernel[tuple(line)] = rng.integers(1, 9, sizes[axis])
    if rank == 1:
        kernel[np.arange(size) % 3 > 0] = 0
    return kernel


def whole_numbers(shape, dtype, seed=2):
    return np.random.default_rng(seed).integers(0, 9, shape).astype(dtype)


def both(x, kernel, target="", **options):
    with testing.forced_target(target):
        found = mc.correlate(x, kernel, method="sparse", **options)
    return found, mc.correlate(x, kernel, method="reference", **options)


def assert_same_places(found, expected):
    """Finite numbers are close; NaN and either infinity are where they should be."""
    for kind in (np.isnan, np.isposinf, np.isneginf):
        np.testing.assert_array_equal(kind(found), kind(expected), kind.__name__)
    finite = np.isfinite(expected)
    np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=["1-D", "2-D", "3-D"])
def test_every_dtype_rank_and_target_is_exact(shape, dtype, target):
    x = whole_numbers(shape, dtype)
    if x.dtype.kind == "c":
        x *= 1 - 2j
    kernel = cross(len(shape), 5, dtype)
    found, expected = both(x, kernel, target, mode="same", boundary="reflect")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("boundary", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (1, (2, 3)), ((2, 3), (3, 1))])
def test_every_boundary_mode_stride_and_dilation(mode, boundary, stride, dilation):
    x = whole_numbers((143, 170), np.float32)
    found, expected = both(x, cross(2, 6, np.float32), mode=mode, boundary=boundary, cval=3,
                           stride=stride, dilation=dilation)  # fmt: skip
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_channels_have_lists_of_their_own(dtype):
    rng = np.random.default_rng(5)
    x = whole_numbers((2, 3, 140, 150), dtype)
    w = rng.integers(-4, 5, (6, 1, 5, 7)) * (rng.random((6, 1, 5, 7)) < 0.3)
    w[2] = 0
    w = w.astype(dtype)
    options = {"groups": 3, "padding": 2, "padding_mode": "circular", "flip": True}
    bias = np.arange(6).astype(dtype)
    found = mc.conv(x, w, bias, method="sparse", **options)
    np.testing.assert_array_equal(found, mc.conv(x, w, bias, method="reference", **options))


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("mode", ["valid", "same"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reaches_its_windows_alone(value, mode, target):
    kernel = cross(2, 9, np.float32)
    rng = np.random.default_rng(7)
    clean = rng.standard_normal((160, 190)).astype(np.float32)
    # Corners meet one tap, which is zero; the others meet all taps, most of them zero.
    for place in [(0, 0), (0, -1), (-1, 0), (-1, -1), (2, 100), (80, 3), (80, 95), (159, 60)]:
        x = clean.copy()
        x[place] = value
        assert_same_places(*both(x, kernel, target, mode=mode))


@pytest.mark.parametrize("place", [(0, 0, 0), (15, 20, 30), (-1, -1, -1), (0, 20, -1), (29, 0, 7)])
def test_not_finite_in_three_dimensions_and_in_complex_numbers(place):
    x = np.random.default_rng(8).standard_normal((30, 33, 60))
    x[place] = np.inf
    assert_same_places(*both(x, cross(3, 4)))
    found, expected = both(x * (1 + 1j), cross(3, 4).astype(complex))
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))


def test_a_kernel_of_zeros_still_has_a_window():
    x = np.ones((150, 160), np.float32)
    x[70, 80] = np.nan
    found, expected = both(x, np.zeros((3, 5), np.float32), mode="same")
    assert np.isnan(found).sum() == 15
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("what", ["tap", "bias", "cval"])
def test_not_finite_elsewhere_than_in_the_data(what):
    x = np.random.default_rng(9).standard_normal((1, 1, 150, 160)).astype(np.float32)
    w = cross(2, 5, np.float32)[None, None]
    bias = np.array([np.inf if what == "bias" else 1], np.float32)
    if what == "tap":
        w[0, 0, 0, 0] = np.nan
    if what == "cval":
        options = {"mode": "same", "cval": np.inf}
        assert_same_places(*both(x[0, 0], w[0, 0], **options))
    else:
        found = mc.conv(x, w, bias, padding=2, method="sparse")
        assert_same_places(found, mc.conv(x, w, bias, padding=2, method="reference"))


def test_overflow_of_finite_data_is_an_infinity():
    x = np.full((140, 150), 3e38, np.float32)
    found, expected = both(x, np.float32([[1, 0, 0, 1]]))
    assert np.isposinf(expected).all()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("clean", [True, False])
def test_the_number_of_threads_changes_no_bit(clean):
    x = np.random.default_rng(3).standard_normal((300, 400)).astype(np.float32)
    if not clean:
        x[20, 30] = np.nan
    found = []
    for threads in (1, 2, 5):
        with mc.num_threads(threads):
            found.append(mc.correlate(x, cross(2, 11, np.float32), method="sparse").tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("offset", range(17))
def test_bits_do_not_tell_where_the_arrays_lie(offset):
    memory = np.zeros(200 * 210 + 32, np.float32)
    x = memory[offset : offset + 200 * 210].reshape(200, 210)
    x[...] = np.random.default_rng(4).standard_normal(x.shape)
    kernel = cross(2, 9, np.float32) / 7
    found = mc.correlate(x, kernel, method="sparse")
    assert found.tobytes() == mc.correlate(x.copy(), kernel, method="sparse").tobytes()


def test_few_taps_are_chosen_where_nothing_else_can_skip_zeros():
    kernel = np.zeros((41, 41), np.int32)
    kernel[::20, ::20] = 1
    plan = mc.plan(mc.correlate, mc.ShapeDtype((2000, 2000), "int32"), kernel)
    assert plan.algorithm == "sparse"
    dense = mc.plan(mc.correlate, mc.ShapeDtype((2000, 2000), "int32"), kernel + 1)
    reasons = {row.algorithm: row.reason for row in dense.explain().rows}
    assert "too few taps are zero" in reasons["sparse"]


def test_sums_over_channels_are_refused():
    with pytest.raises(mc.RefusedError, match="sums over them"):
        mc.conv(np.ones((1, 2, 9, 9)), np.zeros((1, 2, 3, 3)), method="sparse")
