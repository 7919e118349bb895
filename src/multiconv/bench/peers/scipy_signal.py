"""`scipy.signal`: by transforms whole or in blocks, by what SciPy itself chooses, directly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
import scipy.fft
import scipy.signal

from .._case import Case
from ._offer import Offer, transform_seconds

DISTRIBUTION = "scipy"
RATE = 5e8
SMALL = 10_000
"""Samples up to which a quick call counts for more than a quick sum."""


def threads(n: int) -> AbstractContextManager[object]:
    """For its transforms."""
    workers: AbstractContextManager[object] = scipy.fft.set_workers(n)
    return workers


def offers(case: Case) -> Iterator[Offer]:
    """Plain convolutions of floats with zeros outside."""
    p = case.entry.problem
    floats = p.x_dtype.kind in "fc"
    if not (case.plain and floats and case.boundary == "constant" and case.mode):
        return
    x, w = case.x, case.w if p.flip else np.flip(case.w).copy()
    padded = p.batch * math.prod(n + k for n, k in zip(p.in_size, p.kernel, strict=True))
    axes = tuple(range(x.ndim - p.rank, x.ndim))
    taps = w.reshape((1,) * (x.ndim - p.rank) + w.shape)
    transforms = {"scipy oa": scipy.signal.oaconvolve, "scipy fft": scipy.signal.fftconvolve}
    for name, function in transforms.items():
        yield Offer(name, partial(function, x, taps, case.mode, axes=axes),
                    transform_seconds(padded), 10 * x.itemsize * padded)  # fmt: skip
    if case.samples <= SMALL:
        yield Offer("scipy auto", partial(scipy.signal.convolve, x, taps, case.mode))
    if case.samples <= SMALL and x.ndim == 2:
        yield Offer("scipy 2d", partial(scipy.signal.convolve2d, x, taps, case.mode),
                    case.samples * w.size / RATE)  # fmt: skip
