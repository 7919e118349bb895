"""How wrong each algorithm is on each layer, against float64."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

import multiconv as mc
from multiconv._typing import Array

from ._layer_case import LayerCase
from ._problems import Entry

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Accuracy:
    """The largest errors of one algorithm on one layer, against float64.

    Attributes
    ----------
    layer, algorithm : str
    chosen : bool
        Whether the planner takes it.
    relative : float
        Largest error over the largest output.
    weighted : float
        Largest error over the ``sum |x||w|`` of the same output.
    bound : float
        What the plan promises: error over the largest ``sum |x||w|``.
    times_direct : float
        The largest error over that of ``precision="highest"``, which sums directly.
    """

    layer: str
    algorithm: str
    chosen: bool
    relative: float
    weighted: float
    bound: float
    times_direct: float


def accuracies(entry: Entry) -> list[Accuracy]:
    """The errors of every algorithm that may run a layer, the chosen one first."""
    function, first, second, options = LayerCase(entry).call
    exact, weights = (
        function(to_wide(first), to_wide(second), **options) for to_wide in (_wide, _wide_size)
    )
    make = partial(mc.plan, function, first, second, **options)
    rows = [r for r in make().explain().rows if r.accepted and r.algorithm != "reference"]
    plans = {row.algorithm: make(method=row.algorithm) for row in rows}
    wrong = {name: np.abs(plan(first) - exact) for name, plan in plans.items()}
    summed = float(np.abs(make(precision="highest")(first) - exact).max())
    return [
        Accuracy(
            str(entry), row.algorithm, row.chosen,
            relative=float(wrong[row.algorithm].max() / np.abs(exact).max()),
            weighted=float((wrong[row.algorithm] / np.maximum(weights, _TINY)).max()),
            bound=plans[row.algorithm].error_bound,
            times_direct=float(wrong[row.algorithm].max()) / max(summed, _TINY),
        )
        for row in rows
    ]  # fmt: skip


def _wide(array: Array) -> Array:
    return array.astype(np.float64)


def _wide_size(array: Array) -> Array:
    return np.abs(_wide(array))


def worst(found: Iterable[Accuracy]) -> float:
    """How many times as wrong as direct summation a choice of the planner is at most."""
    return max((one.times_direct for one in found if one.chosen), default=0.0)
