"""Definite integrals of polynomials times exponentials of quadratics."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from multiconv.continuous.symbolic._pieces import Expr

WAVES = (sp.sin, sp.cos, sp.sinh, sp.cosh)


@dataclass(frozen=True)
class Term:
    """``size * t**power * exp(a * t**2 + b * t + c)``."""

    size: Expr
    power: Expr
    a: Expr
    b: Expr
    c: Expr


def as_exponentials(expression: Expr, t: Expr) -> Expr:
    """Expanded, with the functions of t that are sums of exponentials written as such."""
    waves = expression.replace(
        lambda e: isinstance(e, WAVES) and e.has(t), lambda e: e.rewrite(sp.exp)
    )
    return sp.expand(waves)


def terms(expression: Expr, t: Expr) -> list[Term] | None:
    """The terms of a sum of such products, or None if it is no such sum."""
    found = []
    for term in sp.Add.make_args(as_exponentials(expression, t)):
        size, rest = term.as_independent(t, as_Add=False)
        power = exponent = sp.S.Zero
        for factor in sp.Mul.make_args(rest):
            base, raised = factor.as_base_exp()
            if base == t and not raised.has(t):
                power += raised
            elif factor != 1 and not base.has(t) and raised.is_polynomial(t):
                exponent += raised * sp.log(base)
            elif factor != 1:
                return None
        whole = power.is_Integer and power >= 0
        if sp.degree(exponent, t) > 2 or (exponent.has(t) and not whole):
            return None
        c, b, a = (exponent.expand().coeff(t, k) for k in range(3))
        found.append(Term(size, power, sp.simplify(a), sp.simplify(b), c))
    return found


def integral(expression: Expr, t: Expr, low: Expr, high: Expr) -> Expr | None:
    """From low to high, which may be infinite; None where there is none of this form."""
    found = terms(expression, t)
    if found is None:
        return None
    ends = [(_at_end(term, t, high), _at_end(term, t, low)) for term in found]
    if any(value is None for pair in ends for value in pair):
        return None
    return without_i(sp.Add(*(top for top, _ in ends)) - sp.Add(*(low for _, low in ends)))


def without_i(expression: Expr) -> Expr:
    """Imaginary exponentials written as waves, expanded."""
    if not expression.has(sp.I):
        return expression
    return sp.expand(
        expression.replace(
            lambda e: isinstance(e, sp.exp) and e.has(sp.I),
            lambda e: _wave(sp.expand(e.args[0]).as_real_imag()),
        )
    )


def _wave(exponent: tuple[Expr, Expr]) -> Expr:
    real, angle = exponent
    return sp.exp(real) * (sp.cos(angle) + sp.I * sp.sin(angle))


def _at_end(term: Term, t: Expr, end: Expr) -> Expr | None:
    """An antiderivative at a limit of the integral."""
    if end.is_finite is False:
        return _at_infinity(term, 1 if end == sp.oo else -1)
    if term.a == 0:
        return None if (term.power + 1).is_zero is None else _linear(term, t).subs(t, end)
    if term.a.is_zero is None:
        return None
    return (term.size * _quadratic(term, t, term.power)).subs(t, end)


def _linear(term: Term, t: Expr) -> Expr:
    n, b, size = term.power, term.b, term.size * sp.exp(term.c)
    flat = size * (sp.log(sp.Abs(t)) if n == -1 else t ** (n + 1) / (n + 1))
    if b == 0:
        return flat
    steep = (
        size
        * sp.exp(b * t)
        * sum((-1) ** k * sp.ff(n, k) * t ** (n - k) / b ** (k + 1) for k in range(n + 1))
    )
    return steep if b.is_zero is False else sp.Piecewise((steep, sp.Ne(b, 0)), (flat, True))


def _quadratic(term: Term, t: Expr, power: int) -> Expr:
    """Of ``t**power * exp(...)``, by parts down to the error function."""
    a, b, c = term.a, term.b, term.c
    if power < 0:
        return sp.S.Zero
    if power == 0:
        root = sp.sqrt(-a)
        factor = sp.exp(c - b**2 / (4 * a)) * sp.sqrt(sp.pi) / (2 * root)
        return factor * sp.erf(root * t - b / (2 * root))
    edge = t ** (power - 1) * sp.exp(a * t**2 + b * t + c)
    lower = (power - 1) * _quadratic(term, t, power - 2) + b * _quadratic(term, t, power - 1)
    return (edge - lower) / (2 * a)


def _at_infinity(term: Term, side: int) -> Expr | None:
    if term.a == 0:
        return sp.S.Zero if (side * sp.re(term.b)).is_negative else None
    if not term.a.is_negative:
        return None
    return term.size * side * _full(term, term.power)


def _full(term: Term, power: int) -> Expr:
    """Half the integral over all t; the other half is the same."""
    a, b, c = term.a, term.b, term.c
    if power < 0:
        return sp.S.Zero
    if power == 0:
        return sp.exp(c - b**2 / (4 * a)) * sp.sqrt(sp.pi) / (2 * sp.sqrt(-a))
    return -((power - 1) * _full(term, power - 2) + b * _full(term, power - 1)) / (2 * a)
