"""Sums of random variables, against closed forms and reference numbers, tails first."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

stats = pytest.importorskip("scipy.stats")

from multiconv.continuous import IntegrationWarning, RandomSum, distribution_of_sum  # noqa: E402


def relative(found, true):
    return np.abs(np.asarray(found) / np.asarray(true) - 1)


def irwin_hall(x, count, order):
    """The density (order 1) or the distribution function (order 0) of ``count`` uniforms, exact."""
    x, power = Fraction(x), count - order
    total = sum(
        (-1) ** k * math.comb(count, k) * (x - k) ** power for k in range(math.floor(x) + 1)
    )
    return float(total / math.factorial(power))


@pytest.mark.parametrize("count", [2, 3, 12])
def test_uniforms_against_exact_rationals(count):
    total = distribution_of_sum(stats.uniform(), copies=count)
    x = [2.0**-40, 2.0**-9, 0.3, 1.0, 1.75, count / 2, count - 1.25, count - 2.0**-9]
    x = np.array([v for v in x if 0 < v < count])
    assert (relative(total.pdf(x), [irwin_hall(v, count, 1) for v in x]) < total.rtol).all()
    assert (relative(total.cdf(x), [irwin_hall(v, count, 0) for v in x]) < total.rtol).all()
    mirrored = [irwin_hall(count - Fraction(v), count, 0) for v in x]
    assert (relative(total.sf(x), mirrored) < total.rtol).all()
    assert total.rtol < 1e-10


CLOSED_FORMS = {
    "erlang": (stats.expon(scale=2), 7, stats.gamma(7, scale=2), [1e-12, 0.1, 14, 200, 1200]),
    "moved exponentials": (stats.expon(loc=-3), 2, stats.gamma(2, loc=-6), [-5.5, -4, 30, 600]),
    "singular gammas": (stats.gamma(0.3), 5, stats.gamma(1.5), [1e-10, 0.01, 2, 50, 500]),
    "very singular": (stats.gamma(0.02), 3, stats.gamma(0.06), [1e-9, 0.01, 2, 50, 500]),
    "chi-squares": (stats.chi2(1), 2, stats.chi2(2), [1e-12, 1, 30, 900]),
    "normals": (stats.norm(1, 2), 10, stats.norm(10, math.sqrt(40)), [-190, -9, 10, 33, 220]),
    "cauchy": (stats.cauchy(1), 3, stats.cauchy(3, 3), [-1e15, -1e4, 0, 3, 8, 1e8, 1e30]),
    "levy": (stats.levy(), 4, stats.levy(scale=16), [0.02, 1, 16, 1e3, 1e7]),
    "mirrored": (stats.levy_l(), 3, stats.levy_l(scale=9), [-1e9, -50, -1, -0.02]),
    "inverse Gaussians": (stats.invgauss(1), 3, stats.invgauss(1 / 3, scale=9), [0.1, 2, 9, 300]),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_copies_against_closed_forms(name):
    term, count, exact, x = CLOSED_FORMS[name]
    total = distribution_of_sum(term, copies=count)
    assert total.rtol < 1e-10
    x = np.array(x, dtype=float)
    wanted = exact.logpdf(x)
    assert (np.abs(total.logpdf(x) - wanted) < total.rtol + 4e-16 * np.abs(wanted)).all()
    assert (relative(total.pdf(x), exact.pdf(x)) < total.rtol + 1e-12).all()
    for tail in ("cdf", "sf"):
        true = getattr(exact, tail)(x)
        seen = true > 1e-270
        assert seen.any()
        found = getattr(total, tail)(x)[seen]
        assert (relative(found, true[seen]) < total.rtol + 2e-12).all(), tail


LOGNORMAL_REFERENCES = {
    0.05: 2.7495141119825819e-17,
    1.0: 0.0045687442170222379,
    10.0: 0.039556763622413629,
    1e3: 7.2207809668095959e-14,
    1e6: 5.7078192144369059e-48,
    1e12: 2.6112193878040196e-178,
}
"""The density of the sum of four standard lognormals.

By mpmath in 30 digits: twice nested trapezoidal sums over u, t = x / (1 + exp(-u)), of
f(t) f(x - t) t (x - t) / x. Steps 1/4 and 1/6 agree to 17 digits at least.
"""


def test_lognormals_against_a_long_computation_in_30_digits():
    total = distribution_of_sum(stats.lognorm(1), copies=4)
    x = np.array(list(LOGNORMAL_REFERENCES))
    assert (relative(total.pdf(x), list(LOGNORMAL_REFERENCES.values())) < total.rtol).all()
    assert total.rtol < 1e-11


def test_the_lognormal_references_by_a_short_computation():
    """Two of four: the inner sum of the references, in the same way, in floats."""
    total = distribution_of_sum(stats.lognorm(1), copies=2)
    u = np.arange(-160, 161) / 4
    for x in (0.3, 20.0, 1e8):
        t, s = x / (1 + np.exp(-u)), x / (1 + np.exp(u))
        true = 0.25 * np.sum(stats.lognorm(1).pdf(t) * stats.lognorm(1).pdf(s) * t * s / x)
        assert relative(total.pdf(x), true) < 1e-11


def test_different_terms_by_an_independent_integral():
    """Uniform plus exponential, and a triangle with a kink inside that nobody declared."""
    total = distribution_of_sum(stats.uniform(-1, 3), stats.expon(scale=0.5))
    x = np.array([-0.99, 0.5, 1.9, 2.5, 40.0])
    low = np.maximum(x - 2, 0)
    true = (np.exp(-2 * low) - np.exp(-2 * (x + 1))) / 3
    assert (relative(total.pdf(x), true) < total.rtol + 1e-13).all()
    kinked = distribution_of_sum(stats.triang(0.3), stats.uniform())
    x = np.array([0.1, 0.3, 0.8, 1.1, 1.3, 1.9])
    triangle = stats.triang(0.3).cdf
    assert (np.abs(kinked.pdf(x) - (triangle(x) - triangle(x - 1))) < 1e-12).all()


def test_heavy_and_light_tails_together():
    """Far out, only the heavier tail is left."""
    total = distribution_of_sum(stats.norm(), stats.pareto(1.5), stats.laplace())
    assert total.support() == (-math.inf, math.inf)
    assert relative(total.sf(1e14), 1e14**-1.5) < 1e-9
    low, shift = total.logpdf(-300.0), total.logpdf(-301.0)
    assert 0.9 < low - shift < 1.1


def test_sums_are_summable_in_any_order():
    a, b, c = stats.gamma(2.5), stats.norm(1, 0.5), stats.uniform()
    first = distribution_of_sum(a, b) + c
    second = a + distribution_of_sum(c, b)
    third = distribution_of_sum(c, a, b)
    x = np.array([-1.0, 2, 5, 60])
    for other in (second, third):
        assert (relative(first.pdf(x), other.pdf(x)) < first.rtol + other.rtol).all()
    moved = distribution_of_sum(first, 10, -3.0)
    np.testing.assert_allclose(moved.pdf(x + 7), first.pdf(x), rtol=1e-10)
    doubled = distribution_of_sum(stats.expon(), copies=2)
    quadrupled = distribution_of_sum(doubled, copies=2)
    assert relative(quadrupled.sf(300.0), stats.gamma(4).sf(300)) < quadrupled.rtol
    assert quadrupled.mean() == 4


def test_a_thousand_copies():
    total = distribution_of_sum(stats.expon(), copies=1000)
    x = np.array([300.0, 1000, 1700])
    assert (relative(total.pdf(x), stats.gamma(1000).pdf(x)) < 1e-9).all()
    assert total.rtol < 1e-6


QUANTILES = np.array([1e-250, 1e-12, 0.2, 0.5, 0.97])


def test_quantiles_are_inverse_in_both_tails():
    total, exact = distribution_of_sum(stats.expon(), copies=5), stats.gamma(5)
    np.testing.assert_allclose(total.ppf(QUANTILES), exact.ppf(QUANTILES), rtol=1e-10)
    np.testing.assert_allclose(total.isf(QUANTILES), exact.isf(QUANTILES), rtol=1e-10)
    np.testing.assert_array_equal(total.ppf([0, 1, -1, 2, np.nan]), [0, np.inf] + [np.nan] * 3)
    far = distribution_of_sum(stats.cauchy(), copies=2)
    assert relative(far.isf(1e-60), 2e60 / math.pi) < 1e-10
    mixed = distribution_of_sum(stats.norm(), stats.poisson(3))
    np.testing.assert_allclose(mixed.cdf(mixed.ppf([0.01, 0.6])), [0.01, 0.6], rtol=1e-12)


DISCRETE = {
    "poisson": (stats.poisson(3), 4, stats.poisson(12), [0, 3, 12, 60, 150]),
    "binomial": (stats.binom(5, 0.3), 3, stats.binom(15, 0.3), [0, 4, 9, 15]),
    "geometric": (stats.geom(0.2, loc=-1), 3, stats.nbinom(3, 0.2), [0, 5, 40, 900]),
    "skellam": (stats.skellam(2, 3), 2, stats.skellam(4, 6), [-40, -2, 0, 50]),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_sums_against_closed_forms(name):
    term, count, exact, k = DISCRETE[name]
    total = distribution_of_sum(term, copies=count)
    assert total.is_discrete
    for what in ("pmf", "cdf"):
        found, true = getattr(total, what)(k), getattr(exact, what)(k)
        assert (np.abs(found - true) <= (total.rtol + 1e-11) * true).all(), what
    true = [exact.pmf(np.arange(n + 1, n + 3000)).sum() for n in k]
    assert (np.abs(total.sf(k) - true) <= (total.rtol + 1e-11) * np.array(true)).all()
    q = [1e-9, 0.3, 0.5, 0.99]
    np.testing.assert_array_equal(total.ppf(q), exact.ppf(q))
    np.testing.assert_array_equal(total.isf(q), exact.isf(q))


def test_dice_are_exact():
    total = distribution_of_sum(stats.randint(1, 7), copies=3)
    ways = {3: 1, 4: 3, 10: 27, 18: 1, 19: 0, 2: 0}
    np.testing.assert_allclose(total.pmf(list(ways)) * 216, list(ways.values()), rtol=1e-14)
    assert total.pmf(3.5) == 0
    assert total.support() == (3, 18)
    np.testing.assert_allclose(total.cdf([2, 3, 3.9, 18]), [0, 1 / 216, 1 / 216, 1], rtol=1e-14)
    half = distribution_of_sum(total, 0.5)
    np.testing.assert_allclose(half.pmf([3.5, 4.5, 4]) * 216, [1, 3, 0], rtol=1e-14)


def test_a_heavy_discrete_tail_is_not_cut_off():
    """One term alone makes the sum large: twice its tail, to first order."""
    total = distribution_of_sum(stats.zipf(2.5), copies=2)
    k = 20_000
    assert relative(total.sf(k), 2 * stats.zipf(2.5).sf(k)) < 1e-3
    pmf = stats.zipf(2.5).pmf(np.arange(1, 61))
    true = 1 - np.convolve(pmf, pmf)[: 61 - 2].sum()
    assert relative(total.sf(60), true) < 1e-12


def test_continuous_plus_discrete_is_a_mixture():
    total = distribution_of_sum(stats.norm(1, 2), stats.bernoulli(0.3), 5)
    x = np.array([-30.0, 4, 7, 50])
    for what in ("pdf", "cdf", "sf"):
        parts = [getattr(stats.norm(m, 2), what)(x) for m in (6, 7)]
        true = 0.7 * parts[0] + 0.3 * parts[1]
        assert (relative(getattr(total, what)(x), true) < total.rtol + 1e-12).all()
    waiting = distribution_of_sum(stats.expon(), stats.poisson(2))
    x = 7.5
    true = sum(stats.poisson(2).pmf(k) * math.exp(k - x) for k in range(8))
    assert relative(waiting.pdf(x), true) < waiting.rtol


def test_moments_are_sums_with_infinite_and_undefined_ones():
    total = distribution_of_sum(stats.gamma(2), stats.uniform(0, 6), stats.poisson(4), 10, copies=3)
    assert total.mean() == pytest.approx(3 * (2 + 3 + 4 + 10))
    assert total.var() == pytest.approx(3 * (2 + 3 + 4))
    assert total.std() == pytest.approx(math.sqrt(27))
    assert distribution_of_sum(stats.pareto(1.5), copies=2).var() == math.inf
    assert distribution_of_sum(stats.pareto(0.5)).mean() == math.inf
    assert math.isnan(distribution_of_sum(stats.cauchy(), stats.norm()).mean())
    assert math.isnan(distribution_of_sum(stats.cauchy()).std())


def test_random_numbers_follow_the_distribution():
    total = distribution_of_sum(stats.uniform(), stats.lognorm(0.5), stats.poisson(1))
    numbers = total.rvs((50, 40), random_state=3)
    assert numbers.shape == (50, 40)
    np.testing.assert_array_equal(numbers, total.rvs((50, 40), random_state=3))
    assert stats.kstest(numbers.ravel(), total.cdf).pvalue > 0.01
    assert isinstance(total.rvs(), float)


def test_shapes_and_edges():
    total = distribution_of_sum(stats.uniform(2, 4), stats.beta(2, 3))
    assert total.pdf([[3, 4, 5]]).shape == (1, 3)
    assert np.ndim(total.pdf(3)) == 0
    np.testing.assert_array_equal(total.pdf([2, 7, -1, np.inf, np.nan]), [0, 0, 0, 0, np.nan])
    np.testing.assert_array_equal(total.cdf([2, 7, -np.inf, np.inf, np.nan]), [0, 1, 0, 1, np.nan])
    np.testing.assert_array_equal(total.sf([2, 7, -np.inf, np.inf]), [1, 0, 1, 0])
    assert "2 continuous terms" in repr(total)


class WithNan(stats.rv_continuous):
    def _pdf(self, x):
        return np.where(x > 0.5, np.nan, 1.0)

    def _ppf(self, q):
        return q


class TooMuch(stats.rv_continuous):
    def _pdf(self, x):
        return 2 + 0 * x

    def _ppf(self, q):
        return q


class OwnError(Exception):
    pass


class Raising(stats.rv_continuous):
    def _logpdf(self, x):
        raise OwnError("own words")

    def _ppf(self, q):
        return q


@pytest.mark.parametrize(
    ("terms", "copies", "error", "message"),
    [
        ((stats.norm,), 1, TypeError, r"terms\[0\]: norm is not frozen, give its parameters"),
        ((stats.norm(), stats.poisson), 1, TypeError, r"terms\[1\]: poisson is not frozen"),
        ((stats.norm(), "normal"), 1, TypeError, r"terms\[1\]: 'normal' is not allowed"),
        ((stats.norm(), math.nan), 1, ValueError, r"terms\[1\]: nan is not allowed"),
        ((stats.norm([0, 1]),), 1, ValueError, r"terms\[0\]: array parameters are not allowed"),
        ((stats.norm(0, -1),), 1, ValueError, r"terms\[0\]: norm does not allow \(0, -1\)"),
        ((3.0,), 1, ValueError, "no random variable among them"),
        ((), 1, ValueError, "no random variable among them"),
        ((stats.norm(),), 0, ValueError, "copies: 0 is not allowed"),
        ((stats.norm(),), 2.5, TypeError, r"copies: 2\.5 is not allowed"),
        ((WithNan(a=0, b=1)(),), 1, ValueError, r"terms\[0\]: its density is NaN inside"),
        ((Raising(a=0, b=1)(),), 1, OwnError, "own words"),
    ],
)
def test_bad_terms_are_one_clear_sentence(terms, copies, error, message):
    with pytest.raises(error, match=message):
        distribution_of_sum(*terms, copies=copies)


def test_a_density_that_is_none_is_a_warning():
    with pytest.warns(IntegrationWarning, match="integrates to 4, not to 1"):
        distribution_of_sum(TooMuch(a=0, b=1)(), copies=2)


def test_bad_questions_are_refused():
    smooth, steps = distribution_of_sum(stats.norm()), distribution_of_sum(stats.poisson(2))
    with pytest.raises(TypeError, match="pmf: a continuous sum has no pmf, ask for its pdf"):
        smooth.pmf(1)
    with pytest.raises(TypeError, match="pdf: a discrete sum has no pdf, ask for its pmf"):
        steps.pdf(1)
    with pytest.raises(TypeError, match="x: 'one' is not allowed, give real numbers"):
        smooth.cdf("one")
    with pytest.raises(ValueError, match=r"x: 1e\+09 numbers above the low end"):
        steps.sf(1e9)
    assert isinstance(smooth, RandomSum)
