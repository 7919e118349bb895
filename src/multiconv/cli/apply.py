"""``multiconv apply``: convolve a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from multiconv import io
from multiconv.io import Data

from . import _budget, _console
from ._arguments import per_axis
from ._batch import Tally, convolve_files, is_batch
from ._console import console
from ._one_file import Report, Request, convolve_file
from ._pipeline import label, parse_all
from ._recipe import Settings
from ._resources import Place, Resources, limited
from ._samples import Signed

LONGEST_ALIGNED = 40  # characters


def apply(
    kernel: Annotated[str, typer.Argument(
        metavar="KERNEL", show_default=False,
        help="A name with parameters (gaussian:sigma=2), a literal ([[0,-1,0],[-1,5,-1],[0,-1,0]])"
             " or a file; several in a row with | between them.")],
    sources: Annotated[list[str] | None, typer.Argument(
        metavar="INPUT...", show_default=False,
        help="A picture (PNG, JPEG, TIFF), a sound (WAV, FLAC) or an array (.npy, .npz, .zarr,"
             " file.h5:/dataset); many of them, or a pattern as 'photos/*.jpg'.")] = None,
    target: Annotated[str, typer.Argument(
        metavar="OUTPUT", show_default=False,
        help="The file to write, or the folder/ for the results of many; a file that exists is"
             " replaced when all went well.")] = "",
    mode: Annotated[str | None, typer.Option(
        metavar="WORD", show_default=False,
        help="Size of the result: same (as the input), full or valid. Default: same; for a sound"
             " through a sound file (a room, a loudspeaker): full.")] = None,
    boundary: Annotated[str | None, typer.Option(
        metavar="WORD", show_default=False,
        help="What lies outside: symmetric, reflect, edge, wrap or constant. Default: symmetric,"
             " so that edges do not darken; for sounds constant (silence).")] = None,
    stride: Annotated[str, typer.Option(
        metavar="N[,N]", help="Keep every Nth result, on all axes or on each.")] = "1",
    dilation: Annotated[str, typer.Option(
        metavar="N[,N]", help="Distance between the taps, on all axes or on each.")] = "1",
    dtype: Annotated[str | None, typer.Option(
        metavar="TYPE", show_default=False,
        help="Type of the samples written, such as uint8, uint16 or float32. Default: the"
             " input's. Integer depths keep their full scale, floats the input's units.")] = None,
    signed: Annotated[Signed, typer.Option(
        help="Values below 0 in a file that has none: clip them to 0, take their magnitude, or"
             " add half of full scale.")] = "clip",
    alpha: Annotated[Literal["keep", "blend"], typer.Option(
        help="Opacity: keep it as it is, or blend it with the colours, as a blur of something cut"
             " out needs.")] = "keep",
    method: Annotated[str, typer.Option(
        metavar="NAME", help="Force an algorithm; 'multiconv explain' lists them.")] = "auto",
    max_pixels: Annotated[int | None, typer.Option(
        metavar="N", show_default=False,
        help=f"Refuse larger pictures. Default: {io.MAX_PIXELS}, where they are read as a whole."
        )] = None,
    array: Annotated[str | None, typer.Option(
        metavar="NAME", help="Which array of a file that holds several.",
        show_default=False)] = None,
    memory: Annotated[str | None, typer.Option(
        metavar="SIZE", show_default=False,
        help="How much to take, as 2GB; arrays that need more are convolved in blocks. Default:"
             " half of what is free.")] = None,
    scheduler: Annotated[str | None, typer.Option(
        metavar="ADDRESS", show_default=False,
        help="Compute the blocks on a Dask cluster, as tcp://host:8786, that sees the same"
             " files.")] = None,
    missing: Annotated[Literal["refuse", "fill"], typer.Option(
        help="Chunks that were never written: refuse the input, or take its fill value.")]
        = "refuse",
    restart: Annotated[bool, typer.Option(
        "--restart", help="Begin anew, whatever a run that was stopped has left.")] = False,
    explain: Annotated[bool, typer.Option(
        "--explain", help="Print first how it will be computed, and why.")] = False,
) -> int:  # fmt: skip
    """Convolve a picture, a sound or an array with a kernel.

    All channels of a picture meet the same kernel. Results are rounded to the input's type and
    clipped; sounds whose peak would exceed full scale are scaled down, and it is said.

    Arrays larger than memory are convolved block by block; a run that is stopped goes on where it
    was when the same command is given again.
    """
    if not sources:
        raise ValueError("OUTPUT: is missing, give KERNEL INPUT OUTPUT")
    settings = Settings(
        mode, boundary, per_axis(stride, "stride"), per_axis(dilation, "dilation"), dtype, method,
        signed, alpha,
    )  # fmt: skip
    given = None if memory is None else _budget.allowed(memory)
    resources = Resources(_budget.allowed(memory), scheduler, restart, missing == "fill")
    early = parse_all(kernel)  # a mistake in it is cheaper to report than to read a file first
    request = Request(kernel, early, settings, resources, max_pixels, explain)
    with limited(given):
        if is_batch(sources, target):
            return _tell(convolve_files(sources, Path(target), request), target)
        place = Place.of(sources[0], array)
        _report(sources[0], target, convolve_file(place, Path(target), request))
        return 0


def _report(source: str, target: str, report: Report) -> None:
    shapes = [_console.shape(kernel.array.shape) for kernel in report.kernels]
    single = [math.prod(kernel.array.shape) for kernel in report.kernels] == [1]
    rows = [
        ("input", source, _facts(report.source)),
        ("kernel", label(report.kernels), f"{' | '.join(shapes)} tap{'' if single else 's'}"),
        ("algorithm", report.method, _console.duration(report.outcome.seconds)),
        ("output", target, f"{_facts(report.outcome.data)}, {_console.size(report.written)}"),
    ]
    width = min(max(len(value) for _, value, _ in rows), LONGEST_ALIGNED)
    for name, value, facts in rows:
        line = (f"{name:<11}", "dim"), f"{value:<{width}}  ", (facts, "cyan")
        console.print(Text.assemble(*line), soft_wrap=True)
    for note in report.outcome.notes:
        console.print(Text.assemble((f"{'note':<11}", "yellow"), note), soft_wrap=True)


def _tell(tally: Tally, folder: str) -> int:
    """Print what became of a batch; the exit status is 1 where files failed."""
    rows = [("written", len(tally.written), f"to {folder}"),
            ("skipped", len(tally.skipped), "done before and not changed since"),
            ("failed", len(tally.failed), "as told below")]  # fmt: skip
    for name, count, facts in rows:
        if count:
            line = (f"{name:<11}", "dim"), f"{count} file{'' if count == 1 else 's'} ", facts
            console.print(Text.assemble(*line), soft_wrap=True)
    for _, failure in tally.failed:
        console.print(Text(failure), soft_wrap=True)
    return 1 if tally.failed else 0


def _facts(data: Data) -> str:
    sizes: Any = [data.array.shape[a] for a in data.spatial_axes]
    if data.kind == "sound":
        seconds = sizes[0] / (data.rate or 1)
        channels = {1: "mono", 2: "stereo"}.get(data.channels, f"{data.channels} channels")
        return f"{seconds:.2f} s, {data.rate} Hz, {channels}, {data.subtype}"
    colours = "" if data.channel_axis is None else f", {_colours(data)}"
    if data.kind == "image" and len(sizes) == 2:
        return f"{sizes[1]} x {sizes[0]} pixels{colours}, {data.array.dtype.name}"
    return f"{_console.shape(sizes)}{colours}, {data.array.dtype.name}"


def _colours(data: Data) -> str:
    names = {1: "grey", 2: "grey + alpha", 3: "RGB", 4: "RGBA"} if data.channel_axis == -1 else {}
    return names.get(data.channels, f"{data.channels} channels")
