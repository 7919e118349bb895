"""NumPy: `numpy.convolve`, one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np

from .._case import Case
from ._offer import Offer

DISTRIBUTION = "numpy"
RATE = 4e9


def threads(n: int) -> AbstractContextManager[object]:
    """It has one."""
    return nullcontext()


def offers(case: Case) -> Iterator[Offer]:
    """1-D signals of one row."""
    p = case.entry.problem
    if case.plain and p.rank == 1 and p.batch == 1 and case.boundary == "constant" and case.mode:
        run = partial(np.convolve, case.x, case.w if p.flip else case.w[::-1].copy(), case.mode)
        yield Offer("numpy", run, case.samples * case.w.size / RATE)
