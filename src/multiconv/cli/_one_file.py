"""One file convolved: as a whole, block by block, or as a sound that never ends."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multiconv import io
from multiconv.io import Data, FileError, Source

from . import _budget
from ._by_blocks import BlockJob
from ._explanation import show
from ._filtering import Job, Outcome
from ._kernel_argument import Kernel
from ._long_sound import LongJob, long_sound
from ._pipeline import suited
from ._recipe import Settings
from ._resources import Place, Resources

CHUNKED = {"Zarr", "HDF5"}
"""Formats that keep chunks, and are convolved block by block whatever their size."""


@dataclass(frozen=True)
class Request:
    """What `apply` is asked to do with every file.

    Attributes
    ----------
    text : str
        KERNEL as it was written.
    kernels : sequence of Kernel
        What it says.
    settings, resources
        The options.
    max_pixels : int or None
        Largest picture; None lets the memory decide where it is read by blocks.
    explain : bool
        Whether to print how it is computed.
    """

    text: str
    kernels: Sequence[Kernel]
    settings: Settings
    resources: Resources
    max_pixels: int | None = None
    explain: bool = False


@dataclass(frozen=True)
class Report:
    """What was done with one file."""

    source: Data
    kernels: Sequence[Kernel]
    method: str
    outcome: Outcome
    written: int


def convolve_file(place: Place, target: Path, request: Request) -> Report:
    """Convolve one file into another."""
    io.check_target(target)
    long = _long_sound(place, target, request)
    if long is not None:
        return _of_long_sound(place, target, request, long)
    source = _source(place)
    if source is not None:
        _check_complete(place, source, request.resources)
        if io.writes_regions(target) and _by_blocks(source.outline, place, target, request):
            return _of_blocks(place, target, request, source.outline)
    if io.format_of(target).folder:
        raise FileError(
            f"{target}: Zarr stores are written from .npy, .tif, .zarr and .h5, not {place.path}"
        )
    return _of_whole(place, target, request)


def _of_whole(place: Place, target: Path, request: Request) -> Report:
    most = io.MAX_PIXELS if request.max_pixels is None else request.max_pixels
    data = io.read(place.path, max_pixels=most, member=place.member)
    kernels = suited(request.text, request.kernels, data)
    job = Job(data, kernels, request.settings, target)
    io.check_write(target, job.prototype)
    if request.explain:
        for plan in job.plans:
            show(plan.explain())
    outcome = job.run()
    written = io.write(target, outcome.data)
    return Report(data, kernels, job.method, outcome, written)


def _of_blocks(place: Place, target: Path, request: Request, outline: Data) -> Report:
    kernels = suited(request.text, request.kernels, outline)
    job = BlockJob(place, kernels, request.settings, target, request.resources)
    if request.explain:
        show(job.explain())
    outcome, method = job.run()
    return Report(outline, kernels, method, outcome, _size(target))


def _of_long_sound(place: Place, target: Path, request: Request, outline: Data) -> Report:
    kernels = suited(request.text, request.kernels, outline)
    job = LongJob(Path(place.path), outline, kernels[0], request.settings, target)
    outcome = job.run()
    return Report(outline, kernels, job.method, outcome, target.stat().st_size)


def _long_sound(place: Place, target: Path, request: Request) -> Data | None:
    if place.member or request.explain or len(request.kernels) > 1:
        return None
    return long_sound(Path(place.path), request.settings, target)


def _source(place: Place) -> Source | None:
    """A file whose array can be read part by part."""
    if not io.reads_regions(place.path):
        return None
    if io.format_of(place.path).name in CHUNKED:
        return io.open_source(place.path, place.member)
    with contextlib.suppress(FileError):  # reading it as a whole says better what is wrong
        return io.open_source(place.path, place.member)
    return None


def _check_complete(place: Place, source: Source, resources: Resources) -> None:
    if source.missing and not resources.fill:
        raise FileError(
            f"{place.path}: {source.missing} chunks are missing, give --missing fill if the fill "
            "value stands for them"
        )


def _by_blocks(outline: Data, place: Place, target: Path, request: Request) -> bool:
    """Whether the samples lie in chunks of their own anyway, or are too many for the memory."""
    names = {io.format_of(place.path).name, io.format_of(target).name}
    if names & CHUNKED or request.resources.scheduler is not None:
        return True
    too_many = request.max_pixels is not None and outline.array.size > request.max_pixels
    return not too_many and _budget.whole_bytes(outline) > _budget.left(request.resources.memory)


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
