"""Convolution of expressions: pieces and impulses of one with those of the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy as sp

from multiconv.continuous.symbolic import _numbers
from multiconv.continuous.symbolic._deadline import within
from multiconv.continuous.symbolic._integral import closed_form
from multiconv.continuous.symbolic._pieces import (
    Expr,
    Impulse,
    Parts,
    Piece,
    ordered,
    parts,
    sign_of,
)

TIDYING = 5.0
"""Seconds for making a formula shorter."""


@dataclass(frozen=True)
class _Share:
    """What two pieces make of x between two points: the integral of f(t) g(x - t) over a span."""

    low: Expr
    high: Expr
    f: Expr
    g: Expr
    span: tuple[Expr, Expr]


@dataclass(frozen=True)
class _Problem:
    """The symbols, and seconds for each integral."""

    t: Expr
    x: Expr
    limit: float

    def product(self, share: _Share) -> Expr:
        return share.f * share.g.subs(self.t, self.x - self.t)


def convolved(f: Any, g: Any, symbol: Any, limit: float) -> Expr:
    """See `multiconv.continuous.symbolic.convolve`."""
    real = _real_symbols(sp.sympify(f) + sp.sympify(g), symbol)
    problem = _Problem(sp.Symbol(symbol.name, real=True), sp.Dummy("x", real=True), limit)
    of_f, of_g = (
        parts(sp.sympify(value).xreplace({symbol: problem.t, **real}), problem.t, name)
        for value, name in ((f, "f"), (g, "g"))
    )
    shares = [share for a in of_f.pieces for b in of_g.pieces for share in _shares(a, b, problem)]
    moved = _moved(of_f, of_g, problem)
    spans: list[_Share | Piece] = [*shares, *moved.pieces]
    points = {point for part in spans for point in (part.low, part.high)}
    corners = ordered(points | {-sp.oo, sp.oo}, "f and g")
    branches = [
        (high, _cell(low, high, shares, moved.pieces, problem)) for low, high in pairwise(corners)
    ]
    impulses = sp.Add(*(i.size * _delta(problem.x - i.at, i.order) for i in moved.impulses))
    result = _joined(branches, problem.x) + impulses
    letter = _unused(result, symbol)
    back = {stand_in: given for given, stand_in in real.items()}
    return result.xreplace({problem.t: sp.Symbol(letter, real=True)}).xreplace(
        {problem.x: symbol, **back}
    )


def _real_symbols(expression: Expr, variable: Expr) -> dict[Expr, Expr]:
    """Real symbols for parameters that nothing is said about."""
    unknown = {s for s in expression.free_symbols - {variable} if s.is_real is None}
    return {s: sp.Symbol(s.name, real=True) for s in unknown}


def _unused(expression: Expr, variable: Expr) -> str:
    """A letter for the variable of integration."""
    taken = {str(symbol) for symbol in expression.free_symbols | {variable}}
    return next(name for name in ("t", "u", "v", "tau", "t_") if name not in taken)


def _shares(a: Piece, b: Piece, problem: _Problem) -> list[_Share]:
    """The overlap of [a.low, a.high] with [x - b.high, x - b.low], between its breakpoints."""
    x, name = problem.x, "f and g"
    sums = {_sum(p, q) for p in (a.low, a.high) for q in (b.low, b.high)} - {sp.nan}
    corners = ordered(sums, name)
    found = []
    for low, high in pairwise(corners):
        middle = _between(low, high)
        start = a.low if _less(x - b.high, a.low, x, middle) else x - b.high
        end = a.high if _less(a.high, x - b.low, x, middle) else x - b.low
        found.append(_Share(low, high, a.value, b.value, (start, end)))
    return found


def _sum(p: Expr, q: Expr) -> Expr:
    infinite = [end for end in (p, q) if end.is_finite is False]
    return sp.simplify(p + q) if len(infinite) != 1 else infinite[0]


def _between(low: Expr, high: Expr) -> Expr:
    if low.is_finite is False:
        return sp.S.Zero if high.is_finite is False else high - 1
    return low + 1 if high.is_finite is False else (low + high) / 2


def _less(p: Expr, q: Expr, x: Expr, middle: Expr) -> bool:
    """Whether p is left of q where x is in the middle."""
    if p == -sp.oo or q == sp.oo:
        return True
    if q == -sp.oo or p == sp.oo:
        return False
    return sign_of((q - p).subs(x, middle), "f and g") > 0


def _moved(f: Parts, g: Parts, problem: _Problem) -> Parts:
    """Everything that impulses make: they move, weigh and differentiate the other function."""
    pieces: list[Piece] = []
    impulses = [
        Impulse(a.size * b.size, a.at + b.at, a.order + b.order)
        for a in f.impulses
        for b in g.impulses
    ]
    for impulse, piece in [(i, p) for i in f.impulses for p in g.pieces] + [
        (i, p) for i in g.impulses for p in f.pieces
    ]:
        more = _differentiated(impulse, piece, problem)
        pieces.append(more[0])
        impulses += more[1]
    return Parts(pieces, _collected(impulses))


def _differentiated(
    impulse: Impulse, piece: Piece, problem: _Problem
) -> tuple[Piece, list[Impulse]]:
    """A derivative has an impulse at each jump."""
    t, at, order = problem.t, impulse.at, impulse.order
    value = impulse.size * sp.diff(piece.value, t, order).subs(t, problem.x - at)
    jumps = []
    for end, side in ((piece.low, 1), (piece.high, -1)):
        for k in range(order if end.is_finite is not False else 0):
            jump = sp.diff(piece.value, t, k).subs(t, end)
            if jump.has(sp.oo, sp.zoo, sp.nan):
                raise ValueError(f"f and g: {piece.value} is infinite at {end}, and differentiated")
            jumps.append(Impulse(impulse.size * side * jump, end + at, order - 1 - k))
    return Piece(value, _sum(piece.low, at), _sum(piece.high, at)), jumps


def _collected(impulses: list[Impulse]) -> list[Impulse]:
    sizes: dict[tuple[Expr, int], Expr] = {}
    for impulse in impulses:
        key = sp.simplify(impulse.at), impulse.order
        sizes[key] = sizes.get(key, 0) + impulse.size
    simple = {key: sp.simplify(size) for key, size in sizes.items()}
    return [Impulse(size, at, order) for (at, order), size in simple.items() if size != 0]


def _cell(
    low: Expr, high: Expr, shares: list[_Share], moved: list[Piece], problem: _Problem
) -> Expr:
    """The formula between two neighbouring breakpoints."""
    middle = _between(low, high)
    here = [s for s in shares if _holds(s, middle)]
    known = sp.Add(*(p.value for p in moved if _holds(p, middle)))
    formulas = [closed_form(s.f, s.g, problem.t, problem.x, s.span, problem.limit) for s in here]
    checks = [_checked(s, e, low, high, problem) for s, e in zip(here, formulas, strict=True)]
    total = known + sp.Add(
        *(e if good else sp.Integral(problem.product(s), (problem.t, *s.span))
          for s, e, good in zip(here, formulas, checks, strict=True))
    )  # fmt: skip
    return _tidy(total, low, high, problem)


def _holds(part: _Share | Piece, middle: Expr) -> bool:
    return sign_of(middle - part.low, "f and g") > 0 and sign_of(part.high - middle, "f and g") > 0


def _checked(share: _Share, formula: Expr, low: Expr, high: Expr, problem: _Problem) -> bool:
    if formula is None:
        return False
    product = problem.product(share)
    symbols = product.free_symbols - {problem.t}
    for values in _numbers.samples(low, high, problem.x, symbols):
        true = _numbers.quadrature(product, problem.t, *share.span, values)
        if true is None or not _numbers.agrees(formula, true, abs(true), values):
            return False
    return True


def _tidy(total: Expr, low: Expr, high: Expr, problem: _Problem) -> Expr:
    """The shortest of a few equal forms, if the numbers say that they are equal."""
    if total.has(sp.Integral):
        return total
    expanded = within(TIDYING, lambda: sp.expand(total))
    polynomial = total.is_polynomial(problem.x)
    simple = None if polynomial else within(TIDYING, lambda: sp.simplify(total))
    points = _numbers.samples(low, high, problem.x, total.free_symbols)
    best = total
    for form in (expanded, simple):
        if form is not None and form.count_ops() < best.count_ops() and _same(form, total, points):
            best = form
    return best


def _same(form: Expr, total: Expr, points: list[dict[Expr, Expr]]) -> bool:
    true = [complex(sp.N(total.subs(values), 20)) for values in points]
    return all(
        _numbers.agrees(form, value, max(abs(value), 1e-30), values)
        for value, values in zip(true, points, strict=True)
    )


def _delta(argument: Expr, order: int) -> Expr:
    return sp.DiracDelta(argument, order) if order else sp.DiracDelta(argument)


def _joined(branches: list[tuple[Expr, Expr]], x: Expr) -> Expr:
    """One Piecewise, neighbours with the same formula taken together."""
    merged: list[tuple[Expr, Expr]] = []
    for high, value in branches:
        if merged and sp.expand(merged[-1][1] - value) == 0:
            merged.pop()
        merged.append((high, value))
    return sp.Piecewise(*((value, x < high if high != sp.oo else True) for high, value in merged))
