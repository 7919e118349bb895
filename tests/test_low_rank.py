"""Kernels that are short sums of outer products."""

from dataclasses import replace

import numpy as np
import pytest

import multiconv as mc
from multiconv import _machine, _planner, testing
from multiconv._products import ranks_of
from multiconv._traits import look


def squares(sizes, centre):
    axes = [np.arange(n) - c for n, c in zip(sizes, centre, strict=True)]
    return [a**2 for a in np.meshgrid(*axes, indexing="ij")]


def mexican_hat(sizes, width=3.0):
    """Off its centre, wider along each further axis: no symmetry to hide a flip."""
    terms = squares(sizes, [n / 3 for n in sizes])
    terms = [t / (width + a) ** 2 for a, t in enumerate(terms)]
    return (sum(terms) - len(sizes)) * np.exp(-sum(terms) / 2)


def wave(sizes, width=4.0):
    y, x = np.meshgrid(*(np.arange(n) - n / 3 for n in sizes), indexing="ij")
    return np.exp(-(x**2 + y**2) / (2 * width**2)) * np.cos(0.5 * x + 0.9 * y)


def disk(radius):
    return (sum(squares((2 * radius + 1,) * 2, (radius, radius))) <= radius**2).astype(float)


@pytest.fixture
def tiny_caches(monkeypatch):
    """A machine on which a band is a few rows."""
    small = replace(_machine.machine(), cache=2**13, threads=1)
    monkeypatch.setattr(_planner, "machine", lambda: small)
    _planner.planner.forget()
    yield
    _planner.planner.forget()


def assert_as_defined(x, kernel, **options):
    """Within the stated bound of the definition in double precision; returns the plan."""
    plan = mc.plan(mc.correlate, x, kernel, method="low_rank", **options)
    found = plan(x)
    wide = np.complex128 if np.iscomplexobj(x) else np.float64
    options.pop("precision", None)
    expected = mc.correlate(x.astype(wide), kernel.astype(wide), method="reference", **options)
    everywhere = {**options, "mode": "full", "stride": 1}
    scale = mc.correlate(abs(x).astype(float), abs(kernel).astype(float), **everywhere).max()
    assert found.dtype == x.dtype
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= plan.error_bound * scale
    return plan


@pytest.mark.parametrize(
    ("kernel", "ranks"),
    [
        (mexican_hat((19, 23)), (2,)),
        (wave((21, 18)), (2,)),
        (mexican_hat((15, 13, 17), 2.5), (2, 2)),
        (mexican_hat((1, 15, 1, 17)), (2,)),
        (np.multiply.outer(np.arange(1.0, 13.0), disk(6)), (1,)),
    ],
    ids=["hat", "wave", "hat in 3-D", "axes of one tap", "one axis apart"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_terms_are_counted(kernel, ranks, dtype):
    assert ranks_of(kernel.astype(dtype)[None]) == ranks
    assert ranks_of(kernel.astype(dtype)[None], rough=True) == ranks


def test_a_small_remainder_counts_unless_it_may_be_missing():
    kernel = mexican_hat((19, 23))
    noise = np.random.default_rng(1).standard_normal(kernel.shape)
    kernel += 1e-6 * abs(kernel).max() * noise
    assert ranks_of(kernel[None]) == ()
    assert ranks_of(kernel[None], rough=True) == (2,)


@pytest.mark.parametrize(
    "kernel",
    [
        np.random.default_rng(2).standard_normal((24, 20)),
        disk(12),
        np.zeros((20, 0)),
        np.ones((3, 3)) + np.eye(3),
        np.eye(40),
    ],
    ids=["noise", "disk", "empty", "small", "diagonal"],
)
def test_kernels_of_many_terms(kernel):
    assert look(kernel[None, None, None], 2).ranks == ()


def test_terms_that_cancel_are_no_gain():
    # An L, made of two terms that meet with opposite signs in its empty corner.
    kernel = np.ones((20, 24))
    kernel[10:, 14:] = 0.1
    assert ranks_of(kernel[None]) == (2,)
    kernel[10:, 14:] = 0
    assert np.linalg.matrix_rank(kernel) == 2
    assert ranks_of(kernel[None]) == ()


@pytest.mark.parametrize("boundary", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), ((2, 3), 1), (1, (1, 2)), ((3, 1), 2)])
def test_every_boundary_mode_stride_and_dilation(tiny_caches, mode, boundary, stride, dilation):
    x = np.random.default_rng(3).standard_normal((61, 80)).astype(np.float32)
    kernel = mexican_hat((13, 17)).astype(np.float32)
    assert_as_defined(x, kernel, mode=mode, boundary=boundary, stride=stride, dilation=dilation)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("target", testing.targets())
def test_every_dtype_and_target(dtype, target):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((3, 70, 90)).astype(dtype)
    kernel = wave((21, 18)).astype(dtype)
    if x.dtype.kind == "c":
        x *= 1 - 2j
        kernel *= 2 + 1j
    with testing.forced_target(target):
        assert_as_defined(x, kernel, mode="same", boundary="edge")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_three_dimensions(tiny_caches, dtype):
    x = np.random.default_rng(5).standard_normal((30, 33, 36)).astype(dtype)
    kernel = mexican_hat((15, 13, 17), 2.5).astype(dtype)
    plan = assert_as_defined(x, kernel, mode="same", boundary="wrap")
    assert "low_rank" in str(plan)
    apart = np.multiply.outer(np.arange(1.0, 13.0), disk(6)).astype(dtype)
    assert_as_defined(x, apart, mode="full")


@pytest.mark.parametrize("spatial", [(60, 70), (18, 19, 20)], ids=["2-D", "3-D"])
def test_channels_have_terms_of_their_own(tiny_caches, spatial):
    rng = np.random.default_rng(6)
    x = rng.standard_normal((2, 3, *spatial))
    sizes = (13, 15, 12)[: len(spatial)]
    w = np.stack([mexican_hat(sizes), mexican_hat(sizes, 5), np.ones(sizes)])[:, None]
    bias = np.array([1.0, -2.0, 3.0])
    found = mc.conv(x, w, bias, groups=3, padding="same", method="low_rank")
    expected = mc.conv(x, w, bias, groups=3, padding="same", method="reference")
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(90, 100), (30, 31, 32)], ids=["2-D", "3-D"])
def test_what_is_not_finite_reaches_its_windows_alone(tiny_caches, shape, value):
    kernel = mexican_hat((15, 13, 12)[: len(shape)])
    clean = np.random.default_rng(7).standard_normal(shape)
    undisturbed = mc.correlate(clean, kernel, mode="same", method="low_rank")
    for place in [(0,) * len(shape), tuple(n // 2 for n in shape), tuple(n - 2 for n in shape)]:
        x = clean.copy()
        x[place] = value
        found = mc.correlate(x, kernel, mode="same", method="low_rank")
        expected = mc.correlate(x, kernel, mode="same", method="reference")
        for kind in (np.isnan, np.isposinf, np.isneginf):
            np.testing.assert_array_equal(kind(found), kind(expected), kind.__name__)
        untouched = np.isfinite(expected)
        assert not untouched.all()
        np.testing.assert_allclose(found[untouched], undisturbed[untouched], atol=1e-10)


def test_small_values_near_a_huge_one_stay():
    x = np.random.default_rng(8).standard_normal((100, 120)).astype(np.float32)
    kernel = mexican_hat((25, 21)).astype(np.float32)
    x[50, 60] = 1e12
    found = mc.correlate(x, kernel, mode="same", method="low_rank")
    expected = mc.correlate(x, kernel, mode="same", method="reference")
    apart = abs(expected) < 1e5
    assert 0.8 < apart.mean() < 1
    np.testing.assert_allclose(found[apart], expected[apart], atol=1e-3)


def test_small_taps_keep_their_digits():
    # Each output is one tap times a huge value.
    kernel = mexican_hat((31, 27)).astype(np.float32)
    x = np.zeros((80, 80), np.float32)
    x[40, 40] = 1
    found = mc.convolve(x, kernel, mode="same", method="low_rank")
    place = abs(kernel) > 1e-3 * np.exp(-sum(squares((31, 27), (31 / 3, 9))) / 32)
    taps = mc.convolve(x, kernel, mode="same", method="reference")
    at = np.nonzero(mc.convolve(x, place.astype(np.float32), mode="same", method="reference"))
    assert abs(taps[at]).min() < 1e-7 * abs(taps).max()
    np.testing.assert_allclose(found[at], taps[at], rtol=2e-3)


def test_fast_leaves_out_what_it_says():
    x = np.random.default_rng(9).standard_normal((90, 110))
    kernel = mexican_hat((19, 23))
    kernel += 1e-6 * np.random.default_rng(1).standard_normal(kernel.shape)
    plan = assert_as_defined(x, kernel, mode="same", precision="fast")
    assert 1e-4 < plan.error_bound < 1e-2
    with pytest.raises(mc.RefusedError, match="no sum of few products"):
        mc.correlate(x, kernel, method="low_rank")


def test_the_number_of_threads_and_the_place_change_no_bit(tiny_caches):
    x = np.random.default_rng(10).standard_normal((101, 117)).astype(np.float32)
    memory = np.zeros(x.size + 5, np.float32)
    displaced = memory[5:].reshape(x.shape)
    displaced[...] = x
    kernel = mexican_hat((13, 17)).astype(np.float32)
    found = []
    for threads in (1, 2, 5):
        with mc.num_threads(threads):
            for data in (x, displaced):
                found.append(mc.correlate(data, kernel, method="low_rank").tobytes())
    assert len(set(found)) == 1


def test_bands_do_not_show(tiny_caches):
    x = np.random.default_rng(11).standard_normal((5, 61, 70))
    kernel = mexican_hat((13, 17))
    plan = mc.plan(mc.correlate, x, kernel, mode="same", boundary="wrap", method="low_rank")
    banded = plan(x)
    assert plan.scratch_bytes < x.nbytes / 2
    _planner.planner.forget()
    np.testing.assert_allclose(
        banded, mc.correlate(x, kernel, mode="same", boundary="wrap"), atol=1e-12
    )


def test_a_kernel_that_transforms_would_spoil_is_chosen():
    kernel = mexican_hat((41, 41)).astype(np.float32)
    plan = mc.plan(mc.correlate, mc.ShapeDtype((1500, 1600), "float32"), kernel)
    assert plan.algorithm == "low_rank"
    reasons = {row.algorithm: row.reason for row in plan.explain().rows}
    assert "lose small taps" in reasons["overlap_save"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cval": 1.0}, "boundary value other than 0"),
        ({"precision": "highest"}, "direct summation"),
        ({"dtype": "complex128"}, "cut to the stored dtype"),
    ],
)
def test_refusals(change, complaint):
    with pytest.raises(mc.RefusedError, match=complaint):
        mc.correlate(np.ones((50, 60)), mexican_hat((13, 17)), mode="same", method="low_rank",
                     **change)  # fmt: skip


def test_integers_are_refused():
    with pytest.raises(mc.RefusedError, match="no integers"):
        mc.correlate(np.ones((50, 60), int), np.ones((13, 17), int), method="low_rank")
