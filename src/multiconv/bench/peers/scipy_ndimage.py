"""`scipy.ndimage`: stencils and filters of any rank, one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from .._case import Case
from ._offer import Offer

DISTRIBUTION = "scipy"
RATE = 8e8
MODES = {"constant": "constant", "edge": "nearest", "symmetric": "reflect", "reflect": "mirror",
         "wrap": "wrap"}  # fmt: skip


def threads(n: int) -> AbstractContextManager[object]:
    """It has one."""
    return nullcontext()


def offers(case: Case) -> Iterator[Offer]:
    """Kernels of odd sizes, and the filters that round as we do."""
    p = case.entry.problem
    run: Callable[[], Any] | None = None
    work = case.samples * float(np.prod(p.kernel))
    if case.plain and case.mode == "same" and all(k % 2 for k in p.kernel):
        mode = MODES[case.boundary]
        function = ndimage.convolve if p.flip else ndimage.correlate
        taps = case.w.reshape((1,) * (case.x.ndim - p.rank) + case.w.shape)
        run = partial(function, case.x, taps, mode=mode, output=p.out_dtype)
        if p.rank == 1 and p.flip:
            run = partial(ndimage.convolve1d, case.x, case.w, mode=mode, output=p.out_dtype)
    elif case.entry.filter:
        run, work = _filter(case), case.samples * float(np.sum(p.kernel))
    if run is not None:
        yield Offer("ndimage", run, work / RATE)


def _filter(case: Case) -> Callable[[], Any] | None:
    name, given = case.filter
    x, out = case.x, case.entry.problem.out_dtype
    options = {"mode": MODES[case.boundary], "output": out}
    if x.dtype.kind in "iu" and name in ("stencil", "gaussian", "box"):
        return None  # truncates each pass where we round once
    if name == "gaussian":
        return partial(ndimage.gaussian_filter, x, given["sigma"], **options)
    if name == "box":
        return partial(ndimage.uniform_filter, x, given["size"], **options)
    if name == "laplace":
        return partial(ndimage.laplace, x, **options)
    if name == "sobel":
        return partial(ndimage.sobel, x, given["axis"], **options)
    if name == "gradient_magnitude" and "sigma" in given:
        return partial(ndimage.gaussian_gradient_magnitude, x, given["sigma"], **options)
    if name == "gradient_magnitude":
        return partial(ndimage.generic_gradient_magnitude, x, ndimage.sobel, **options)
    return None
