"""``multiconv demo``: the main job, on real input, beside independent results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from multiconv import io

from .. import _console
from .._console import console
from ._step import Scene, StepResult, deviation
from ._tutorial import equation


def demo(
    out: Annotated[Path, typer.Option(
        metavar="DIR", help="Where to write; made if it does not exist.")
    ] = Path("multiconv-demo"),
    image: Annotated[Path | None, typer.Option(
        metavar="FILE", help="Your own photograph instead of the bundled one.",
        show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:  # fmt: skip
    """Show convolutions of every kind on real input, each checked against another library.

    Writes a photograph blurred, sharpened, reduced to its edges and embossed, a sound in a room, a
    smoothed volume, and one contact sheet of them all.
    """
    for needed in ("photo.png", "sound.wav"):  # say now if a library is missing
        io.format_of(needed).load("writing")
    from . import _photo
    from ._steps import FILES

    start = time.perf_counter()
    _check(out, FILES, force)
    scene = Scene(out, _photo.load(image or _photo.bundled()))
    out.mkdir(parents=True, exist_ok=True)
    _run(scene)
    _report(scene, FILES, time.perf_counter() - start)


def _check(folder: Path, files: tuple[str, ...], force: bool) -> None:
    """Refuse, before any work is done, what could not be finished."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"out: {folder} is no directory")
    for path in (folder / name for name in files):
        if path.exists() and not force:
            raise FileExistsError(f"{path} exists already, --force replaces it")


def _run(scene: Scene) -> None:
    from ._steps import STEPS

    with Progress(
        TextColumn("{task.description:<13}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=len(STEPS))
        for step in STEPS:
            progress.update(task, description=step.name)
            scene.results += step.run(scene)
            progress.advance(task)


def _report(scene: Scene, files: tuple[str, ...], seconds: float) -> None:
    console.print(Text(f"{equation(scene.shown['series'])}\n"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("step", no_wrap=True)
    table.add_column("algorithm", style="cyan", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("max difference", justify="right", no_wrap=True)
    table.add_column("reference")
    for result in scene.results:
        table.add_row(*_row(result))
    console.print(table)
    console.print()
    console.print(Text(f"{len(files)} files in {scene.folder}: {', '.join(files)}"))
    console.print(Text(f"Done in {seconds:.1f} s. Look at {scene.folder / files[-1]}", "bold"))


def _row(result: StepResult) -> tuple[str, ...]:
    seconds = _console.duration(result.seconds)
    return result.name, result.algorithm, seconds, deviation(result), result.reference
