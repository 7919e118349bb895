"""``multiconv apply``: convolve a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from multiconv import io

from . import _console
from ._arguments import per_axis
from ._console import console
from ._explanation import show
from ._filtering import Job, Outcome, Settings
from ._kernel_argument import Kernel, parse
from ._long_sound import LongJob, long_sound
from ._samples import Signed

LONGEST_ALIGNED = 40  # characters


def apply(
    kernel: Annotated[str, typer.Argument(
        metavar="KERNEL", show_default=False,
        help="A name with parameters (gaussian:sigma=2), a literal ([[0,-1,0],[-1,5,-1],[0,-1,0]])"
             " or a file.")],
    source: Annotated[Path, typer.Argument(
        metavar="INPUT", show_default=False,
        help="A picture (PNG, JPEG, TIFF), a sound (WAV, FLAC) or an array (.npy, .npz).")],
    target: Annotated[Path, typer.Argument(
        metavar="OUTPUT", show_default=False,
        help="The file to write; one that exists is replaced when all went well.")],
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
    max_pixels: Annotated[int, typer.Option(
        metavar="N", help="Refuse larger pictures.")] = io.MAX_PIXELS,
    array: Annotated[str | None, typer.Option(
        metavar="NAME", help="Which array of an .npz file.", show_default=False)] = None,
    explain: Annotated[bool, typer.Option(
        "--explain", help="Print first how it will be computed, and why.")] = False,
) -> None:  # fmt: skip
    """Convolve a picture, a sound or an array with a kernel.

    All channels of a picture meet the same kernel. Results are rounded to the input's type and
    clipped; sounds whose peak would exceed full scale are scaled down, and it is said.
    """
    settings = Settings(
        mode, boundary, per_axis(stride, "stride"), per_axis(dilation, "dilation"), dtype, method,
        signed, alpha,
    )  # fmt: skip
    io.check_target(target)
    early = parse(kernel)  # a mistake in it is cheaper to report than to read a large file first
    long = None if array or explain else long_sound(source, settings, target)
    if long is not None:
        taps = _taps(kernel, early, long)
        work = LongJob(source, long, taps, settings, target)
        outcome = work.run()
        _report(source, long, taps, work.method, target, outcome, target.stat().st_size)
        return
    data = io.read(source, max_pixels=max_pixels, member=array)
    taps = _taps(kernel, early, data)
    job = Job(data, taps, settings, target)
    io.check_write(target, job.prototype)
    if explain:
        show(job.plan.explain())
    outcome = job.run()
    written = io.write(target, outcome.data)
    _report(source, data, taps, job.plan.algorithm, target, outcome, written)


def _taps(text: str, early: Kernel, data: io.Data) -> Kernel:
    """The kernel, of as many axes as suit this input if it is a named one."""
    if early.data is not None:
        return early
    return parse(text, ndim=min(len(data.spatial_axes), 2) or 1)


def _report(
    source: Path, data: io.Data, kernel: Kernel, method: str, target: Path, outcome: Outcome,
    written: int,
) -> None:  # fmt: skip
    taps = math.prod(kernel.array.shape)
    kernel_facts = f"{_console.shape(kernel.array.shape)} tap{'' if taps == 1 else 's'}"
    rows = [
        ("input", str(source), _facts(data)),
        ("kernel", kernel.label, kernel_facts),
        ("algorithm", method, _console.duration(outcome.seconds)),
        ("output", str(target), f"{_facts(outcome.data)}, {_console.size(written)}"),
    ]
    width = min(max(len(value) for _, value, _ in rows), LONGEST_ALIGNED)
    for name, value, facts in rows:
        line = (f"{name:<11}", "dim"), f"{value:<{width}}  ", (facts, "cyan")
        console.print(Text.assemble(*line), soft_wrap=True)
    for note in outcome.notes:
        console.print(Text.assemble((f"{'note':<11}", "yellow"), note), soft_wrap=True)


def _facts(data: io.Data) -> str:
    sizes: Any = [data.array.shape[a] for a in data.spatial_axes]
    if data.kind == "sound":
        seconds = sizes[0] / (data.rate or 1)
        channels = {1: "mono", 2: "stereo"}.get(data.channels, f"{data.channels} channels")
        return f"{seconds:.2f} s, {data.rate} Hz, {channels}, {data.subtype}"
    colours = "" if data.channel_axis is None else f", {_colours(data)}"
    if data.kind == "image" and len(sizes) == 2:
        return f"{sizes[1]} x {sizes[0]} pixels{colours}, {data.array.dtype.name}"
    return f"{_console.shape(sizes)}{colours}, {data.array.dtype.name}"


def _colours(data: io.Data) -> str:
    names = {1: "grey", 2: "grey + alpha", 3: "RGB", 4: "RGBA"}
    return names.get(data.channels, f"{data.channels} channels")
