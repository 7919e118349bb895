"""A file's samples convolved block by block: for files that are larger than memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import multiconv as mc
from multiconv import io, outofcore
from multiconv._machine import machine
from multiconv._version import __version__
from multiconv.io import Data, FileError, virtual
from multiconv.outofcore import Job, Stage, Summary

from . import _budget, _console
from ._filtering import Outcome, clipping
from ._kernel_argument import Kernel
from ._lazy import Filtering
from ._progress import showing
from ._pyramid import Means
from ._recipe import Recipe, Settings
from ._resources import Place, Resources

IN_WORK = 2
"""Blocks in work at once, at least: while one is read or written, the other is computed."""
EACH = 4
"""Blocks that there are at least for each in work, where the array has as many chunks."""
ENOUGH, MANY = 2**22, 64
"""Samples of a block that is worth its fixed costs; so many blocks give the disk work soon."""
POOL = 4
"""Which part of the memory the engine may keep for later results."""


class BlockJob:
    """A planned convolution of an array in a file, to another file.

    Attributes
    ----------
    outline, result : Data
        What the input holds, and what the target will.
    """

    def __init__(
        self, place: Place, kernels: Sequence[Kernel], settings: Settings, target: Path,
        resources: Resources,
    ) -> None:  # fmt: skip
        self._place, self._target, self._resources = place, str(target), resources
        self._kernels = kernels
        self._fingerprint = io.fingerprint(place.path)
        self._source = io.open_source(place.path, place.member)
        self.outline = self._source.outline
        self._recipe = Recipe(self.outline, kernels, settings, target)
        samples = virtual(self._recipe.shape, self._recipe.target)
        self.result = replace(self.outline, array=samples)
        io.check_write(target, self.result)
        self._levels = io.levels(self._target, self.result)

    def explain(self) -> mc.Explanation:
        """How a block is computed by the first kernel, and why."""
        return _budget.plans(self._recipe, self._fitting_block())[0].explain()

    def run(self) -> tuple[Outcome, str]:
        """Compute and write; gives what came of it, and how it was computed."""
        start = time.perf_counter()
        mc.keep_memory(self._resources.memory // POOL)
        _budget.give_back_at_once()
        job = Job(self._target, self._identity(), self._create, self._stages, self._check_input)
        runner = (_on_threads(self._in_work) if self._resources.scheduler is None
                  else outofcore.on_cluster(self._resources.scheduler))  # fmt: skip
        with showing(self._target, quiet=self._resources.quiet) as progress:
            summary = outofcore.run(job, runner, restart=self._resources.restart,
                                    progress=progress)  # fmt: skip
        below, above = (n / self.result.array.size for n in summary.clipped)
        notes = [*clipping((below, above), self._recipe), *_resumed(summary),
                 *_left_out(self.outline)]  # fmt: skip
        return Outcome(self.result, time.perf_counter() - start, notes), _method(summary)

    def _identity(self) -> dict[str, str]:
        kernels = [[k.label, k.array.dtype.str, k.array.shape, _digest(k.array.tobytes())]
                   for k in self._kernels]  # fmt: skip
        place, maker = self._place, json.dumps([__version__, asdict(machine())])
        return {
            "input": json.dumps([os.path.abspath(place.path), place.member, self._fingerprint]),
            "kernel": json.dumps(kernels),
            "choice of options": repr(self._recipe.settings),
            "version or machine": _digest(maker.encode()),
        }

    def _create(self, path: str) -> None:
        io.create_target(path, self.result, self._source)

    def _stages(self, path: str, blocks: Sequence[tuple[int, ...]] | None) -> list[Stage]:
        blocks = blocks or [self._fitting_block(), *map(self._fitting_part, self._levels[1:])]
        first = Filtering(self._place.path, self._place.member, self._recipe)
        means = [Means(path, *pair) for pair in pairwise(self._levels)]
        computing: list[Filtering | Means] = [first, *means]
        parts = zip(self._levels, blocks, computing, strict=True)
        return [Stage(level.shape, block, compute, level.member) for level, block, compute in parts]

    def _fitting_block(self) -> tuple[int, ...]:
        chunks = io.target_chunks(self._target, self.result, self._source)
        # Blocks that cut through chunks read them more than once; a cluster's cost a message each.
        rows = sum(n > 1 for n in self._source.chunks) <= 1
        here = rows and self._resources.scheduler is None
        enough = max(ENOUGH, math.prod(self._recipe.shape) // MANY) if here else None
        fewest = EACH * self._in_work
        return _budget.fitting_block(self._recipe, chunks, self._room(), fewest, enough)

    def _fitting_part(self, level: io.Level) -> tuple[int, ...]:
        """The largest block of a pyramid's level, which takes what it is the mean of."""
        like = replace(self.result, array=virtual(level.shape, self.result.array.dtype))
        chunks = io.target_chunks(self._target, like, self._source)
        return outofcore.fitting_block(
            level.shape, chunks, lambda block: _budget.mean_bytes(level, like, block), self._room()
        )

    def _room(self) -> int:
        """Bytes for one of the blocks in work."""
        return self._left // self._in_work

    @cached_property
    def _left(self) -> int:
        """Bytes for all of them."""
        limit = self._resources.memory
        return _budget.left(limit - limit // POOL)

    @cached_property
    def _in_work(self) -> int:
        """How many blocks are in work at once: one more than threads, if memory allows.

        Those that are used by default, as blocks' shapes must not depend on what is set.
        """
        whole = self._recipe.shape
        sample = _budget.block_bytes(self._recipe, whole) / max(1, math.prod(whole))
        return max(IN_WORK, min(machine().threads + 1, int(self._left / (2 * ENOUGH * sample))))

    def _check_input(self) -> None:
        if io.fingerprint(self._place.path) != self._fingerprint:
            raise FileError(f"{self._place.path}: was changed while it was read, --restart begins "
                            "anew")  # fmt: skip


def _on_threads(count: int) -> outofcore.Runner:
    """So many blocks at once; threads that all have blocks of their own do not share any."""

    def run(task: Callable[[int], outofcore.Entry], numbers: Sequence[int]) -> outofcore.Done:
        alone = min(count, len(numbers)) >= mc.get_num_threads()
        with mc.num_threads(1) if alone else contextlib.nullcontext():
            yield from outofcore.on_threads(count)(task, numbers)

    return run


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _method(summary: Summary) -> str:
    size = _console.shape(summary.block)
    return f"{summary.blocks} block{'' if summary.blocks == 1 else 's'} of {size}"


def _resumed(summary: Summary) -> list[str]:
    if not summary.kept:
        return []
    return [f"{summary.kept} of {summary.blocks} blocks were there from a run that was stopped"]


def _left_out(outline: Data) -> list[str]:
    names = outline.meta.get("left_out")
    return [f"{', '.join(names)} of the store are not carried over"] if names else []
