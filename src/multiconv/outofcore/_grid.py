"""How an array falls into blocks, and how large these may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from multiconv._errors import MemoryLimitError
from multiconv.io import Region

LARGEST = 2**26
"""Samples of a block, that a run stopped has little to do again."""
WORTH_IT = 0.9
"""What a sample of a larger block costs at most, beside one of a block that is large enough."""


@dataclass(frozen=True)
class Grid:
    """The blocks of an array, in C order; those at the ends may be smaller.

    Examples
    --------
    >>> from multiconv.outofcore import Grid
    >>> grid = Grid((5, 4), (3, 4))
    >>> len(grid), grid[1]
    (2, (slice(3, 5, None), slice(0, 4, None)))
    """

    shape: tuple[int, ...]
    block: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Blocks along each axis."""
        return tuple(-(-n // b) for n, b in zip(self.shape, self.block, strict=True))

    def __len__(self) -> int:
        return math.prod(self.counts)

    def __getitem__(self, number: int) -> Region:
        if not 0 <= number < len(self):
            raise IndexError(number)
        index = []
        for count in reversed(self.counts):
            number, place = divmod(number, count)
            index.append(place)
        pairs = zip(reversed(index), self.block, self.shape, strict=True)
        return tuple(slice(i * b, min(i * b + b, n)) for i, b, n in pairs)


def fitting_block(
    shape: Sequence[int], chunks: Sequence[int], cost: Callable[[tuple[int, ...]], int],
    limit: int, fewest: int = 1, enough: int | None = None,
) -> tuple[int, ...]:  # fmt: skip
    """The largest block, a whole number of chunks, whose cost keeps within a limit.

    It grows along the axis where that costs the least a sample, which keeps the margins that
    neighbouring blocks both read small.

    Parameters
    ----------
    shape : sequence of int
        Of the array.
    chunks : sequence of int
        What a block is a multiple of.
    cost : callable
        Bytes that a block of a shape takes.
    limit : int
        Bytes that are allowed.
    fewest : int
        How many blocks there should be at least.
    enough : int, optional
        Samples from which a block grows only where that costs clearly less a sample.

    Returns
    -------
    tuple of int
        Shape of a block.

    Raises
    ------
    MemoryLimitError
        If one chunk costs too much.
    """
    block = tuple(min(n, c) for n, c in zip(shape, chunks, strict=True))
    if (least := cost(block)) > limit:
        raise MemoryLimitError(
            f"memory: the smallest block, {'x'.join(map(str, block))} samples, needs {least} bytes,"
            f" the limit leaves {limit}"
        )
    most = min(LARGEST, max(math.prod(block), math.prod(shape) // fewest))
    while True:
        doubled = [tuple(min(2 * b, n) if a == axis else b
                         for a, (b, n) in enumerate(zip(block, shape, strict=True)))
                   for axis in reversed(range(len(block)))]  # fmt: skip
        costs = {c: cost(c) for c in doubled if c != block and math.prod(c) <= most}
        allowed = [c for c, needed in costs.items() if needed <= limit]
        if not allowed:
            return block
        larger = min(allowed, key=lambda c: costs[c] / math.prod(c))
        grown = math.prod(larger) / math.prod(block)
        if enough and math.prod(block) >= enough and costs[larger] > WORTH_IT * grown * cost(block):
            return block
        block = larger
