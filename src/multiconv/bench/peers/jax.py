"""JAX: `lax.conv_general_dilated`, compiled, in both layouts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from .._case import Case
from ._layer import Threads, is_layer, is_transposed
from ._offer import Offer

DISTRIBUTION = "jax"
threads = Threads()
"""Its own are as many as the processors: it takes part where that is the number."""


def offers(case: Case) -> Iterator[Offer]:
    """Layers of float32 that are not transposed."""
    if not is_layer(case) or is_transposed(case) or threads.count != os.cpu_count():
        return
    p = case.entry.problem
    axes = "DHW"[-p.rank :]
    for name, data, result in (("jax", f"NC{axes}", None), ("jax last", f"N{axes}C", p.rank)):
        x = case.x if result is None else np.moveaxis(case.x, 1, -1)
        kernel = f"OI{axes}" if result is None else f"{axes}IO"
        w = case.w if result is None else case.w.transpose(*range(2, 2 + p.rank), 1, 0)
        call = _compiled(case, (data, kernel, data))
        arrays = jax.numpy.asarray(x), jax.numpy.asarray(w)
        yield Offer(name, _run(call, arrays, moved=result is not None))


def _compiled(case: Case, layout: tuple[str, str, str]) -> Any:
    p = case.entry.problem
    call = partial(
        jax.lax.conv_general_dilated, window_strides=p.stride, padding=p.padding,
        rhs_dilation=p.dilation, dimension_numbers=layout, feature_group_count=p.groups,
    )  # fmt: skip
    return jax.jit(call)


def _run(call: Any, arrays: tuple[Any, Any], *, moved: bool) -> Any:
    def run() -> Any:
        found = np.asarray(call(*arrays).block_until_ready())
        return np.moveaxis(found, -1, 1) if moved else found

    return run
