"""How long a convolution of any size would take on a cluster of machines like this one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

import multiconv as mc
from multiconv._machine import machine
from multiconv.io import Data, virtual
from multiconv.outofcore import Cluster, Grid, Load, predict

from . import _budget, _console
from ._console import console
from ._kernel_argument import Kernel
from ._recipe import Recipe, Settings

CHUNK = 64
"""Samples along each axis of the chunks that the blocks are made of."""
COPIES = 3
"""How often a sample is moved on its way from the store to the engine, and back."""


@dataclass(frozen=True)
class Estimate:
    """What one convolution is, as blocks.

    Attributes
    ----------
    grid : Grid
        The blocks of the result.
    reading : tuple of int
        What a block reads, margins included.
    read, written, margins : int
        Bytes of all blocks together, and what of the read ones neighbours read as well.
    seconds : float
        That this machine computes a block.
    """

    grid: Grid
    reading: tuple[int, ...]
    read: int
    written: int
    margins: int
    seconds: float

    @property
    def load(self) -> Load:
        """The same, for the model."""
        blocks = len(self.grid)
        return Load(blocks, self.read / blocks, self.written / blocks, self.seconds)


def estimate(
    data: mc.ShapeDtype, taps: Any, options: dict[str, Any], memory: int, workers: int
) -> Estimate:
    """How a convolution falls into blocks, and how long each takes here.

    Parameters
    ----------
    data : ShapeDtype
        The input.
    taps : ndarray
        The kernel.
    options : dict
        Of `multiconv.convolve`: mode, boundary, stride, dilation.
    memory : int
        Bytes that a worker may take.
    workers : int
        How many there are.

    Returns
    -------
    Estimate
        Blocks, bytes, seconds.
    """
    kernel, settings = Kernel(taps, "kernel"), Settings(**options)
    recipe = Recipe(Data(virtual(data.shape, data.dtype)), [kernel], settings, Path("result.zarr"))
    chunks = tuple(min(CHUNK, n) for n in recipe.shape)
    room = _budget.left_to_workers(memory) // 2
    block = _budget.fitting_block(recipe, chunks, room, 4 * workers)
    reading = _budget.needed(recipe, block)
    grid, size = Grid(recipe.shape, block), math.prod(block)
    samples = math.prod(reading)
    share = math.prod(recipe.shape) / (len(grid) * size)  # blocks at the ends are smaller
    read = round(len(grid) * share * samples * data.dtype.itemsize)
    own = min(read, math.prod(data.shape) * data.dtype.itemsize)
    written = math.prod(recipe.shape) * recipe.target.itemsize
    moved = COPIES * (samples * data.dtype.itemsize + size * recipe.target.itemsize)
    computing = sum(plan.seconds for plan in _budget.plans(recipe, block))
    seconds = share * (computing + moved / machine().bandwidth)
    return Estimate(grid, reading, read, written, read - own, seconds)


def show(found: Estimate, cluster: Cluster) -> None:
    """Print an estimate and what the model says of it."""
    prediction = predict(found.load, cluster)
    alone = predict(found.load, Cluster(1, cluster.network, cluster.store, cluster.latency))
    load, size = found.load, _size
    transfer = (load.read + load.written) / cluster.network
    margin = found.margins / max(1, found.read)
    rows = [
        ("blocks", f"{load.blocks:,} of {_console.shape(found.grid.block)} samples, which read "
                   f"{_console.shape(found.reading)}"),
        ("read", f"{size(found.read)}, of which margins {size(found.margins)} ({margin:.0%})"),
        ("written", size(found.written)),
        ("a block", f"{_console.duration(found.seconds)} to compute, "
                    f"{_console.duration(transfer)} on the network at "
                    f"{size(cluster.network)}/s"),
        ("time", f"{_long(prediction.seconds)} on {cluster.workers:,} workers like this machine; "
                 f"what is busiest: {prediction.bound}"),
        ("alone", f"{_long(alone.seconds)} on one"),
    ]  # fmt: skip
    for name, text in rows:
        console.print(Text.assemble((f"{name:<9}", "dim"), text), soft_wrap=True)


def _size(count: float) -> str:
    return f"{count / 1e12:.2f} TB" if count >= 1e12 else _console.size(round(count))


def _long(seconds: float) -> str:
    """A time that may be long."""
    for unit, scale in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * scale:
            return f"{seconds / scale:.1f} {unit}"
    return _console.duration(seconds)
