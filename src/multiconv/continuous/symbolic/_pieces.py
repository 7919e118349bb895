"""An expression as smooth pieces on intervals, and impulses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

import sympy as sp

Expr = Any
"""A SymPy expression."""

STEPS = (sp.Heaviside, sp.Abs, sp.sign)
ROUGH = (sp.floor, sp.ceiling, sp.frac, sp.Mod)


@dataclass(frozen=True)
class Piece:
    """A smooth expression between two points, zero elsewhere."""

    value: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class Impulse:
    """``size`` times the derivative of that order of the Dirac delta at a point."""

    size: Expr
    at: Expr
    order: int


@dataclass(frozen=True)
class Parts:
    """A function, apart from its values at single points."""

    pieces: list[Piece]
    impulses: list[Impulse]


def parts(expression: Expr, t: Expr, name: str) -> Parts:
    """Take an expression in t apart.

    Raises
    ------
    ValueError
        If it is not piecewise smooth with breakpoints that can be found and put in order.
    """
    expression = expression.doit().replace(sp.sinc, lambda u: sp.sin(u) / u)
    expression = expression.replace(sp.SingularityFunction, _singularity)
    expression = expression.replace(
        lambda e: isinstance(e, (sp.Max, sp.Min)), lambda e: e.rewrite(sp.Piecewise)
    )
    if expression.has(*ROUGH):
        raise ValueError(f"{name}: {expression} is not smooth between finitely many breakpoints")
    if not expression.has(sp.DiracDelta):
        return Parts(_pieces(expression, t, name), [])
    smooth, impulses = sp.S.Zero, []
    for term in sp.Add.make_args(sp.expand(expression.expand(diracdelta=True, wrt=t))):
        if term.has(sp.DiracDelta):
            impulses += _impulses(term, t, name)
        else:
            smooth += term
    return Parts(_pieces(smooth, t, name), impulses)


def ordered(points: set[Expr], name: str) -> list[Expr]:
    """Points from left to right."""

    def compare(a: Expr, b: Expr) -> int:
        if sp.oo in (a, b) or -sp.oo in (a, b):
            return 0 if a == b else -1 if a == -sp.oo or b == sp.oo else 1
        return sign_of(a - b, name)

    found: list[Expr] = []
    for point in sorted(points, key=cmp_to_key(compare)):
        if not found or compare(point, found[-1]):
            found.append(point)
    return found


def sign_of(value: Expr, name: str) -> int:
    """-1, 0 or 1, for whatever the symbols may be."""
    for candidate in (value, sp.simplify(value)):
        if candidate is sp.nan or candidate.is_zero:  # the same infinity
            return 0
        if candidate.is_extended_positive:
            return 1
        if candidate.is_extended_negative:
            return -1
    raise ValueError(
        f"{name}: whether {value} is positive cannot be told; give its symbols assumptions, as in "
        "Symbol('a', positive=True)"
    )


def _singularity(variable: Expr, at: Expr, power: Expr) -> Expr:
    if power.is_negative:
        return sp.DiracDelta(variable - at, -power - 1)
    return (variable - at) ** power * sp.Heaviside(variable - at)


def _pieces(expression: Expr, t: Expr, name: str) -> list[Piece]:
    corners = [-sp.oo, *ordered(_breakpoints(expression, t, name), name), sp.oo]
    found = []
    for low, high in pairwise(corners):
        value = _settled(expression, t, _inside(low, high), name)
        if value.has(sp.nan, sp.zoo, sp.oo):
            raise ValueError(f"{name}: it is {value} between {low} and {high}")
        if value != 0:
            found.append(Piece(value, low, high))
    return found


def _breakpoints(expression: Expr, t: Expr, name: str) -> set[Expr]:
    switches = {step.args[0] for step in expression.atoms(*STEPS)}
    for chosen in expression.atoms(sp.Piecewise):
        for _, condition in chosen.args:
            for relation in condition.atoms(sp.core.relational.Relational):
                switches.add(relation.lhs - relation.rhs)
    return {root for switch in switches for root in _real_roots(switch, t, name)}


def _real_roots(switch: Expr, t: Expr, name: str) -> list[Expr]:
    if not switch.has(t):
        return []
    if switch.is_polynomial(t) and sp.degree(switch, t) == 1:
        flat = sp.expand(switch)
        return [sp.simplify(-flat.coeff(t, 0) / flat.coeff(t, 1))]
    roots = sp.solveset(switch, t, sp.S.Reals)
    if roots is sp.S.EmptySet:
        return []
    if isinstance(roots, sp.FiniteSet):
        return list(roots)
    raise ValueError(f"{name}: the points where {switch} changes sign cannot be found")


def _inside(low: Expr, high: Expr) -> Expr:
    if low.is_finite is False:
        return sp.S.Zero if high.is_finite is False else high - 1
    return low + 1 if high.is_finite is False else (low + high) / 2


def _settled(expression: Expr, t: Expr, at: Expr, name: str) -> Expr:
    """The smooth expression that it is around a point."""

    def sign(u: Expr) -> Expr:
        return sp.Integer(sign_of(u.subs(t, at), name))

    def chosen(*branches: Any) -> Expr:
        for value, condition in branches:
            holds = sp.simplify(condition.subs(t, at))
            if holds == sp.true:
                return value
            if holds != sp.false:
                raise ValueError(f"{name}: whether {condition} holds at {at} cannot be told")
        return sp.nan

    settled = expression.replace(sp.Heaviside, lambda u, *_: (sign(u) + 1) / 2)
    settled = settled.replace(sp.sign, sign).replace(sp.Abs, lambda u: sign(u) * u)
    return settled.replace(sp.Piecewise, chosen)


def _impulses(term: Expr, t: Expr, name: str) -> list[Impulse]:
    deltas = [factor for factor in sp.Mul.make_args(term) if isinstance(factor, sp.DiracDelta)]
    factor = sp.Mul(*(f for f in sp.Mul.make_args(term) if not isinstance(f, sp.DiracDelta)))
    if len(deltas) != 1 or factor.has(sp.DiracDelta):
        raise ValueError(f"{name}: {term} is not a function times one DiracDelta")
    inner = deltas[0].args[0].expand()
    order = int(deltas[0].args[1]) if len(deltas[0].args) > 1 else 0
    slope = inner.coeff(t, 1)
    if not inner.is_polynomial(t) or sp.degree(inner, t) != 1:
        raise ValueError(f"{name}: the point of {deltas[0]} cannot be found")
    at = sp.simplify(-inner.coeff(t, 0) / slope)
    size = 1 / (sign_of(slope, name) * slope * slope**order)
    value = _smooth_at(factor, t, at, name)
    return [
        Impulse(
            size * (-1) ** j * sp.binomial(order, j) * sp.diff(value, t, j).subs(t, at),
            at,
            order - j,
        )
        for j in range(order + 1)
    ]


def _smooth_at(factor: Expr, t: Expr, at: Expr, name: str) -> Expr:
    """The smooth expression that a factor of an impulse is around it."""
    if any(sign_of(point - at, name) == 0 for point in _breakpoints(factor, t, name)):
        raise ValueError(f"{name}: {factor} has a breakpoint at {at}, where a DiracDelta needs it")
    return _settled(factor, t, at, name)
