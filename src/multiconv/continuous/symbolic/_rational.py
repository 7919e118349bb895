"""Definite integrals of rational functions, and of waves times rational functions."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from multiconv.continuous.symbolic._exponential import WAVES, as_exponentials, without_i
from multiconv.continuous.symbolic._pieces import Expr

Poles = dict[Expr, int]
"""Poles with their orders."""


def poles(value: Expr, t: Expr) -> Poles | None:
    """The poles of an expression of t, or None if they cannot all be found."""
    plain = value.replace(
        lambda e: isinstance(e, (*WAVES, sp.exp)) and e.has(t), lambda e: sp.Dummy()
    )
    below = sp.fraction(sp.together(plain))[1]
    if not below.is_polynomial(t):
        return None
    found = sp.roots(sp.Poly(below, t))
    return dict(found) if sum(found.values()) == sp.degree(below, t) else None


def waves(expression: Expr, t: Expr) -> dict[Expr, Expr] | None:
    """The rational functions R of a sum of ``R(t) * exp(i * w * t)``, by frequency w."""
    found: dict[Expr, Expr] = {}
    for factor, term in _waving_terms(expression, t):
        size, rest = term.as_independent(t, as_Add=False)
        exponent, rational = sp.S.Zero, size * factor
        for part in sp.Mul.make_args(rest):
            if isinstance(part, sp.exp):
                exponent += part.args[0].expand()
            else:
                rational *= part
        frequency = sp.simplify(exponent.coeff(t, 1) / sp.I)
        constant = sp.expand(exponent - sp.I * frequency * t)
        if constant.has(t) or not rational.is_rational_function(t) or not frequency.is_real:
            return None
        found[frequency] = found.get(frequency, 0) + rational * sp.exp(constant)
    return found


def _waving_terms(expression: Expr, t: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Pairs of factors whose products add up to it; fractions are left as they are."""
    for product in sp.Add.make_args(expression):
        factors = sp.Mul.make_args(product)
        rational = sp.Mul(*(f for f in factors if f.is_rational_function(t)))
        others = sp.Mul(*(f for f in factors if not f.is_rational_function(t)))
        for term in sp.Add.make_args(as_exponentials(others, t)):
            yield rational, term


def over_the_line(by_frequency: dict[Expr, Expr], t: Expr, where: Poles) -> Expr | None:
    """By residues, the path moved to just below the real axis.

    Real poles, which cancel in the sum, then count as above it. Each wave is closed on the side
    where it decays.
    """
    total = sp.S.Zero
    for frequency, value in by_frequency.items():
        numerator, monic = _over_monic(value, t, where)
        room = sum(where.values()) - sp.degree(numerator, t)
        if room < (1 if frequency.is_nonzero else 2) or frequency.is_zero is None:
            return None
        downwards = bool(frequency.is_negative)
        for pole in where:
            height = sp.im(pole)
            if height.is_nonnegative is None:
                return None
            if height.is_nonnegative != downwards:
                residue = _expansion(numerator * sp.exp(sp.I * frequency * t), monic, t, pole)[1]
                total += (-1 if downwards else 1) * 2 * sp.pi * sp.I * residue
    plain = sp.simplify(without_i(sp.expand(total)))
    return _real_and_imaginary(plain)[0] if plain.has(sp.I) else plain


def over_an_interval(value: Expr, t: Expr, where: Poles, low: Expr, high: Expr) -> Expr | None:
    """By partial fractions, of a rational function that is real."""
    numerator, monic = _over_monic(value, t, where)
    quotient, rest = sp.div(sp.Poly(numerator, t), sp.Poly(_product(monic, t), t))
    logs: list[tuple[Expr, Expr]] = []
    smooth = sp.integrate(quotient.as_expr(), t)
    for pole in where:
        real, height = (sp.simplify(part) for part in pole.as_real_imag())
        if height.is_nonnegative is None:
            return None
        if height.is_negative:
            continue
        share = 1 if height == 0 else 2
        for order, size in _expansion(rest.as_expr(), monic, t, pole).items():
            if order > 1:
                lower = size * (t - pole) ** (1 - order) / (1 - order)
                smooth += share * _real_and_imaginary(lower)[0]
            else:
                real_size, other = _real_and_imaginary(size)
                logs.append((share * real_size / 2, (t - real) ** 2 + height**2))
                smooth -= 0 if height == 0 else 2 * other * sp.atan((t - real) / height)
    at_high, at_low = (_at_end(smooth, logs, t, end) for end in (high, low))
    return None if at_high is None or at_low is None else at_high - at_low


def _at_end(smooth: Expr, logs: list[tuple[Expr, Expr]], t: Expr, end: Expr) -> Expr | None:
    if end.is_finite is not False:
        return smooth.subs(t, end) + sum(size * sp.log(of.subs(t, end)) for size, of in logs)
    if sp.simplify(sum(size for size, _ in logs)) != 0:
        return None
    sides = smooth.replace(sp.atan, lambda u: sp.pi / 2 * sp.sign(u.coeff(t, 1)) * sp.sign(end))
    value = sp.limit(sides, t, end)
    return value if value.is_finite else None


def _over_monic(value: Expr, t: Expr, where: Poles) -> tuple[Expr, Poles]:
    """A numerator, over the product of the poles' ``(t - pole)**order``."""
    top, below = sp.fraction(sp.together(value))
    lead = sp.Poly(below, t).LC()
    missing = sp.quo(sp.Poly(_product(where, t), t), sp.Poly(below / lead, t), extension=True)
    return sp.expand(sp.simplify(top / lead) * missing.as_expr()), where


def _product(where: Poles, t: Expr) -> Expr:
    return sp.expand(sp.Mul(*((t - pole) ** order for pole, order in where.items())))


def _expansion(numerator: Expr, where: Poles, t: Expr, pole: Expr) -> dict[int, Expr]:
    """The sizes of ``(t - pole)**-order`` around a pole, by order."""
    order = where[pole]
    others = sp.Mul(*((t - other) ** n for other, n in where.items() if other != pole))
    regular, found = numerator / others, {}
    for k in range(order):
        found[order - k] = sp.simplify(sp.diff(regular, t, k).subs(t, pole) / sp.factorial(k))
    return found


def _real_and_imaginary(value: Expr) -> tuple[Expr, Expr]:
    top, below = sp.fraction(sp.together(value))
    turned = sp.conjugate(below)
    size = sp.expand(below * turned)
    return tuple(sp.cancel(part / size) for part in sp.expand(top * turned).as_real_imag())
