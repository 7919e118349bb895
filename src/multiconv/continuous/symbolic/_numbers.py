"""Numbers for integrals and for the formulas that claim to be them."""

from __future__ import annotations

import random
from typing import Any

import mpmath
import sympy as sp

from multiconv.continuous.symbolic._deadline import within
from multiconv.continuous.symbolic._pieces import Expr
from multiconv.continuous.symbolic._rational import waves

DIGITS = 20
AGREE = 1e-9
"""Relative difference, of formula and quadrature, that counts as agreement."""
POINTS = 3
FAR = -40.193, 41.371
"""Where tails begin; at no round number, where quotients may have holes."""
SECONDS = 10.0
"""For the quadratures at one point."""


def samples(low: Expr, high: Expr, x: Expr, symbols: set[Expr]) -> list[dict[Expr, Expr]]:
    """Random values, always the same ones, for x between two points and for other symbols."""
    chance = random.Random(12)
    symbols = (symbols | low.free_symbols | high.free_symbols) - {x}
    chosen = []
    for _ in range(POINTS):
        values = {symbol: random_value(symbol, chance) for symbol in sorted(symbols, key=str)}
        start, end = (sp.N(point.subs(values), DIGITS) for point in (low, high))
        share = sp.Rational(round(1000 * chance.uniform(0.05, 0.95)), 1000)
        values[x] = _short(_along(start, end, share))
        chosen.append(values)
    return chosen


def _along(start: Expr, end: Expr, share: Expr) -> Expr:
    if start.is_finite is False:
        return 6 * share - 3 if end.is_finite is False else end - 4 * share
    return start + share * (4 if end.is_finite is False else end - start)


def _short(value: Expr) -> Expr:
    """A number that is exact in any arithmetic, so that differences from it are."""
    return sp.Rational(round(value * 2**30), 2**30)


def random_value(symbol: Expr, chance: random.Random) -> Expr:
    """A number that the symbol's assumptions allow."""
    size = sp.Rational(round(1000 * chance.uniform(0.4, 1.9)), 1000)
    if symbol.is_integer:
        size = sp.Integer(chance.randint(1, 4))
    return -size if symbol.is_negative else size


def agrees(formula: Expr, true: Any, size: float, values: dict[Expr, Expr]) -> bool:
    """Whether a formula has the value at a point, up to rounding of that size."""
    number = within(SECONDS, lambda: complex(sp.N(formula.subs(values), DIGITS)))
    return number is not None and bool(abs(number - complex(true)) <= AGREE * size)


def quadrature(product: Expr, t: Expr, low: Expr, high: Expr, values: dict[Expr, Expr]) -> Any:
    """The integral of a product at a point, or None if it is not known well enough."""
    integrand = product.subs(values)
    ends = [sp.N(end.subs(values), DIGITS) for end in (low, high)]
    found = within(SECONDS, lambda: _integral(integrand, t, *(_number(end) for end in ends)))
    if found is None or found[1] > AGREE / 10 * max(abs(found[0]), 1e-300):
        return None
    return found[0]


def _number(end: Expr) -> Any:
    return mpmath.inf * int(sp.sign(end)) if end.is_finite is False else mpmath.mpf(end)


def _integral(integrand: Expr, t: Expr, low: Any, high: Any) -> tuple[Any, Any]:
    with mpmath.workdps(DIGITS):
        infinite = mpmath.isinf(low) or mpmath.isinf(high)
        by_frequency = waves(integrand, t) if infinite and integrand.has(sp.sin, sp.cos) else None
        if by_frequency:
            return _waving(integrand, by_frequency, t, low, high)
        call = sp.lambdify(t, integrand, "mpmath")
        corners = [c for c in (-30, -5, 0.1237, 5, 30) if low < c < high] if infinite else []
        value, error = mpmath.quad(call, [low, *corners, high], error=True)
        return value, error


def _waving(
    integrand: Expr, by_frequency: dict[Expr, Expr], t: Expr, low: Any, high: Any
) -> tuple[Any, Any]:
    """Tails of waves along rays into the complex plane, where they die out."""
    call = sp.lambdify(t, integrand, "mpmath")
    start, end = max(low, FAR[0]), min(high, FAR[1])
    corners = mpmath.linspace(start, end, 40)
    total, error = mpmath.quad(call, corners, error=True, method="gauss-legendre")
    for side, near, reached in ((1, end, end < high), (-1, start, low < start)):
        for frequency, value in by_frequency.items() if reached else ():
            tail = _tail(sp.lambdify(t, value, "mpmath"), mpmath.mpf(frequency), near, side)
            total, error = total + tail[0], error + tail[1]
    return total, error


def _tail(call: Any, frequency: Any, start: Any, side: int) -> tuple[Any, Any]:
    if frequency == 0:
        value, error = mpmath.quad(
            lambda s: call(start + side * s), [0, 40, mpmath.inf], error=True
        )
        return value, error
    turn = mpmath.mpc(0, 1) * mpmath.sign(frequency)

    def along(s: Any) -> Any:
        point = start + turn * s
        return side * turn * call(point) * mpmath.exp(mpmath.mpc(0, 1) * frequency * point)

    value, error = mpmath.quad(along, [0, 10, mpmath.inf], error=True)
    return value, error
