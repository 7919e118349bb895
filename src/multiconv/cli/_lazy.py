"""Results that are computed where they are sliced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from multiconv import io
from multiconv._blocks import Blocks
from multiconv.io import Region, Source
from multiconv.outofcore import Samples

from ._recipe import Recipe, Step


class Sliced(Protocol):
    """What gives the samples of a region."""

    def __getitem__(self, region: Region) -> NDArray[Any]:
        """The samples."""


class Read:
    """The samples of a file, with all their channels, made ready to be convolved."""

    def __init__(
        self, source: Source, channels: slice | None,
        prepared: Callable[[NDArray[Any]], NDArray[Any]],
    ) -> None:  # fmt: skip
        self._source, self._channels, self._prepared = source, channels, prepared

    def __getitem__(self, region: Region) -> NDArray[Any]:
        if self._channels is not None:
            region = (*region[:-1], self._channels)
        return self._prepared(self._source.read(region))


class Convolved:
    """One convolution of what lies below."""

    def __init__(self, below: Sliced, blocks: Blocks) -> None:
        self._below, self._blocks = below, blocks

    def __getitem__(self, region: Region) -> NDArray[Any]:
        block = self._blocks.read(self._below, region)
        return np.asarray(self._blocks.run(block, region))


class Filtering:
    """Computes any region of a recipe's result from a file: one pass, however many kernels.

    It can be pickled, so that workers elsewhere open the file themselves.
    """

    def __init__(self, path: str, member: str | None, recipe: Recipe) -> None:
        self._path, self._member, self._recipe = path, member, recipe

    def __reduce__(self) -> tuple[Any, ...]:
        return Filtering, (self._path, self._member, self._recipe)

    def __call__(self, region: Region) -> Samples:
        """A region's samples as they are stored."""
        if self._recipe.kept_opacity:  # the last channel, of which the recipe's steps know nothing
            region = (*region[:-1], slice(0, self._recipe.shape[-1] - 1))
        result = self._colours[region]
        samples, shares = self._recipe.finished(result, self._opacity_of(region))
        below, above = (round(share * result.size) for share in shares)
        return Samples(samples, (below, above))

    def _opacity_of(self, region: Region) -> NDArray[Any] | None:
        if not self._recipe.kept_opacity:
            return None
        return self._opacity[(*region[:-1], slice(0, 1))]

    @cached_property
    def _source(self) -> Source:
        return io.open_source(self._path, self._member)

    @cached_property
    def _channels(self) -> slice | None:
        return slice(0, self._source.outline.channels) if self._recipe.kept_opacity else None

    @cached_property
    def _colours(self) -> Sliced:
        return _chain(Read(self._source, self._channels, self._recipe.prepared), self._recipe.steps)

    @cached_property
    def _opacity(self) -> Sliced:
        below = Read(self._source, self._channels, self._recipe.opacity)
        return _chain(below, (step.of_opacity() for step in self._recipe.steps))


def _chain(below: Sliced, steps: Iterable[Step]) -> Sliced:
    for step in steps:
        below = Convolved(below, step.blocks)
    return below
