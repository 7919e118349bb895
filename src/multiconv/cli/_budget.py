"""How much memory a job may take, and how much a block takes."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
from pathlib import Path

import numpy as np

import multiconv as mc
from multiconv import outofcore
from multiconv._machine import memory_limit, parse_bytes
from multiconv.io import Data, Level, Region, lengths

from ._recipe import Recipe, Step
from ._samples import working_type

SPARE = 0.8
"""Of what is left to us; the rest is for what no one counts."""
TYPICAL = 2**27
"""Bytes that a process takes which has loaded the engine, where the system does not say."""
M_MMAP_THRESHOLD = -3
"""What glibc's malloc.h calls it."""
LARGE = 2**22
"""Bytes from which an array counts as large."""
FINISHING, STRAIGHTENING = 2, 2
"""Arrays of the result's size that rounding takes at once, and taking opacity out again besides."""


def allowed(text: str | None) -> int:
    """Bytes that the process may take: as asked, else half of what is free."""
    if text is not None:
        return parse_bytes(text, "memory")
    return min(memory_limit(), _free() // 2)


def give_back_at_once() -> None:
    """Let the C library return large arrays to the system when they are freed.

    It would keep those of up to 32 MiB for later ones, for each thread anew, and so hold several
    times as much as is in use.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


def left(limit: int) -> int:
    """Bytes that the samples may take, beside what the process takes already."""
    return int((limit - _resident()) * SPARE)


def left_to_workers(limit: int) -> int:
    """The same of a process that has just begun, on another machine."""
    return int((limit - TYPICAL) * SPARE)


def whole_bytes(data: Data) -> int:
    """What an array takes that is convolved as a whole: read, made ready, summed, stored."""
    dtype = data.array.dtype
    if data.kind == "image" or dtype.kind in "fc":
        working = working_type(dtype).itemsize
    else:
        working = np.dtype(np.int64).itemsize
    return data.array.size * (2 * dtype.itemsize + 3 * working)


def block_bytes(recipe: Recipe, shape: tuple[int, ...]) -> int:
    """What a block in the middle of a result takes, without the algorithms' scratch."""
    last = recipe.steps[-1].blocks
    region = _middle(last.shape, shape)
    arrays = FINISHING + STRAIGHTENING * recipe.blended
    most = arrays * math.prod(lengths(region)) * last.dtype.itemsize
    for step in reversed(recipe.steps):
        result = math.prod(lengths(region)) * step.blocks.dtype.itemsize
        region = _read(step, region)
        samples = math.prod(lengths(region))
        most = max(most, result + 2 * samples * step.source.dtype.itemsize)
    return most + 2 * samples * recipe.source.itemsize


def plans(recipe: Recipe, shape: tuple[int, ...]) -> list[mc.Plan]:
    """How a block of this shape is computed, kernel by kernel."""
    region, found = _middle(recipe.steps[-1].blocks.shape, shape), []
    for step in reversed(recipe.steps):
        region = _read(step, region)
        source = mc.ShapeDtype(lengths(region), step.source.dtype)
        found.append(mc.plan(mc.convolve, source, step.taps, **step.options | {"mode": "same"}))
    return found[::-1]


def needed(recipe: Recipe, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what a block in the middle of a result reads of the input."""
    region = _middle(recipe.steps[-1].blocks.shape, shape)
    for step in reversed(recipe.steps):
        region = _read(step, region)
    return lengths(region)


def fitting_block(
    recipe: Recipe, chunks: tuple[int, ...], limit: int, fewest: int, enough: int | None = None
) -> tuple[int, ...]:
    """A block that takes no more than ``limit`` bytes with the algorithms' scratch.

    The largest, or one that has ``enough`` samples and whose margins are small.
    """
    room = limit
    while True:
        block = outofcore.fitting_block(
            recipe.shape, chunks, lambda shape: block_bytes(recipe, shape), room, fewest, enough
        )
        scratch = max(plan.scratch_bytes for plan in plans(recipe, block))
        if block_bytes(recipe, block) + scratch <= limit:
            return block
        room //= 2


def mean_bytes(level: Level, like: Data, block: tuple[int, ...]) -> int:
    """What a block of a pyramid's level takes: samples, and the sums that it is the mean of."""
    below = math.prod(b * f for b, f in zip(block, level.factors, strict=True))
    return below * (like.array.itemsize + 2 * np.dtype(np.float64).itemsize)


def _middle(shape: tuple[int, ...], block: tuple[int, ...]) -> Region:
    return tuple(slice((n - min(b, n)) // 2, (n - min(b, n)) // 2 + min(b, n))
                 for n, b in zip(shape, block, strict=True))  # fmt: skip


def _read(step: Step, region: Region) -> Region:
    """The samples that a region needs, as one region of that size."""
    found = []
    for pieces in step.blocks.needed(region):
        size = sum(piece.stop - piece.start for piece in pieces)
        found.append(pieces[0] if len(pieces) == 1 else slice(0, size))
    return tuple(found)


def _resident() -> int:
    """Bytes that the process takes now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return TYPICAL


def _free() -> int:
    """Bytes that no process takes."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        fields = dict(line.split(":") for line in lines)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return memory_limit()
