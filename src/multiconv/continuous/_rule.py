"""The quadrature rule on one panel: 21-point Gauss-Legendre, and two ways to see its error.

Null rules (J. Berntsen and T. O. Espelid, *Error estimation in automatic quadrature routines*, ACM
TOMS 17, 1991) give the size of the highest polynomial parts of the integrand. Eight of them do not
all vanish by accident, as the difference of two rules does when a kink lies in the right place. The
values at the panel's ends show what lies beyond the outermost nodes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from multiconv._typing import Array

Floats = NDArray[np.float64]

EPS = float(np.finfo(float).eps)
COUNT = 21
NODES, WEIGHTS = np.polynomial.legendre.leggauss(COUNT)
GAP = float(1 - NODES[-1])
"""Distance of the outermost nodes from the ends, where the rule sees nothing."""
MEETING = 0.4811252243246881
"""Where an interval is cut in two: at no round number, where functions tend to have holes."""

SMOOTH = 0.5
"""Ratio of successive polynomial parts below which an integrand counts as smooth."""
CAUTION = 4.0
"""Factor on the estimated error."""


def _null_rules(count: int) -> NDArray[np.float64]:
    """Rules that are zero for all polynomials of a degree below 20, 19, ...; of equal strength."""
    root = np.sqrt(WEIGHTS)[:, None]
    basis, _ = np.linalg.qr(root * np.polynomial.legendre.legvander(NODES, COUNT - 1))
    rules: Floats = root * basis[:, COUNT - count :]
    return rules


def _lagrange_at_end() -> Floats:
    """Values at 1 of the Lagrange polynomials on the nodes."""
    differences = NODES[:, None] - NODES
    np.fill_diagonal(differences, 1)
    numerators = np.tile(1 - NODES, (COUNT, 1))
    np.fill_diagonal(numerators, 1)
    values: Floats = np.prod(numerators / differences, axis=1)
    return values


NULL_RULES = _null_rules(8)
HIGH_END = _lagrange_at_end()
LOW_END = HIGH_END[::-1].copy()


def with_ends(low: Floats, high: Floats) -> Floats:
    """The nodes of intervals, with the intervals' ends before and after them: shape (p, 23)."""
    half = 0.5 * (high - low)
    inner = low[:, None] + half[:, None] * (1 + NODES)
    return np.concatenate([low[:, None], inner, high[:, None]], axis=1)


def weighted_sum(values: Array, weights: Floats) -> Array:
    """Sum over the last axis; the same bits for a row whatever else is in the batch."""
    result: Array = np.einsum("pk,k->p", values, weights)
    return result


def rule_error(values: Array) -> Floats:
    """Estimate the error of the rule from the values at the nodes: (p, 21) to (p,).

    The parts of degree 13 to 20 are taken in pairs, for odd and even integrands. Where they fall
    off, the integrand is smooth and the rule, exact to degree 41, does much better than they say.
    """
    parts = np.abs(np.einsum("pk,kj->pj", values, NULL_RULES))
    pairs = np.hypot(parts[:, 0::2], parts[:, 1::2])
    before, after = pairs[:, :-1], pairs[:, 1:]
    ratios = np.divide(after, before, out=np.ones_like(after), where=after < before)
    ratio = np.where(after > 0, ratios, 0).max(axis=1)
    fall = ratio * np.minimum(ratio / SMOOTH, 1) ** 4
    errors: Floats = CAUTION * fall * pairs.max(axis=1)
    return errors


def end_misfit(values: Array) -> Floats:
    """How far values at both ends are from the polynomial through the nodes: (p, 23) to (p, 2).

    A jump or kink between an end and its next node shows here and nowhere else.
    """
    inner = values[:, 1:-1]
    fit = np.stack([weighted_sum(inner, LOW_END), weighted_sum(inner, HIGH_END)], axis=1)
    misfit: Floats = np.abs(values[:, [0, -1]] - fit)
    return misfit
