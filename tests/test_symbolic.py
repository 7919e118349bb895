"""Formulas of convolutions, against known ones and against the numeric engine under its bound."""

from __future__ import annotations

import math
import sys
import threading
import time

import numpy as np
import pytest

sp = pytest.importorskip("sympy")

from multiconv import MissingExtraError, continuous  # noqa: E402
from multiconv.continuous.symbolic import convolve, discrete  # noqa: E402
from multiconv.continuous.symbolic._deadline import within  # noqa: E402

x, n = sp.Symbol("x", real=True), sp.Symbol("n", integer=True)
a, b = sp.symbols("a b", positive=True)
step = sp.Heaviside
RNG = np.random.default_rng(31)


def between(expression, low, high):
    return sp.Piecewise((expression, (x > low) & (x < high)), (0, True))


BOX = step(x) - step(x - 1)
TRIANGLE = sp.Piecewise((1 - sp.Abs(x), sp.Abs(x) < 1), (0, True))
GAUSS = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
CAUCHY = 1 / (sp.pi * (1 + x**2))
DECAY = sp.exp(-x) * step(x)


def equal(found, wanted):
    """Equal between all breakpoints, at points that are none, in 30 digits."""
    points = [sp.Rational(k, 3) - sp.Rational(401, 100) for k in range(26)]
    chosen = {a: sp.Rational(13, 10), b: sp.Rational(3, 5)}
    values = [sp.N((found - wanted).subs({x: p, **chosen}), 30, maxn=200) for p in points]
    return max(abs(complex(v)) for v in values) < 1e-20


KNOWN = {
    "boxes": (BOX, BOX, TRIANGLE.subs(x, x - 1)),
    "different boxes": (BOX, between(1, -2, sp.Rational(1, 2)),
                        sp.Max(0, sp.Min(1, x + 2, sp.Rational(3, 2) - x))),
    "box of unknown width": (step(x) - step(x - a), step(x) - step(x - a),
                             sp.Max(0, a - sp.Abs(x - a))),
    "Gaussians": (GAUSS, GAUSS.subs(x, x - 1), GAUSS.subs(x, (x - 1) / sp.sqrt(2)) / sp.sqrt(2)),
    "Gaussians of unknown width": (
        sp.exp(-(x**2) / (2 * a**2)), sp.exp(-(x**2) / (2 * b**2)),
        a * b * sp.sqrt(2 * sp.pi / (a**2 + b**2)) * sp.exp(-(x**2) / (2 * (a**2 + b**2)))),
    "Gaussian and box": (GAUSS, BOX, (sp.erf(x / sp.sqrt(2)) - sp.erf((x - 1) / sp.sqrt(2))) / 2),
    "wave and Gaussian": (sp.cos(x), GAUSS, sp.exp(-sp.Rational(1, 2)) * sp.cos(x)),
    "exponentials": (DECAY, sp.exp(-3 * x) * step(x), (sp.exp(-x) - sp.exp(-3 * x)) / 2 * step(x)),
    "same exponentials": (DECAY, DECAY, x * DECAY),
    "unknown rates": (sp.exp(-a * x) * step(x), sp.exp(-b * x) * step(x),
                      (sp.exp(-b * x) - sp.exp(-a * x)) / (a - b) * step(x)),
    "two-sided exponentials": (sp.exp(-sp.Abs(x)), sp.exp(-sp.Abs(x)),
                               (1 + sp.Abs(x)) * sp.exp(-sp.Abs(x))),
    "sine and decay": (sp.sin(x) * step(x), DECAY,
                       (sp.sin(x) - sp.cos(x) + sp.exp(-x)) / 2 * step(x)),
    "Cauchy": (CAUCHY, CAUCHY, 2 / (sp.pi * (x**2 + 4))),
    "Cauchy of unknown width": (1 / (x**2 + a**2), 1 / (x**2 + b**2),
                                sp.pi * (a + b) / (a * b * (x**2 + (a + b) ** 2))),
    "Cauchy and box": (1 / (1 + x**2), BOX, sp.atan(x) - sp.atan(x - 1)),
    "sincs": (sp.sin(x) / x, sp.sinc(x), sp.pi * sp.sin(x) / x),
    "sinc and box": (sp.sinc(x), BOX, sp.Si(x) - sp.Si(x - 1)),
    "gamma densities": (sp.sqrt(x) * DECAY, x ** sp.Rational(3, 2) * DECAY,
                        sp.pi * x**3 / 16 * DECAY),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_known_formulas(name):
    f, g, wanted = KNOWN[name]
    found = convolve(f, g, x)
    assert not found.has(sp.Integral)
    assert equal(found, wanted)


FINITE = {
    "boxes": (1, (0, 1), 1, (-2, 0.5)),
    "triangle and box": (1 - sp.Abs(x), (-1, 1), 1, (0, 3)),
    "Gaussians": (sp.exp(-(x**2)), (-2, 1), sp.exp(-((x - 1) ** 2) / 2), (-1, 3)),
    "exponentials": (sp.exp(-x), (0, 4), sp.exp(2 * x), (-1, 1)),
    "Cauchy": (1 / (1 + x**2), (-3, 2), 1 / (4 + x**2), (-1, 5)),
    "sinc and box": (sp.sin(x) / x, (-5, 4), 1, (0, 2)),
    "roots": (sp.sqrt(x), (0, 1), x**2, (0, 2)),
}


@pytest.mark.parametrize("name", FINITE)
def test_the_numeric_engine_is_within_its_bound_of_the_formula(name):
    f, support_f, g, support_g = FINITE[name]
    windows = [[sp.nsimplify(end) for end in support] for support in (support_f, support_g)]
    formula = convolve(between(sp.sympify(f), *windows[0]), between(sp.sympify(g), *windows[1]), x)
    assert not formula.has(sp.Integral)
    numeric = continuous.convolve(
        *(sp.lambdify(x, sp.sympify(h) + 0 * x, "scipy") for h in (f, g)),
        support_f=support_f, support_g=support_g, breakpoints_f=[0],
    )  # fmt: skip
    points = RNG.uniform(*numeric.support, 25)
    true = np.array([float(sp.N(formula.subs(x, sp.Float(p, 25)), 17)) for p in points])
    found, bound = numeric(points), numeric.error(points)
    assert (np.abs(found - true) <= bound + 4e-16 * np.abs(true)).all()
    assert (bound <= 1e-9).all()


def b_spline(order, at):
    """The cardinal B-spline by its definition as a divided difference, exact."""
    at = sp.Rational(at)
    total = sum(
        (-1) ** k * math.comb(order, k) * max(at - k, 0) ** (order - 1) for k in range(order)
    )
    return total / math.factorial(order - 1)


def test_b_splines_of_order_1_to_8_and_the_numeric_engine():
    spline = BOX
    for order in range(2, 9):
        call = sp.lambdify(x, spline, "numpy")
        numeric = continuous.convolve(
            call, np.ones_like, support_f=(0, order - 1), support_g=(0, 1),
            breakpoints_f=range(order),
        )  # fmt: skip
        spline = convolve(spline, BOX, x)
        assert len(spline.args) == order + 2
        points = [sp.Rational(k, 5) for k in range(1, 5 * order, 3)]
        exact = [b_spline(order, p) for p in points]
        assert [spline.subs(x, p) for p in points] == exact
        floats = np.array(points, dtype=float)
        missed = np.abs(numeric(floats) - np.array(exact, dtype=float))
        assert (missed <= numeric.error(floats) + 2e-16).all()


def comb(count):
    return sp.Add(*(sp.DiracDelta(x - k) for k in range(count)))


def test_dirac_combs():
    squared = convolve(comb(3), comb(4), x)
    weights = np.convolve(np.ones(3), np.ones(4)).astype(int)
    assert squared == sp.Add(*(int(w) * sp.DiracDelta(x - k) for k, w in enumerate(weights)))
    copies = convolve(comb(3), TRIANGLE, x)
    assert equal(copies, sp.Add(*(TRIANGLE.subs(x, x - k) for k in range(3))))


DELTA = sp.DiracDelta


@pytest.mark.parametrize(
    ("f", "g", "wanted"),
    [
        (DELTA(x - 2), sp.exp(-(x**2)), sp.exp(-((x - 2) ** 2))),
        (DELTA(3 * x - 6), DELTA(x + 1), DELTA(x - 1) / 3),
        (DELTA(x, 1), BOX, DELTA(x) - DELTA(x - 1)),
        (DELTA(x, 2), TRIANGLE, DELTA(x + 1) - 2 * DELTA(x) + DELTA(x - 1)),
        (DELTA(x, 1), DECAY, DELTA(x) - DECAY),
        (DELTA(x, 1), DELTA(x - 1, 2), DELTA(x - 1, 3)),
        (sp.sin(x) * DELTA(x, 1), DELTA(x), -DELTA(x)),
        (DELTA(x**2 - 1), DELTA(x), (DELTA(x - 1) + DELTA(x + 1)) / 2),
        (BOX + DELTA(x), BOX, BOX + TRIANGLE.subs(x, x - 1)),
        (sp.SingularityFunction(x, 0, -1), DECAY, DECAY),
    ],
)
def test_impulses(f, g, wanted):
    for found in (convolve(f, g, x), convolve(g, f, x)):
        difference = sp.expand(found - wanted)
        impulses = [t for t in sp.Add.make_args(difference) if t.has(DELTA)]
        assert sp.Add(*impulses) == 0
        assert equal(difference, sp.Integer(0))


def test_what_has_no_closed_form_stays_an_integral_in_its_interval():
    found = convolve(sp.exp(-(x**4)), BOX, x)
    assert found.has(sp.Integral)
    value = float(sp.N(found.subs(x, sp.Rational(3, 2))))
    numeric = continuous.convolve(
        lambda t: np.exp(-(t**4)), np.ones_like, support_f=(-9, 9), support_g=(0, 1)
    )
    assert abs(value - numeric(1.5)) < 1e-10
    partly = convolve(between(1 / sp.sqrt(x), 0, 1), step(x) / sp.sqrt(x), x)
    assert partly.subs(x, sp.Rational(1, 3)) == sp.pi
    half = float(sp.N(partly.subs(x, 2)))
    assert half == pytest.approx(math.pi / 2, abs=1e-9)


@pytest.mark.parametrize("pair", [(x, x), (1 / x, BOX), (sp.exp(x), sp.exp(-x))])
def test_what_diverges_stays_an_integral(pair):
    assert convolve(*pair, x, timeout=3).has(sp.Integral)


def test_a_wrong_formula_is_found_out(monkeypatch):
    from multiconv.continuous.symbolic import _convolve

    monkeypatch.setattr(_convolve, "closed_form", lambda *_: sp.Symbol("x") * 0 + sp.pi)
    assert convolve(DECAY, GAUSS, x).has(sp.Integral)


def test_the_variable_may_be_called_t_and_parameters_anything():
    t = sp.Symbol("t")
    found = convolve(sp.exp(-(t**4)), step(t) - step(t - 1), t)
    assert found.free_symbols == {t}
    unknown = sp.Symbol("u")
    moved = convolve(step(t - unknown), sp.exp(-t) * step(t), t)
    assert moved.free_symbols == {t, unknown}
    assert equal(moved.subs(unknown, 2).subs(t, x), (1 - sp.exp(2 - x)) * step(x - 2))


def test_computations_end_in_time_in_any_thread():
    seen = []

    def endless():
        while True:
            len("x")

    def run():
        start = time.monotonic()
        seen.append(within(0.2, lambda: [endless()]))
        seen.append(time.monotonic() - start)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert seen[0] is None
    assert seen[1] < 5
    before = sys.getprofile()
    assert within(5.0, lambda: 7) == 7
    assert sys.getprofile() is before


half, third = sp.Rational(1, 2), sp.Rational(1, 3)
SEQUENCES = {
    "geometric and step": (half**n, sp.Integer(1), {}),
    "different ratios": (half**n, third**n, {}),
    "same ratio": (half**n, half**n, {}),
    "polynomials": (n, n**2 + 1, {}),
    "polynomial times geometric": (n * half**n, third**n, {"support_g": (-1, 4)}),
    "boxes": (sp.Integer(1), sp.Integer(1), {"support_f": (0, 3), "support_g": (-2, 3)}),
    "ramp and box": (n, sp.Integer(2), {"support_f": (1, 3), "support_g": (2, 9)}),
    "binomial": (2**n / sp.factorial(n), 3**n / sp.factorial(n), {}),
    "one element": (n + 5, n**2, {"support_f": (2, 2), "support_g": (-1, 3)}),
    "backwards": (2**n, third ** (-n), {"support_f": (-sp.oo, 0), "support_g": (-sp.oo, 1)}),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_against_sums_by_hand(name):
    f, g, supports = SEQUENCES[name]
    found = discrete(f, g, n, **supports)
    assert not found.has(sp.Sum)
    (p, q), (r, s) = (supports.get(key, (0, sp.oo)) for key in ("support_f", "support_g"))
    for index in range(-6, 13):
        wanted = sum(
            f.subs(n, k) * g.subs(n, index - k)
            for k in range(-20, 25)
            if p <= k <= q and r <= index - k <= s
        )
        assert sp.simplify(found.subs(n, index) - wanted) == 0, index


def test_a_sequence_without_a_start_sums_to_the_whole():
    assert discrete(half**n, 3, n, support_g=(-sp.oo, sp.oo)) == 6
    found = discrete(a**n, b**n, n)
    assert found.subs({a: 2, b: 2, n: 5}) == 6 * 2**5
    assert found.subs({a: 2, b: 3, n: 2}) == 4 + 6 + 9


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("x", BOX, x), TypeError, "f: 'x' is not allowed, give a SymPy expression in x"),
        ((BOX, None, x), TypeError, "g: None is not allowed"),
        ((BOX, BOX, 3), TypeError, r"x: 3 is not allowed, give a sympy\.Symbol"),
        ((sp.floor(x), GAUSS, x), ValueError, "f: .* is not smooth between finitely many"),
        ((GAUSS, step(sp.sin(x)), x), ValueError, "g: the points where .* changes sign cannot"),
        ((step(x) * DELTA(x), GAUSS, x), ValueError, "f: .* has a breakpoint at 0, where"),
        ((DELTA(x) ** 2, GAUSS, x), ValueError, "f: .* is not a function times one DiracDelta"),
        ((step(x - a) - step(x - b), BOX, x), ValueError, "f: whether .* is positive cannot be"),
        ((step(x) / sp.sqrt(x), DELTA(x, 1), x), ValueError, "is infinite at 0, and differentiat"),
    ],
)
def test_bad_input_is_one_clear_sentence(arguments, error, message):
    with pytest.raises(error, match=message):
        convolve(*arguments)


@pytest.mark.parametrize("support", [(3, 1), (0.5, 2), 3, (sp.oo, sp.oo), ("a", "b", "c")])
def test_bad_supports_are_refused(support):
    with pytest.raises(ValueError, match=r"support_f: .* give a \(first, last\) pair"):
        discrete(n, n, n, support_f=support)


def test_a_bad_timeout_is_refused():
    for call in (convolve, discrete):
        with pytest.raises(ValueError, match="timeout: 0 is not allowed"):
            call(x, x, x, timeout=0)


def test_sympy_is_asked_for_by_name_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    for call in (convolve, discrete):
        with pytest.raises(MissingExtraError, match=r"needs SymPy, .*multiconv\[math\]"):
            call(1, 1, x)
