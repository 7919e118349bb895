"""The integral of f(t) g(x - t) over an interval of t, f and g being smooth there."""

from __future__ import annotations

from functools import partial

import sympy as sp

from multiconv.continuous.symbolic import _exponential, _rational
from multiconv.continuous.symbolic._deadline import within
from multiconv.continuous.symbolic._pieces import Expr


def closed_form(f: Expr, g: Expr, t: Expr, x: Expr, span: tuple[Expr, Expr], limit: float) -> Expr:
    """The first closed form that a rule finds, or None.

    Rules of our own come first: SymPy's `integrate` is slower where they work, and at times
    returns a wrong integral.
    """
    for rule in (_by_exponentials, _by_fractions, _by_beta, _by_sympy):
        value = within(limit, partial(rule, f, g, t, x, *span))
        if value is not None and not value.has(sp.Integral, sp.nan, sp.oo, sp.zoo, sp.I):
            return value
    return None


def _by_exponentials(f: Expr, g: Expr, t: Expr, x: Expr, low: Expr, high: Expr) -> Expr:
    forth = _exponential.integral(f * g.subs(t, x - t), t, low, high)
    if forth is not None:
        return forth
    return _exponential.integral(g * f.subs(t, x - t), t, x - high, x - low)


def _by_fractions(f: Expr, g: Expr, t: Expr, x: Expr, low: Expr, high: Expr) -> Expr:
    of_f, of_g = _rational.poles(f, t), _rational.poles(g, t)
    if of_f is None or of_g is None:
        return None
    where = dict(of_f)
    for pole, order in of_g.items():
        where[x - pole] = where.get(x - pole, 0) + order
    product = f * g.subs(t, x - t)
    if (low, high) == (-sp.oo, sp.oo):
        by_frequency = _rational.waves(product, t)
        return by_frequency and _rational.over_the_line(by_frequency, t, where)
    if not product.is_rational_function(t):
        return None
    return _rational.over_an_interval(product, t, where, low, high)


def _by_beta(f: Expr, g: Expr, t: Expr, x: Expr, low: Expr, high: Expr) -> Expr:
    """Powers of the distances from both ends, times exponentials that make no difference."""
    gap = sp.expand(x - high)
    if high.is_finite is False or low.is_finite is False or low.has(x) or gap.has(x):
        return None
    first, second = _power(f, t, low), _power(g, t, gap)
    if first is None or second is None or sp.simplify(first[2] - second[2]) != 0:
        return None
    (size_f, a, rate), (size_g, b, _) = first, second
    width = x - low - gap
    return (
        size_f
        * size_g
        * sp.exp(rate * x)
        * width ** (a + b + 1)
        * sp.beta(a + 1, b + 1).rewrite(sp.gamma)
    )


def _power(value: Expr, t: Expr, end: Expr) -> tuple[Expr, Expr, Expr] | None:
    """Size, power and rate of ``size * (t - end)**power * exp(rate * t)``."""
    size, rest = value.as_independent(t, as_Add=False)
    power, rate = sp.S.Zero, sp.S.Zero
    for factor in sp.Mul.make_args(rest):
        base, raised = factor.as_base_exp()
        if sp.expand(base - t + end) == 0 and not raised.has(t):
            power += raised
        elif not base.has(t) and raised.is_polynomial(t) and sp.degree(raised, t) == 1:
            slope = raised.expand().coeff(t, 1) * sp.log(base)
            rate += slope
            size *= base ** raised.expand().coeff(t, 0)
        elif factor != 1:
            return None
    return size, power, rate


def _by_sympy(f: Expr, g: Expr, t: Expr, x: Expr, low: Expr, high: Expr) -> Expr:
    product = f * g.subs(t, x - t)
    if low.is_finite is False or high.is_finite is False:
        return sp.integrate(product, (t, low, high))
    whole = sp.integrate(product, t)
    return whole.subs(t, high) - whole.subs(t, low)
