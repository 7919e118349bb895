"""Convolution of sequences that are given by formulas."""

from __future__ import annotations

import random
from functools import partial
from itertools import pairwise
from typing import Any

import sympy as sp

from multiconv.continuous.symbolic._deadline import within
from multiconv.continuous.symbolic._numbers import AGREE, SECONDS, random_value
from multiconv.continuous.symbolic._pieces import Expr, ordered

NAME = "support_f and support_g"
Support = tuple[Expr, Expr]
POINTS = 3


def convolved(f: Any, g: Any, symbol: Any, support_f: Any, support_g: Any, limit: float) -> Expr:
    """See `multiconv.continuous.symbolic.discrete`."""
    n, k = sp.Dummy("n", integer=True), sp.Dummy("k", integer=True)
    of_f, of_g = _support(support_f, "support_f"), _support(support_g, "support_g")
    product = sp.sympify(f).subs(symbol, k) * sp.sympify(g).subs(symbol, n - k)
    branches: list[tuple[Expr, Any]] = []
    for first, last, span in _ranges(of_f, of_g, n):
        value = _value_of(product, k, n, span, first, last, limit)
        if first != -sp.oo and not branches:
            branches.append((sp.S.Zero, n < first))
        branches.append((value, n <= last if last != sp.oo else True))
    if branches[-1][1] is not True:
        branches.append((sp.S.Zero, True))
    result = sp.Piecewise(*branches)
    taken = {str(s) for s in result.free_symbols} | {str(symbol)}
    letter = next(name for name in ("k", "j", "m", "_k") if name not in taken)
    return result.xreplace({n: symbol, k: sp.Symbol(letter, integer=True)})


def _support(value: Any, name: str) -> Support:
    message = (
        f"{name}: {value!r} is not allowed, give a (first, last) pair of integers or infinities"
    )
    try:
        first, last = (0, sp.oo) if value is None else value
        ends = sp.sympify(first), sp.sympify(last)
    except (TypeError, ValueError, sp.SympifyError):
        raise ValueError(message) from None
    whole = all(end.is_integer or end.is_infinite for end in ends)
    if not whole or ends[0] == sp.oo or ends[1] == -sp.oo or _surely(ends[1] < ends[0]):
        raise ValueError(f"{message}, first <= last")
    return ends


def _ranges(f: Support, g: Support, n: Expr) -> list[tuple[Expr, Expr, Support]]:
    """First and last n, and the k that take part there."""
    (a, b), (c, d) = f, g
    corners = ordered({p + q for p in f for q in g} - {sp.nan}, NAME)
    spans = []
    for first, last in pairwise(corners):
        low = a if d == sp.oo or _surely(last - d <= a) else n - d
        high = b if c == -sp.oo or _surely(first - c >= b) else n - c
        spans.append((first, last, (low, high)))
    if len(corners) == 1:
        spans.append((corners[0], corners[0], (a, b)))
    return spans


def _value_of(
    product: Expr, k: Expr, n: Expr, span: Support, first: Expr, last: Expr, limit: float
) -> Expr:
    for rule in (_geometric, _binomial, _by_sympy):
        value = within(limit, partial(rule, product, k, n, *span))
        if value is None or value.has(sp.Sum, sp.nan, sp.oo, sp.zoo):
            continue
        short = within(limit, partial(sp.simplify, value))
        for form in (short, value):
            if form is not None and _agrees(form, product, k, n, span, (first, last)):
                return form
    return sp.Sum(product, (k, *span))


def _geometric(product: Expr, k: Expr, n: Expr, low: Expr, high: Expr) -> Expr:
    """Powers of k times powers with k in the exponent, by derivatives of geometric sums."""
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(product, power_exp=False, power_base=False)):
        size, rest = term.as_independent(k, as_Add=False)
        power, ratio = 0, sp.S.One
        for factor in sp.Mul.make_args(rest):
            base, raised = factor.as_base_exp()
            raised = raised.expand()
            if base == k and raised.is_Integer and raised > 0:
                power += int(raised)
            elif factor != 1 and not base.has(k) and raised.is_polynomial(k):
                if sp.degree(raised, k) > 1:
                    return None
                ratio *= base ** raised.coeff(k, 1)
                size *= base ** raised.coeff(k, 0)
            elif factor != 1:
                return None
        part = _power_sum(k, power, sp.simplify(ratio), low, high)
        if part is None:
            return None
        total += size * part
    return total


def _power_sum(k: Expr, power: int, ratio: Expr, low: Expr, high: Expr) -> Expr:
    """Sum of ``k**power * ratio**k``."""
    infinite = low == -sp.oo, high == sp.oo
    flat = None if any(infinite) else sp.summation(k**power, (k, low, high))
    if sp.simplify(ratio - 1) == 0:
        return flat
    grows, shrinks = _surely(abs(ratio) > 1), _surely(abs(ratio) < 1)
    if (infinite[0] and not grows) or (infinite[1] and not shrinks):
        return None
    q = sp.Dummy("q", positive=True)
    start, end = (0 if infinite[0] else q**low), (0 if infinite[1] else q ** (high + 1))
    steep = (start - end) / (1 - q)
    for _ in range(power):
        steep = q * sp.diff(steep, q)
    steep = steep.subs(q, ratio)
    equal = sp.Eq(ratio, 1)
    return (
        steep if equal == sp.false or flat is None else sp.Piecewise((steep, ~equal), (flat, True))
    )


def _binomial(product: Expr, k: Expr, n: Expr, low: Expr, high: Expr) -> Expr:
    """``p**k q**(n - k) / (k! (n - k)!)`` over all k: the binomial theorem."""
    if (low, high) != (0, n):
        return None
    rest = sp.simplify(product * sp.factorial(k) * sp.factorial(n - k))
    step = sp.simplify(rest.subs(k, k + 1) / rest)
    if rest.has(sp.factorial) or step.has(k):
        return None
    return sp.simplify(rest.subs(k, 0)) * (1 + step) ** n / sp.factorial(n)


def _by_sympy(product: Expr, k: Expr, n: Expr, low: Expr, high: Expr) -> Expr:
    return sp.summation(product, (k, low, high))


def _agrees(form: Expr, product: Expr, k: Expr, n: Expr, span: Support, range_: Support) -> bool:
    """Compare with the sum itself, at random indices and parameters."""
    chance = random.Random(7)
    symbols = sorted((product.free_symbols | form.free_symbols) - {k, n}, key=str)
    for _ in range(POINTS):
        values = {symbol: random_value(symbol, chance) for symbol in symbols}
        first, last = (end.subs(values) for end in range_)
        values[n] = _index(first, last, chance)
        pair = within(SECONDS, partial(_both, form, product, k, span, values))
        if pair is None or abs(pair[0] - pair[1]) > AGREE * max(abs(pair[1]), 1e-12):
            return False
    return True


def _index(first: Expr, last: Expr, chance: random.Random) -> int:
    start = int(first) if first.is_finite else (int(last) - 9 if last.is_finite else -4)
    end = int(last) if last.is_finite else start + 9
    return chance.randint(start, max(end, start))


def _both(
    form: Expr, product: Expr, k: Expr, span: Support, values: dict[Expr, Any]
) -> tuple[complex, complex]:
    low, high = (end.subs(values) for end in span)
    terms = product.subs(values)
    if low.is_finite and high.is_finite:
        true = sum(complex(sp.N(terms.subs(k, j), 20)) for j in range(int(low), int(high) + 1))
    else:
        true = complex(sp.N(sp.Sum(terms, (k, low, high)), 20))
    return complex(sp.N(form.subs(values), 20)), true


def _surely(relation: Any) -> bool:
    """Whether a relation of expressions is known to hold."""
    return bool(relation == sp.true)
