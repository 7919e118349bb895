"""Which taps of a kernel are transformed together: short partitions first, longer ones behind."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from multiconv.algorithms._radices import smooth_from

RATIOS = (4, 8, 16)
"""By how much the partitions of a part may be longer than those of the part before."""

CALLS = 5000
"""Multiply-adds that would take as long as a part's calls in one step."""


class Part(NamedTuple):
    """Partitions of one length, side by side.

    Attributes
    ----------
    size : int
        Taps of a partition.
    offset : int
        The first tap.
    number : int
        Of partitions.
    """

    size: int
    offset: int
    number: int

    @property
    def points(self) -> int:
        """Length of a transform that holds a partition and the window it slides over."""
        return int(smooth_from(2 * self.size))


class Load(NamedTuple):
    """What one sample of all channels means: transforms in, transforms out, products."""

    inputs: int
    outputs: int
    products: int


@lru_cache(maxsize=256)
def partition(block: int, taps: int, load: Load) -> tuple[Part, ...]:
    """The parts that leave the least to do in the busiest step.

    A part longer than a block starts so far behind that its work may take until the next of its
    windows is full: twice its partitions' length, less the block that is computed at once. After
    Gardner, "Efficient convolution without input-output delay" (1995), and Garcia, "Optimal filter
    partition for efficient convolution with short input/output delay" (2002).
    """
    return _best(block, taps, load, block)[1] if taps else ()


@lru_cache(maxsize=4096)
def _best(block: int, taps: int, load: Load, size: int) -> tuple[float, tuple[Part, ...]]:
    offset = 0 if size == block else 2 * size - block
    uniform = Part(size, offset, -(-(taps - offset) // size))
    best: tuple[float, tuple[Part, ...]] = _busiest(uniform, block, load), (uniform,)
    for ratio in RATIOS:
        end = 2 * ratio * size - block
        if end < taps:
            here = Part(size, offset, (end - offset) // size)
            cost, behind = _best(block, taps, load, ratio * size)
            best = min(best, (_busiest(here, block, load) + cost, (here, *behind)))
    return best


def _busiest(part: Part, block: int, load: Load) -> float:
    """Complex multiply-adds of the step with most of them."""
    points, steps = part.points, part.size // block
    transform = points * math.log2(points) / 3
    products = load.products * (points // 2 + 1)
    if steps == 1:
        return CALLS + (load.inputs + load.outputs) * transform + part.number * products
    share = math.ceil(part.number / (steps - 2)) * products
    return CALLS + max(load.inputs * transform, load.outputs * transform, share)
