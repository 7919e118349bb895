"""Canny's edges of a picture in chunks."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize

from multiconv._api import convolve
from multiconv._blocks import Blocks
from multiconv._problem import BOUNDARIES
from multiconv._typing import Array
from multiconv.filters._arguments import word
from multiconv.filters._canny import (
    check_picture,
    inner,
    lines,
    slopes_of,
    smoothed,
    thresholds,
)

from ._graph import lazy
from ._hysteresis import connected

REACH = 2
"""One pixel for the slopes, one for the ridges."""


def canny(
    x: Any, sigma: Any = 1.0, low_threshold: float | None = None,
    high_threshold: float | None = None, *, mask: Any = None, use_quantiles: bool = False,
    boundary: str = "constant",
) -> Any:  # fmt: skip
    """`multiconv.filters.canny`, lazily."""
    check_picture(x)
    word("boundary", boundary, BOUNDARIES)
    if use_quantiles:
        raise ValueError(
            "use_quantiles: True needs all of x at once, give a Dask array's thresholds as "
            "magnitudes"
        )
    low, high = thresholds(low_threshold, high_threshold, False, x.dtype)
    counted = None if mask is None else _counted(mask, x)
    smooth = smoothed(x, sigma, counted, boundary)
    blocks = Blocks.local(marks, smooth.shape, smooth.dtype, REACH, low=low, high=high)
    marked = lazy(smooth, blocks, f"marks-{tokenize(smooth.name, low, high)}")
    if counted is not None:
        neighbours = np.ones((3, 3), np.uint8)
        marked = marked * (convolve(counted.astype(np.uint8), neighbours, "same") == 9)
    return connected(marked)


def marks(x: Array, *, low: float, high: float) -> Array:
    """1 on pixels of a smoothed picture that a line may go on by, 2 on those that start one."""
    with np.errstate(invalid="ignore", over="ignore"):
        weak, strong = lines(slopes_of(x), inner(x.shape, None), low, high)
    return weak.astype(np.uint8) + strong


def _counted(mask: Any, x: Any) -> Any:
    if np.shape(mask) != x.shape:
        raise ValueError(f"mask: shape {np.shape(mask)} does not fit, x has {x.shape}")
    mask = mask if isinstance(mask, da.Array) else da.from_array(np.asarray(mask), chunks=x.chunks)
    return mask.astype(np.bool_).rechunk(x.chunks)
