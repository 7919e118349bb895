"""Convolution of functions, against closed forms, with the error bound held to its word."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from multiconv import continuous
from multiconv.continuous import IntegrationWarning, convolve, discrete, sample

RNG = np.random.default_rng(20)


def box(t):
    return np.ones_like(t)


def overlap(x, support_f, support_g):
    """The interval of t over which both functions are inside their supports."""
    low = np.maximum(support_f[0], x - support_g[1])
    return low, np.maximum(np.minimum(support_f[1], x - support_g[0]), low)


def b_spline(order):
    """The cardinal B-spline that is the convolution of ``order`` unit boxes."""

    def value(x):
        x = np.minimum(x, order - x)
        terms = [
            (-1) ** k * math.comb(order, k) * np.maximum(x - k, 0) ** (order - 1)
            for k in range(order + 1)
        ]
        return np.where(x > 0, sum(terms), 0) / math.factorial(order - 1)

    return value


def exponentials(a, b, support_f, support_g):
    """Exact convolution of exp(a t) and exp(b t), complex rates allowed."""

    def value(x):
        low, high = overlap(x, support_f, support_g)
        return np.exp(b * x) * (np.exp((a - b) * high) - np.exp((a - b) * low)) / (a - b)

    return value


def gaussians(s1, s2, support_f, support_g):
    width, spread = s1 * s2 / math.hypot(s1, s2), math.hypot(s1, s2)

    def value(x):
        low, high = (end - x * (s1 / spread) ** 2 for end in overlap(x, support_f, support_g))
        scale = math.sqrt(2) * width
        inside = 0.5 * (special.erf(high / scale) - special.erf(low / scale))
        return np.exp(-0.5 * (x / spread) ** 2) / (spread * math.sqrt(2 * math.pi)) * inside

    return value


def normal(s):
    return lambda t: np.exp(-0.5 * (t / s) ** 2) / (s * math.sqrt(2 * math.pi))


def powers(a, b):
    """Exact convolution of t**a and t**b on (0, 1): an incomplete beta function."""

    def value(x):
        low, high = (end / x for end in overlap(x, (0, 1), (0, 1)))
        shares = special.betainc(a + 1, b + 1, high) - special.betainc(a + 1, b + 1, low)
        return x ** (a + b + 1) * special.beta(a + 1, b + 1) * shares

    return value


def power(a):
    return lambda t: t**a


def rate(a):
    return lambda t: np.exp(a * t)


CLOSED_FORMS = {
    "trapezoid": (box, (0, 1), box, (-2, 0.5),
                  lambda x: np.clip(np.minimum(x + 2, 1.5 - x), 0, 1)),
    "triangle": (box, (-1, 1), box, (-1, 1), lambda x: np.maximum(2 - np.abs(x), 0)),
    "ramp and box": (lambda t: t, (0, 1), box, (0, 3),
                     lambda x: 0.5 * (np.clip(x, 0, 1) ** 2 - np.clip(x - 3, 0, 1) ** 2)),
    "exponentials": (rate(-1.0), (0, 4), rate(-3.0), (0, 2),
                     exponentials(-1.0, -3.0, (0, 4), (0, 2))),
    "rising and falling": (rate(2.0), (-1, 1), rate(-0.5), (0.25, 3),
                           exponentials(2.0, -0.5, (-1, 1), (0.25, 3))),
    "complex exponentials": (rate(5j), (0, 2), rate(-1 - 3j), (-1, 0.5),
                             exponentials(5j, -1 - 3j, (0, 2), (-1, 0.5))),
    "complex with real": (rate(40j), (0, 2), rate(0.5), (0, 1),
                          exponentials(40j, 0.5, (0, 2), (0, 1))),
    "gaussians": (normal(1.0), (-3, 2), normal(0.4), (-1, 1.5),
                  gaussians(1.0, 0.4, (-3, 2), (-1, 1.5))),
    "narrow gaussians": (normal(0.01), (-7, 12), normal(0.02), (-20, 13),
                         gaussians(0.01, 0.02, (-7, 12), (-20, 13))),
    "smooth powers": (power(2), (0, 1), power(5), (0, 1), powers(2, 5)),
    "root ends": (power(0.5), (0, 1), power(1.5), (0, 1), powers(0.5, 1.5)),
    "singular end": (power(-0.5), (0, 1), power(0.5), (0, 1), powers(-0.5, 0.5)),
    "singular ends": (power(-0.75), (0, 1), power(-0.5), (0, 1), powers(-0.75, -0.5)),
}  # fmt: skip


def points_inside(h):
    """Random points, the kinks, and points right beside them."""
    low, high = h.support
    kinks = np.array(h.breakpoints)
    beside = np.concatenate([kinks + 1e-15, kinks - 1e-9, kinks + 1e-3])
    x = np.concatenate([RNG.uniform(low, high, 60), kinks, beside])
    return x[(x > low) & (x < high)]


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_value_is_within_its_error_bound_of_the_closed_form(name):
    f, support_f, g, support_g, exact = CLOSED_FORMS[name]
    h = convolve(f, g, support_f=support_f, support_g=support_g)
    x = points_inside(h)
    value, error, true = h(x), h.error(x), exact(x)
    tiny = 64 * np.finfo(float).eps * max(np.abs(true).max(), 1e-3)
    assert (np.abs(value - true) <= error + tiny).all()
    assert (error <= np.maximum(h.atol, h.rtol * np.abs(value))).all()


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_operands_commute(name):
    f, support_f, g, support_g, _ = CLOSED_FORMS[name]
    forth = convolve(f, g, support_f=support_f, support_g=support_g)
    back = convolve(g, f, support_f=support_g, support_g=support_f)
    assert forth.support == back.support
    x = points_inside(forth)
    assert (np.abs(forth(x) - back(x)) <= forth.error(x) + back.error(x) + 1e-15).all()


def test_outside_the_support_it_is_exactly_zero():
    h = convolve(np.exp, box, support_f=(1, 2), support_g=(-3, -2.5))
    assert h.support == (-2.0, -0.5)
    x = np.array([-np.inf, -5, -2, -0.5, -0.4, 7, np.inf])
    assert (h(x) == 0).all()
    assert (h.error(x) == 0).all()


def test_right_at_the_ends_of_the_support():
    h = convolve(np.exp, box, support_f=(0.1, 0.3), support_g=(0.7, 1.9))
    low, high = h.support
    for x in (low, np.nextafter(low, 9), low + 4e-16, np.nextafter(high, 0), high - 4e-16, high):
        start, end = overlap(x, (0.1, 0.3), (0.7, 1.9))
        assert abs(h(x) - (np.exp(end) - np.exp(start))) <= h.error(x) + 1e-15
        assert h.error(x) < 1e-14


def test_shapes_and_types():
    h = convolve(np.exp, box, support_f=(0, 1), support_g=(0, 2))
    assert isinstance(h(0.5), float)
    assert isinstance(h.error(0.5), float)
    assert isinstance(h(np.float32(0.5)), float)
    assert isinstance(h(1), float)
    assert h([[0.1, 0.2, 0.3]]).shape == h.error([[0.1, 0.2, 0.3]]).shape == (1, 3)
    assert h(np.empty((0, 4))).shape == (0, 4)
    assert math.isnan(h(math.nan))
    np.testing.assert_array_equal(np.isnan(h([0.5, math.nan])), [False, True])
    oscillation = convolve(lambda t: np.exp(1j * t), box, support_f=(0, 1), support_g=(0, 2))
    assert isinstance(oscillation(0.5), complex)
    assert oscillation([-1.0, 9.0]).dtype == np.complex128


def test_a_point_has_the_same_bits_alone_and_among_others():
    h = convolve(np.exp, np.cos, support_f=(0, 1), support_g=(-0.3, 2), breakpoints_g=[0.7])
    x = RNG.uniform(*h.support, 3000)
    together = h(x)
    for i in range(0, 3000, 331):
        assert h(x[i]) == together[i]


@pytest.mark.parametrize("order", [3, 4])
def test_convolutions_convolve_to_b_splines(order):
    triangle = convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    second, support = (triangle, None) if order == 4 else (box, (0, 1))
    spline = convolve(triangle, second, support_g=support)
    assert spline.support == (0.0, float(order))
    assert spline.breakpoints == tuple(float(k) for k in range(order + 1))
    x = np.concatenate([RNG.uniform(0, order, 25), np.arange(order + 1), [-1, order + 1]])
    assert (np.abs(spline(x) - b_spline(order)(x)) <= spline.error(x) + 1e-15).all()
    assert spline.error(x).max() < 1e-12


def test_a_support_given_with_a_convolution_cuts_it_off():
    triangle = convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    half = convolve(triangle, box, support_f=(0, 1), support_g=(0, 4))
    assert half.support == (0.0, 5.0)
    assert abs(half(2.0) - 0.5) <= half.error(2.0) + 1e-15


def test_an_inexact_operand_makes_an_inexact_result():
    """The singularity at 1 cannot be resolved, and the second integral must know."""
    inner = convolve(lambda t: 1 / np.sqrt(t - 1), box, support_f=(1, 2), support_g=(0, 1))
    outer = convolve(inner, box, support_f=(1.25, 1.75), support_g=(0, 1))
    value, error = outer.evaluate(np.array(1.5))
    assert inner.error(1.4) > 1e-9
    assert abs(value - 4 / 3 * (0.5**1.5 - 0.25**1.5)) <= error
    assert error > 1e-9


SCALAR_AND_ARRAY = {
    "branch": (lambda t: math.exp(-t) if t > 0.25 else 0.0,
               lambda t: np.where(t > 0.25, np.exp(-t), 0.0)),
    "constant": (lambda t: 3, lambda t: 3 * np.ones_like(t)),
    "math": (math.cos, np.cos),
    "fraction": (lambda t: Fraction(t) / 3, lambda t: t / 3),
    "arrays only": (lambda t: np.exp(t)[...] * len(t) / t.size, np.exp),
    "overwrites its argument": (lambda t: np.square(t, out=t if np.ndim(t) else None), np.square),
    "whole-array normalisation": (lambda t: np.exp(t) / np.max(np.exp(t)), np.ones_like),
    "sorts": (lambda t: np.sort(t, axis=None)[0] if np.ndim(t) == 0 else np.sort(t), lambda t: t),
    "float32 out": (lambda t: np.full(np.shape(t), np.float32(2)), lambda t: 2 * t / t),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALAR_AND_ARRAY)
def test_functions_of_numbers_and_of_arrays_are_told_apart(name):
    one, many = SCALAR_AND_ARRAY[name]
    x = RNG.uniform(0, 3, 5)
    got, wanted = (
        convolve(f, box, support_f=(0.0, 1), support_g=(0, 2), breakpoints_f=0.25)(x)
        for f in (one, many)
    )
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)


def test_a_vectorised_function_is_called_with_arrays():
    sizes = []

    def f(t):
        sizes.append(np.size(t))
        return np.exp(t)

    h = convolve(f, box, support_f=(0, 1), support_g=(0, 1))
    sizes.clear()
    h(np.linspace(0, 2, 100))
    assert len(sizes) < 20
    assert min(sizes) > 20


def test_functions_are_never_called_outside_or_at_the_ends_of_their_supports():
    seen = []

    def f(t):
        seen.append(np.array(t).ravel())
        return np.exp(t)

    h = convolve(f, f, support_f=(0.1, 0.3), support_g=(0.1, 0.3))
    h(np.concatenate([RNG.uniform(0.2, 0.6, 500), [0.2 + 1e-16, 0.4, 0.6 - 1e-16, 0.1 + 0.3]]))
    seen = np.concatenate(seen)
    assert 0.1 < seen.min() < seen.max() < 0.3


def test_jumps_and_kinks_that_nobody_declared_stay_within_the_bound():
    for trial in range(9):
        at, low = RNG.uniform(0, 1, 2)
        f, integral = [
            (lambda t, a=at: np.where(t > a, 1.0, 0.0), lambda t, a=at: np.maximum(t - a, 0)),
            (lambda t, a=at: np.abs(t - a), lambda t, a=at: 0.5 * (t - a) * np.abs(t - a)),
            (lambda t, a=at: np.sqrt(np.abs(t - a)),
             lambda t, a=at: np.sign(t - a) * np.abs(t - a) ** 1.5 / 1.5),
        ][trial % 3]  # fmt: skip
        supports = (0, 1), (low, low + 0.7)
        h = convolve(f, box, support_f=supports[0], support_g=supports[1])
        x = RNG.uniform(*h.support, 100)
        start, end = overlap(x, *supports)
        true = integral(end) - integral(start)
        assert (np.abs(h(x) - true) <= h.error(x) + 1e-15).all()


def test_a_declared_singularity_inside_the_support():
    h = convolve(
        lambda t: np.abs(t) ** -0.5, box,
        support_f=(-1, 2), support_g=(0, 0.5), breakpoints_f=[0],
    )  # fmt: skip
    x = RNG.uniform(-1, 2.5, 40)
    start, end = overlap(x, (-1, 2), (0, 0.5))
    true = 2 * (np.sign(end) * np.sqrt(np.abs(end)) - np.sign(start) * np.sqrt(np.abs(start)))
    assert (np.abs(h(x) - true) <= h.error(x) + 1e-15).all()


def test_a_removable_singularity_in_the_middle_needs_no_breakpoint():
    h = convolve(lambda t: np.sin(t) / t, box, support_f=(-1, 1), support_g=(-1, 1))
    sine_integral = special.sici(1.0)[0]
    assert abs(h(0.0) - 2 * sine_integral) <= h.error(0.0) + 1e-15


def test_a_missed_tolerance_is_a_warning_that_tells_the_error():
    h = convolve(lambda t: 1 / np.sqrt(t - 1), box, support_f=(1, 2), support_g=(0, 1))
    with pytest.warns(IntegrationWarning, match=r"at 1 of 2 points: the error at x=1\.5 is estim"):
        values = h([0.5, 1.5])
    assert values[0] == 0
    assert 1e-12 < abs(values[1] - math.sqrt(2)) <= h.error(1.5) < 1e-5


def test_a_point_without_integral_is_a_warning_with_an_infinite_error():
    meeting = convolve(power(-0.5), lambda t: (-t) ** -0.5, support_f=(0, 1), support_g=(-1, 0))
    with pytest.warns(IntegrationWarning, match="estimated as inf"):
        meeting(0.0)
    assert meeting.error(0.0) == math.inf
    assert meeting.error(0.5) < 1e-9


def test_tolerances_are_reached_and_trade_accuracy_for_time():
    calls = [0]

    def f(t):
        calls[0] += np.size(t)
        return np.sqrt(np.abs(t - 1 / 3))

    counts = []
    for tolerance in (1e-4, 1e-8, 1e-12):
        h = convolve(f, box, support_f=(0, 1), support_g=(0, 1), rtol=tolerance, atol=tolerance)
        calls[0] = 0
        assert h(0.9) == pytest.approx(_root_kink(0.9), abs=tolerance)
        counts.append(calls[0])
        assert h.error(0.9) <= tolerance
    assert counts[0] < counts[1] < counts[2]


def _root_kink(x):
    return ((1 / 3) ** 1.5 + (x - 1 / 3) ** 1.5) / 1.5


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=6),
    st.lists(st.integers(-9, 9), min_size=1, max_size=4),
    st.tuples(st.integers(-8, 8), st.integers(1, 16)),
    st.tuples(st.integers(-8, 8), st.integers(1, 16)),
    st.floats(0, 1),
)
def test_polynomials_against_exact_rational_integrals(p, q, place_f, place_g, where):
    """Every number here is a dyadic fraction, so the closed form can be exact."""
    support_f, support_g = ((a / 4, (a + w) / 4) for a, w in (place_f, place_g))
    h = convolve(
        lambda t: np.polynomial.polynomial.polyval(t, p),
        lambda t: np.polynomial.polynomial.polyval(t, q),
        support_f=support_f, support_g=support_g,
    )  # fmt: skip
    x = h.support[0] + where * (h.support[1] - h.support[0])
    true = float(_rational_convolution(p, q, support_f, support_g, Fraction(x)))
    size = sum(abs(c) * 6**k for k, c in enumerate(p)) * sum(abs(c) * 6**k for k, c in enumerate(q))
    assert abs(h.evaluate(np.array(x))[0] - true) <= h.error(x) + 4 * size * 2.0**-52


def _rational_convolution(p, q, support_f, support_g, x):
    low = max(Fraction(support_f[0]), x - Fraction(support_g[1]))
    high = min(Fraction(support_f[1]), x - Fraction(support_g[0]))
    if high <= low:
        return Fraction(0)
    shifted = [Fraction(0)] * len(q)
    for k, c in enumerate(q):
        for j in range(k + 1):
            shifted[j] += c * math.comb(k, j) * x ** (k - j) * (-1) ** j
    total = Fraction(0)
    for i, a in enumerate(p):
        for j, b in enumerate(shifted):
            n = i + j + 1
            total += a * b * (high**n - low**n) / n
    return total


GOOD = {"f": np.exp, "g": np.cos, "support_f": (0, 1), "support_g": (0, 2)}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"f": 3}, TypeError, "f: 3 is not callable"),
        ({"g": None}, TypeError, "g: None is not callable"),
        ({"support_f": (1, 0)}, ValueError, r"support_f: \(1, 0\) is not allowed, give a \(low"),
        ({"support_g": (1, 1)}, ValueError, r"support_g: \(1, 1\) .* with low < high"),
        ({"support_g": (np.inf, np.inf)}, ValueError, "support_g: .* may be infinite"),
        ({"support_g": (0, np.nan)}, ValueError, "support_g: .* may be infinite"),
        ({"support_g": (0, 1, 2)}, ValueError, "support_g: .* pair"),
        ({"support_g": ("0", "1")}, ValueError, "support_g: .* pair"),
        ({"support_g": (-1.5e308, 1.5e308)}, ValueError, "support_g: .* width"),
        ({"breakpoints_f": [0.5, np.inf]}, ValueError, "breakpoints_f: inf is not allowed"),
        ({"breakpoints_g": ["a"]}, TypeError, "breakpoints_g: .* give real numbers"),
        ({"rtol": -1}, ValueError, "rtol: -1 is not allowed"),
        ({"atol": np.nan}, ValueError, "atol: nan is not allowed"),
        ({"rtol": "fine"}, ValueError, "rtol: 'fine' is not allowed"),
        ({"rtol": 0, "atol": 0}, ValueError, "at least one must be positive"),
        ({"f": lambda t: t * np.nan}, ValueError, r"f: its values must be finite.*\) is nan"),
        ({"g": lambda t: np.where(t > 1.3, np.inf, 1)}, ValueError, r"g: .*\) is inf"),
        ({"f": lambda t: "high"}, TypeError, "f: returned .*'high'.*, it must return numbers"),
        ({"f": lambda t: None}, TypeError, "f: returned None, it must return numbers"),
        ({"f": lambda t: np.ones(2)}, ValueError, r"f: returned an array of shape \(2,\)"),
        ({"f": lambda t: 1e200 * box(t), "g": lambda t: 1e200 * box(t)}, ValueError, "too large"),
    ],
)
def test_bad_input_is_one_clear_sentence(change, error, message):
    with pytest.raises(error, match=message):
        convolve(**{**GOOD, **change})(1.0)


@pytest.mark.parametrize("x", ["1", 1j, None, [object()]])
def test_points_must_be_real_numbers(x):
    with pytest.raises(TypeError, match=r"x: .* give real numbers"):
        convolve(**GOOD)(x)


def test_what_a_function_raises_passes_through():
    class OwnError(Exception):
        pass

    def f(t):
        raise OwnError

    with pytest.raises(OwnError):
        convolve(f, box, support_f=(0, 1), support_g=(0, 1))


def test_sampling_grids():
    grid, values = sample(lambda t: 2 * t, (1, 2), 0.25)
    np.testing.assert_array_equal(grid, [1.125, 1.375, 1.625, 1.875])
    np.testing.assert_array_equal(values, 2 * grid)
    grid, values = sample(lambda t: 2 * t, (1, 2), 0.25, rule="left")
    np.testing.assert_array_equal(grid, [1, 1.25, 1.5, 1.75])
    grid, values = sample(box, (0, 1), 0.3)
    np.testing.assert_array_equal(values, [1, 1, 1, 0])
    assert sample(box, (0, 1), 0.1)[0].size == 10
    assert sample(box, (0, 1), 7.0)[0].size == 1
    assert sample(lambda t: np.exp(1j * t), (0, 1), 0.5)[1].dtype == np.complex128
    triangle = convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    np.testing.assert_allclose(sample(triangle, step=0.5)[1], [0.25, 0.75, 0.75, 0.25])


@pytest.mark.parametrize(("rule", "order"), [("left", 1), ("midpoint", 2)])
def test_the_sum_approaches_the_integral_with_the_order_of_its_rule(rule, order):
    def f(t):
        return np.exp(-t)

    def g(t):
        return 1 + t**2

    supports = (0, 1), (-1, 1)
    exact = convolve(f, g, support_f=supports[0], support_g=supports[1])
    errors = []
    for step in (1 / 8, 1 / 16, 1 / 32):
        grid, values = discrete(f, g, *supports, step, rule=rule)
        assert values.size == round(1 / step) + round(2 / step) - 1
        errors.append(np.abs(values - exact(grid)).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, order, atol=0.15)


def test_the_sum_by_left_ends_lies_where_it_says():
    grid, values = discrete(lambda t: t, lambda t: t**2, (0, 1), (1, 3), 0.5, rule="left")
    np.testing.assert_array_equal(grid, 1 + 0.5 * np.arange(5))
    np.testing.assert_allclose(values, 0.5 * np.convolve([0, 0.5], [1, 2.25, 4, 6.25]))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((box, (0, 1), 0), ValueError, "step: 0 is not allowed, give a positive number"),
        ((box, (0, 1), math.nan), ValueError, "step: nan is not allowed"),
        ((box, (0, 1), "1"), ValueError, "step: '1' is not allowed"),
        ((box, (0, 1), 1e-300), ValueError, "step: 1e-300 makes about 1e\\+300 samples"),
        ((box, (0, math.inf), 1), ValueError, "support: .* give a finite"),
        ((7, (0, 1), 1), TypeError, "f: 7 is not callable"),
    ],
)
def test_bad_sampling_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        sample(*arguments)


def test_bad_discrete_arguments_are_named():
    with pytest.raises(ValueError, match=r"support_g: .* give a finite"):
        discrete(box, box, (0, 1), None, 0.1)
    with pytest.raises(ValueError, match="rule: 'right' is not allowed, choose one of"):
        discrete(box, box, (0, 1), (0, 1), 0.1, rule="right")


def test_public_names():
    assert sorted(continuous.__all__) == continuous.__all__
    assert all(hasattr(continuous, name) for name in continuous.__all__)
