"""Convolution of functions with infinite supports and singular ends, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from multiconv.continuous import IntegrationWarning, convolve

RNG = np.random.default_rng(21)
INF = math.inf
LINE, UP, DOWN = (-INF, INF), (0, INF), (-INF, 0)


def box(t):
    return np.ones_like(t)


def normal(s, middle=0.0):
    return lambda t: np.exp(-0.5 * ((t - middle) / s) ** 2) / (s * math.sqrt(2 * math.pi))


def cauchy(a):
    return lambda t: a / (math.pi * (t * t + a * a))


def levy(c):
    return lambda t: math.sqrt(c / (2 * math.pi)) * np.exp(-0.5 * c / t) / t**1.5


def decay(rate):
    return lambda t: np.exp(-rate * t)


def root_of_box(x):
    """t**-0.5 on (0, 1) with a box on (0, 0.5)."""
    low, high = np.clip(x - 0.5, 0, 1), np.clip(x, 0, 1)
    return 2 * (np.sqrt(high) - np.sqrt(low))


def sinc_of_normal(x):
    """The sinc's spectrum is a box: the transform of a cut Gaussian, an error function."""
    s = math.pi
    w = special.wofz((s - 1j * x) * 1j / math.sqrt(2))
    return np.real(np.exp(-0.5 * x**2) - np.exp(-0.5 * s * s) * np.exp(1j * s * x) * w) / (
        math.sqrt(2 * math.pi)
    )


CLOSED_FORMS = {
    "gaussians": (normal(1.0), LINE, normal(0.3), LINE, normal(math.hypot(1, 0.3))),
    "wide and narrow": (normal(300.0), LINE, normal(0.7), LINE, normal(math.hypot(300, 0.7))),
    "far from zero": (normal(1.0, 40), LINE, normal(2.0, -11), LINE, normal(math.sqrt(5), 29)),
    "supports not given": (normal(1e-3), None, normal(2e-3), None, normal(math.hypot(1e-3, 2e-3))),
    "exponentials": (decay(1.0), UP, decay(3.0), UP,
                     lambda x: np.where(x > 0, np.exp(-abs(x)) - np.exp(-3 * abs(x)), 0) / 2),
    "equal exponentials": (decay(2.0), UP, decay(2.0), UP,
                           lambda x: np.where(x > 0, x * np.exp(-2 * abs(x)), 0)),
    "both ways": (decay(1.0), UP, lambda t: np.exp(2 * t), DOWN,
                  lambda x: np.exp(np.where(x > 0, -x, 2 * x)) / 3),
    "kinks": (lambda t: np.exp(-np.abs(t)), LINE, lambda t: np.exp(-np.abs(t)), LINE,
              lambda x: (1 + np.abs(x)) * np.exp(-np.abs(x))),
    "box and exponential": (box, (0, 1), decay(1.0), UP,
                            lambda x: np.where(x > 0, np.exp(-np.maximum(x - 1, 0))
                                               - np.exp(-np.maximum(x, 0)), 0)),
    "cauchy": (cauchy(1.0), LINE, cauchy(2.5), LINE, cauchy(3.5)),
    "cauchy, narrow and wide": (cauchy(1e-3), LINE, cauchy(1.0), LINE, cauchy(1.001)),
    "cauchy and box": (cauchy(1.0), LINE, box, (-1, 2),
                       lambda x: np.arctan2(3, 1 + (x + 1) * (x - 2)) / math.pi),
    "levy": (levy(1.0), UP, levy(2.0), UP,
             lambda x: np.where(x > 0, levy((1 + math.sqrt(2)) ** 2)(np.maximum(x, 1e-3)), 0)),
    "constant": (box, LINE, normal(2.0), LINE, np.ones_like),
    "sinc and box": (np.sinc, LINE, box, (-0.5, 1),
                     lambda x: (special.sici(math.pi * (x + 0.5))[0]
                                - special.sici(math.pi * (x - 1))[0]) / math.pi),
    "sinc and gaussian": (np.sinc, LINE, normal(1.0), LINE, sinc_of_normal),
    "oscillation": (lambda t: np.exp(3j * t), LINE, normal(1.0), LINE,
                    lambda x: np.exp(3j * x - 4.5)),
    "slow and singular": (lambda t: t**-0.5, UP, decay(1.0), UP,
                          lambda x: 2 * special.dawsn(np.sqrt(np.maximum(x, 0)))),
    "singular and box": (lambda t: t**-0.5, (0, 1), box, (0, 0.5), root_of_box),
}  # fmt: skip


def points_of(h):
    bulk = [h.support[k] if math.isfinite(h.support[k]) else (-9, 9)[k] for k in (0, 1)]
    near = [0, 0.25, -1, 1e-9, -1e-9, 2.5, *h.breakpoints]
    return np.concatenate([RNG.uniform(*bulk, 40), RNG.uniform(-60, 60, 20), near])


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_value_is_within_its_error_bound_of_the_closed_form(name):
    f, support_f, g, support_g, exact = CLOSED_FORMS[name]
    h = convolve(f, g, support_f=support_f, support_g=support_g)
    x = points_of(h)
    value, error, true = h(x), h.error(x), exact(x)
    assert (np.abs(value - true) <= error + 64 * np.finfo(float).eps * np.abs(true)).all()
    assert (error <= np.maximum(h.atol, h.rtol * np.abs(value))).all()


@pytest.mark.parametrize("name", ["both ways", "levy", "cauchy and box", "singular and box"])
def test_operands_commute(name):
    f, support_f, g, support_g, _ = CLOSED_FORMS[name]
    forth = convolve(f, g, support_f=support_f, support_g=support_g)
    back = convolve(g, f, support_f=support_g, support_g=support_f)
    assert forth.support == back.support
    x = points_of(forth)
    assert (np.abs(forth(x) - back(x)) <= forth.error(x) + back.error(x) + 1e-15).all()


@pytest.mark.parametrize("x", [1e3, -1e6, 1e9])
def test_far_out_a_power_law_keeps_its_relative_accuracy(x):
    h = convolve(cauchy(1.0), cauchy(2.0), rtol=1e-9, atol=0)
    assert abs(h(x) / cauchy(3.0)(x) - 1) < 1e-9


def test_light_tails_keep_their_relative_accuracy_where_asked_for():
    h = convolve(normal(1.0), normal(2.0), rtol=1e-9, atol=0)
    x = np.array([-40.0, 21, 30])
    np.testing.assert_allclose(h(x), normal(math.sqrt(5))(x), rtol=1e-9)


def test_infinite_supports_add_up():
    assert convolve(decay(1), box, support_f=UP, support_g=(-2, 3)).support == (-2.0, INF)
    h = convolve(np.exp, normal(1), support_f=DOWN, support_g=LINE)
    assert h.support == LINE
    assert h.breakpoints == ()
    assert np.isnan(h([INF, -INF, math.nan])).all()
    half = convolve(decay(1), box, support_f=UP, support_g=(0, 1))
    assert half(-INF) == 0


def test_results_with_infinite_supports_convolve():
    laplace = convolve(decay(1.0), np.exp, support_f=UP, support_g=DOWN)
    smooth = convolve(laplace, normal(0.5))
    x = np.array([-3.0, 0.0, 0.7, 5.0])
    direct = convolve(
        lambda t: 0.5 * np.exp(-np.abs(t)), normal(0.5), breakpoints_f=[0], support_g=LINE
    )
    assert (np.abs(smooth(x) - direct(x)) <= smooth.error(x) + direct.error(x)).all()


def test_an_integral_that_oscillates_forever_is_no_silent_wrong_number():
    h = convolve(np.sinc, np.sinc)
    value, error = h._source.evaluate(np.array([0.3, 2.5]), h.rtol, h.atol)
    assert (np.abs(value - np.sinc([0.3, 2.5])) <= error).all()
    assert (error > h.atol).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((box, box, LINE, LINE), r"f\(t\) g\(x - t\) falls off like \|t\|\*\*-0 .* no integral"),
        ((np.cos, np.sin, UP, DOWN), "no integral"),
        ((lambda t: 1 / t, box, (1, INF), DOWN), r"falls off like \|t\|\*\*-1 towards t = inf"),
        ((lambda t: 1 / t, box, (0, 1), (0, 1)), r"f: it grows like distance\*\*-1 towards 0.0"),
        ((box, lambda t: t**-1.5, (0, 1), (0, 1)), r"g: it grows like distance\*\*-1.5"),
        ((np.exp, normal(1), LINE, LINE), r"f: its values must be finite .* is inf; give the supp"),
        ((np.log, box, None, (0, 1)), r"f: its values must be finite .* is nan; give the support"),
        ((normal(1, 1e7), box, None, (0, 1)), "f: it is zero wherever it was looked at"),
    ],
)
def test_what_has_no_integral_or_no_values_is_refused(arguments, message):
    f, g, support_f, support_g = arguments
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        convolve(f, g, support_f=support_f, support_g=support_g)


def test_supports_on_sides_that_never_meet_need_no_decay():
    h = convolve(box, box, support_f=UP, support_g=UP)
    x = np.array([-1, 0.5, 3, 1e5])
    np.testing.assert_allclose(h(x), np.maximum(x, 0), rtol=1e-12)


def test_a_breakpoint_shows_what_lies_far_out():
    h = convolve(normal(1.0, 1e5), box, support_g=(-1, 1), breakpoints_f=[1e5])
    assert abs(h(1e5) - math.erf(1 / math.sqrt(2))) <= h.error(1e5) < 1e-10


def test_a_tolerance_that_cannot_be_reached_is_a_warning():
    h = convolve(normal(1.0), normal(0.5), rtol=0, atol=1e-17)
    with pytest.warns(IntegrationWarning, match="were not reached"):
        h(0.3)


def test_an_exception_says_whose_function_raised_it():
    def g(t):
        raise ArithmeticError("no value here")

    with pytest.raises(ArithmeticError, match="no value here") as caught:
        convolve(box, g, support_f=(0, 1), support_g=LINE)
    assert caught.value.__notes__ == ["raised while g was called"]


MIXTURES = [
    ([(0.4, 25, 0), (0.9, 17, 0), (0.2, 0.03, 0.14)], [(0.7, 0.04, -0.3)]),
    ([(0.9, 16, 2.1), (0.6, 0.07, -1.6)], [(0.2, 0.03, 6.1)]),
    ([(0.3, 19, 0), (0.5, 0.014, 0.65)], [(0.7, 0.01, 1), (0.3, 0.06, -2.1)]),
    ([(0.5, 0.02, -30), (0.5, 60, 4)], [(1, 0.5, 11)]),
]


@pytest.mark.parametrize(("first", "second"), MIXTURES)
def test_narrow_peaks_on_wide_ones_are_not_missed(first, second):
    def mixture(terms):
        return lambda t: sum(w * normal(s, c)(t) for w, s, c in terms)

    both = [(w * v, math.hypot(s, r), c + d) for w, s, c in first for v, r, d in second]
    h = convolve(mixture(first), mixture(second))
    x = np.array([c + k * s for _, s, c in both for k in (-2, -0.5, 0, 0.3, 1, 5)])
    assert (np.abs(h(x) - mixture(both)(x)) <= h.error(x) + 1e-15).all()
