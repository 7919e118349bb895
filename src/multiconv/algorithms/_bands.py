"""Parts of a problem's output, and the problems that they are by themselves."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import lru_cache

from multiconv._geometry import out_size, window
from multiconv._problem import Problem


@dataclass(frozen=True)
class Band:
    """A part of the output, the part of the input that it needs, and the problem it is."""

    problem: Problem
    x: tuple[slice, ...]
    out: tuple[slice, ...]


def bands(problem: Problem, axis: int, batch: int, rows: int) -> list[Band]:
    """Equal parts of so many images, and of so many outputs along an axis.

    The last ones overlap their neighbours. All parts that need no boundary along the axis are the
    same problem. The axis has no input dilation.
    """
    length = out_size(problem)[axis]
    parts = itertools.product(_starts(problem.batch, batch), _starts(length, rows))
    return [_band(problem, axis, (n, n + batch), (y, y + rows)) for n, y in parts]


def typical(problem: Problem, axis: int, batch: int, rows: int) -> tuple[int, Problem]:
    """How many `bands` there are, and the problem of the one in the middle."""
    parts = [_starts(problem.batch, batch), _starts(out_size(problem)[axis], rows)]
    n, y = (starts[len(starts) // 2] for starts in parts)
    middle = _band(problem, axis, (n, n + batch), (y, y + rows)).problem
    return math.prod(map(len, parts)), middle


def _band(problem: Problem, axis: int, images: tuple[int, int], rows: tuple[int, int]) -> Band:
    size, stride = problem.in_size[axis], problem.stride[axis]
    begin = rows[0] * stride - problem.padding[axis][0]
    end = (rows[1] - 1) * stride - problem.padding[axis][0]
    end += window(problem.kernel[axis], problem.dilation[axis])
    first, last = max(begin, 0), min(end, size)
    if not _continues(problem.boundary[axis], first - begin, end - last, last - first):
        first, last = 0, size
    every = (slice(None),) * (2 + axis)
    return Band(
        _along(problem, axis, images[1] - images[0], last - first, (first - begin, end - last)),
        (slice(*images), *every, slice(first, last)),
        (slice(*images), *every, slice(*rows)),
    )


def _continues(boundary: str, low: int, high: int, samples: int) -> bool:
    """Whether the samples that a part touches, so many, are continued as the whole axis is."""
    if low <= 0 and high <= 0:
        return samples > 0
    if samples <= 0 or boundary == "wrap" or (low > 0 and high > 0):
        return False
    return boundary in ("constant", "edge") or max(low, high) < samples


def _starts(length: int, part: int) -> list[int]:
    return [*range(0, length - part, part), length - part]


@lru_cache(maxsize=256)
def _along(problem: Problem, axis: int, batch: int, size: int, padding: tuple[int, int]) -> Problem:
    """The problem of so many images, with another size and padding along one axis."""
    sizes, paddings = list(problem.in_size), list(problem.padding)
    sizes[axis], paddings[axis] = size, padding
    return replace(problem, batch=batch, in_size=tuple(sizes), padding=tuple(paddings))
