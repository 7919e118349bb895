"""The 21-point Gauss-Kronrod rule on [-1, 1], and a look at the ends of the interval.

Constants: R. Piessens et al., *QUADPACK* (Springer, 1983), computed anew to 20 digits from the zeros
of the Legendre and Stieltjes polynomials.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EPS = float(np.finfo(float).eps)


def _mirrored(positive: list[float], sign: int, centre: list[float]) -> Floats:
    return np.array([sign * v for v in reversed(positive)] + centre + positive)


NODES = _mirrored(
    [
        0.14887433898163121088, 0.29439286270146019813, 0.43339539412924719080,
        0.56275713466860468334, 0.67940956829902440623, 0.78081772658641689706,
        0.86506336668898451073, 0.93015749135570822600, 0.97390652851717172008,
        0.99565716302580808074,
    ], -1, [0.0],
)  # fmt: skip
KRONROD = _mirrored(
    [
        0.14773910490133849137, 0.14277593857706008080, 0.13470921731147332593,
        0.12349197626206585108, 0.10938715880229764190, 0.093125454583697605535,
        0.075039674810919952767, 0.054755896574351996031, 0.032558162307964727479,
        0.011694638867371874278,
    ], 1, [0.14944555400291690566],
)  # fmt: skip
GAUSS = _mirrored(
    [
        0.29552422471475287017, 0.26926671930999635509, 0.21908636251598204400,
        0.14945134915058059315, 0.066671344308688137594,
    ], 1, [],
)  # fmt: skip
"""Weights of the 10-point Gauss rule, which uses every other node."""

GAP = float(1 - NODES[-1])
"""Distance of the outermost nodes from the ends, where the rule sees nothing."""


def _lagrange_at_end() -> Floats:
    """Values at 1 of the Lagrange polynomials on the nodes."""
    differences = NODES[:, None] - NODES
    np.fill_diagonal(differences, 1)
    numerators = np.tile(1 - NODES, (NODES.size, 1))
    np.fill_diagonal(numerators, 1)
    values: Floats = np.prod(numerators / differences, axis=1)
    return values


HIGH_END = _lagrange_at_end()
LOW_END = HIGH_END[::-1].copy()


def with_ends(low: Floats, high: Floats) -> Floats:
    """The nodes of intervals, with the intervals' ends before and after them: shape (p, 23)."""
    half = 0.5 * (high - low)
    inner = low[:, None] + half[:, None] * (1 + NODES)
    return np.concatenate([low[:, None], inner, high[:, None]], axis=1)


def end_misfit(values: NDArray[Any]) -> Floats:
    """How far values at both ends are from the polynomial through the nodes: (p, 23) to (p, 2).

    A jump or kink between an end and its next node shows here and nowhere else.
    """
    inner = values[:, 1:-1]
    fit = np.stack([weighted_sum(inner, LOW_END), weighted_sum(inner, HIGH_END)], axis=1)
    misfit: Floats = np.abs(values[:, [0, -1]] - fit)
    return misfit


def weighted_sum(values: NDArray[Any], weights: Floats) -> NDArray[Any]:
    """Sum over the last axis; the same bits for a row whatever else is in the batch."""
    result: NDArray[Any] = np.einsum("pk,k->p", values, weights)
    return result
