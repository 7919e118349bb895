"""Sliding cosine sums: within the stated bound, stable, harmless to neighbours."""

import numpy as np
import pytest
import scipy.ndimage

import multiconv as mc
from multiconv import _cosines

RNG = np.random.default_rng(20)
NAME = "sliding_dct"
BOUNDARIES = ("constant", "edge", "reflect", "symmetric", "wrap")


def both(x, h, boundary="symmetric", **options):
    """The fast result, the exact one in double precision, the stated bound and its scale."""
    options = {"mode": "same", "boundary": boundary, **options}
    plan = mc.plan(mc.convolve, x, h, precision="fast", method=NAME, **options)
    wide, taps = x.astype(np.float64), h.astype(np.float64)
    exact = mc.convolve(wide, taps, **options)
    everywhere = {**options, "mode": "full", "precision": "highest"}
    scale = mc.convolve(np.abs(wide), np.abs(taps), **everywhere).max()
    return plan(x), exact, plan.error_bound, scale


def decibels(found, exact):
    return 20 * np.log10(np.linalg.norm(exact) / np.linalg.norm(found - exact))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("sigma", [3, 4.2, 17, 60, 200])
def test_gaussians_are_within_the_bound_and_75_decibels(sigma, boundary, dtype):
    taps = mc.kernels.gaussian(sigma, ndim=1).astype(dtype)
    x = RNG.standard_normal((211, 337)).astype(dtype)
    for kernel in (taps[:, None], taps[None]):
        found, exact, bound, scale = both(x, kernel, boundary)
        assert found.dtype == dtype
        assert np.abs(found - exact).max() <= bound * scale
        assert decibels(found, exact) >= 75


@pytest.mark.parametrize("sigma", [3, 10, 30, 100])
def test_photographs_differ_by_80_decibels_of_full_scale(sigma):
    down, right = np.mgrid[:240, :320]
    x = np.where((down // 40 + right // 40) % 2, 1.0, 0.0) + 0.1 * RNG.random((240, 320))
    fast = mc.filters.gaussian(x, sigma, precision="fast")
    assert np.abs(fast - mc.filters.gaussian(x, sigma)).max() <= 2e-4 * x.max()


def test_the_worst_data_stay_within_the_bound():
    """A sample where the kernel is smallest and the difference largest."""
    for sigma in (3, 25):
        taps = mc.kernels.gaussian(sigma, ndim=1)
        radius = taps.size // 2
        for data in (
            np.eye(1, 6 * radius, 3 * radius)[0],
            np.sign(RNG.standard_normal(6 * radius)),
        ):
            found, exact, bound, scale = both(data, taps)
            assert np.abs(found - exact).max() <= bound * scale


def test_many_lines_of_many_lengths():
    """Segments and strips that end anywhere."""
    taps = mc.kernels.gaussian(3, ndim=1)
    for shape in [(1,), (2,), (26,), (27,), (257,), (4097,), (9001,), (3, 2500), (70, 5001)]:
        x = RNG.standard_normal(shape)
        for mode in ("full", "same") + (("valid",) if shape[-1] >= taps.size else ()):
            found, exact, bound, scale = both(x, taps.reshape(*(1,) * (x.ndim - 1), -1), mode=mode)
            assert np.abs(found - exact).max() <= bound * scale, (shape, mode)
    for shape in [(2049, 1), (4100, 15), (300, 17), (99, 3, 40), (99, 40, 3)]:
        x = RNG.standard_normal(shape).astype(np.float32)
        kernel = taps.astype(np.float32).reshape(-1, *(1,) * (x.ndim - 1))
        found, exact, bound, scale = both(x, kernel)
        assert np.abs(found - exact).max() <= bound * scale, shape


def test_a_long_line_does_not_drift():
    x = RNG.standard_normal(10**7).astype(np.float32) + np.float32(3)
    taps = mc.kernels.gaussian(50, ndim=1).astype(np.float32)
    found = mc.plan(mc.convolve, x, taps, mode="same", precision="fast", method=NAME)(x)
    exact = mc.convolve(x, taps, "same")
    parts = np.abs(found - exact).reshape(100, -1).max(1)
    assert parts.max() <= 2e-4
    assert parts[50:99].mean() <= 1.2 * parts[1:50].mean()


def test_one_segment_of_a_wide_kernel_keeps_double_precision():
    """What the recurrence adds, apart from what the cosines leave out."""
    radius = 3000
    turns = 2 * np.pi / (2 * radius + 1) * np.arange(-radius, radius + 1)
    taps = 2 + np.cos(turns) + 0.25 * np.cos(3 * turns)
    x = RNG.standard_normal(40_000)
    found, exact, _, _ = both(x, taps)
    assert np.abs(found - exact).max() <= 1e-7 * np.abs(exact).max()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reaches_its_windows_only(strange, dtype, axis):
    taps = mc.kernels.gaussian(4, ndim=1).astype(dtype)
    kernel = taps[:, None] if axis == 0 else taps[None]
    x = RNG.standard_normal((150, 190)).astype(dtype)
    x[77, 101] = strange
    found, exact, bound, _ = both(x, kernel)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(exact))
    assert np.count_nonzero(~np.isfinite(found)) == taps.size
    kept = np.isfinite(exact)
    assert np.abs(found[kept] - exact[kept]).max() <= bound * 5


@pytest.mark.parametrize("axis", [0, 1])
def test_a_huge_value_leaves_nothing_behind(axis):
    taps = mc.kernels.gaussian(5, ndim=1).astype(np.float32)
    kernel = taps[:, None] if axis == 0 else taps[None]
    x = (RNG.standard_normal((130, 170)) + 2).astype(np.float32)
    x[60, 70] = 1e30
    found, exact, _, _ = both(x, kernel)
    far = np.abs(exact) < 1e6
    assert np.count_nonzero(~far) == taps.size
    np.testing.assert_allclose(found[far], exact[far], rtol=1e-3, atol=1e-3)


def test_small_values_between_zeros_and_beside_large_ones_are_kept():
    taps = mc.kernels.gaussian(6, ndim=1)
    for small in (1e-3, 1e-9, 1e-30, 1e-300):
        x = np.zeros((20, 3000))
        x[:, 200:260] = 1.0
        x[7, 2000:2003] = small
        found, exact, _, _ = both(x, taps[None])
        np.testing.assert_allclose(found[7, 1990:2010], exact[7, 1990:2010], rtol=2e-3)


def test_the_largest_and_the_smallest_numbers():
    taps = mc.kernels.gaussian(3, ndim=1)
    for factor in (1e-310, 5e306):
        x = factor * (1 + RNG.random(4000))
        found, exact, _, _ = both(x, taps)
        np.testing.assert_allclose(found, exact, rtol=1e-3)
        assert np.isfinite(found).all()


def test_only_fast_takes_it():
    x = RNG.standard_normal((600, 700)).astype(np.float32)
    taps = mc.kernels.gaussian(40, ndim=1).astype(np.float32)[:, None]
    for precision in ("default", "highest", "fast"):
        plan = mc.plan(mc.convolve, x, taps, mode="same", precision=precision)
        row = next(r for r in plan.explain().rows if r.algorithm == NAME)
        assert row.accepted == (precision == "fast")
        assert row.accepted or "fast" in row.reason


def test_the_filter_hands_the_wish_on():
    x = RNG.standard_normal((2000, 300)).astype(np.float32)
    fast = mc.filters.gaussian(x, 150, axes=0, precision="fast")
    plan = mc.plan(mc.convolve, x, mc.kernels.gaussian(150, ndim=1).astype(np.float32)[:, None],
                   mode="same", boundary="symmetric", precision="fast")  # fmt: skip
    assert plan.algorithm == NAME
    np.testing.assert_array_equal(fast, plan(x))
    assert decibels(fast, scipy.ndimage.gaussian_filter(x.astype(float), 150, axes=0)) >= 75
    with pytest.raises(ValueError, match="precision: 'quick' is not allowed"):
        mc.filters.gaussian(x, 0, precision="quick")


def test_separable_kernels_pass_precision_on():
    x = RNG.standard_normal((300, 400))
    kernel = mc.kernels.gaussian(20, ndim=2)
    plan = mc.plan(mc.convolve, x, kernel, mode="same", precision="fast", method="separable")
    children = plan.explain().tree[1:]
    assert len(children) == 2
    assert all("precision=fast" in child for child in children)
    assert NAME in children[0]  # along rows, transforms may be predicted as fast
    exact = mc.convolve(x, kernel, "same")
    scale = mc.convolve(np.abs(x), kernel, "full").max()
    assert np.abs(plan(x) - exact).max() <= plan.error_bound * scale
    assert decibels(plan(x), exact) >= 75


@pytest.mark.parametrize(
    "taps",
    [
        np.hanning(40)[1:],  # no middle
        np.arange(33.0),  # not symmetric
        RNG.standard_normal(201),
        np.abs(np.arange(-40, 41)) < 20,  # corners
        np.hanning(17)[1:-1],  # short
        np.full(33, np.nan),
    ],
)
def test_other_kernels_are_refused(taps):
    x = np.ones(500)
    with pytest.raises(mc.RefusedError, match="cannot run this"):
        mc.convolve(x, np.asarray(taps, np.float64), precision="fast", method=NAME)


def test_cosines_are_counted_by_what_they_leave():
    assert _cosines.cosines(np.ones(101)) == 2
    assert _cosines.cosines(np.hanning(102)[1:]) in (0, 2)
    for sigma in (3, 30, 300):
        assert _cosines.cosines(mc.kernels.gaussian(sigma, ndim=1)) == 6
    assert _cosines.cosines(np.zeros(101)) == 0
    assert _cosines.cosines(np.full(101, 1e-300)) == 0


def test_any_number_of_threads_gives_the_same_bits():
    x = RNG.standard_normal((500, 611)).astype(np.float32)
    x[100, 200] = np.nan
    results = []
    for threads in (1, 2, 3):
        with mc.num_threads(threads):
            results.append(mc.filters.gaussian(x, 9, precision="fast").tobytes())
    assert len(set(results)) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16])
def test_other_dtypes_come_through_the_filter(dtype):
    x = (RNG.random((90, 120)) * 200).astype(dtype)
    fast = mc.filters.gaussian(x, 7, precision="fast").astype(np.float64)
    exact = mc.filters.gaussian(x, 7).astype(np.float64)
    assert np.abs(fast - exact).max() <= 1
