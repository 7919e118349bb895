"""``multiconv demo``: the main job, on real input, beside independent results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from .. import _console
from .._console import console
from ._step import Scene, Step, StepResult, deviation
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
    start = time.perf_counter()
    steps = _steps()
    scene = Scene(out, image)
    _check(scene, steps, force)
    out.mkdir(parents=True, exist_ok=True)
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    with Progress(*columns, console=console, transient=True,
                  disable=not console.is_terminal) as progress:  # fmt: skip
        task = progress.add_task("", total=len(steps))
        for step in steps:
            progress.update(task, description=step.name)
            scene.results += step.run(scene)
            progress.advance(task)
    _report(scene, steps, time.perf_counter() - start)


def _steps() -> list[Step]:
    from . import _integral, _photo, _sheet, _sound, _tutorial, _volume

    return [
        Step("series", _tutorial.series),
        Step("integral", _integral.integral),
        Step("2-D layer", _tutorial.layer_2d),
        Step("3-D layer", _tutorial.layer_3d),
        Step("photograph", _photo.photo, _photo.FILES),
        Step("sound", _sound.sound, _sound.FILES),
        Step("volume", _volume.volume, _volume.FILES),
        Step("contact sheet", _sheet.sheet, _sheet.FILES),
    ]


def _check(scene: Scene, steps: list[Step], force: bool) -> None:
    """Refuse, before any work is done, what could not be finished."""
    if scene.folder.exists() and not scene.folder.is_dir():
        raise NotADirectoryError(f"out: {scene.folder} is no directory")
    for step in steps:
        for name in step.files:
            path = scene.folder / name
            if path.exists() and not force:
                raise FileExistsError(f"{path} exists already, --force replaces it")


def _report(scene: Scene, steps: list[Step], seconds: float) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("step", no_wrap=True)
    table.add_column("algorithm", style="cyan", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("max difference", justify="right", no_wrap=True)
    table.add_column("reference")
    for result in scene.results:
        table.add_row(*_row(result))
    console.print(Text(f"{equation(scene.shown['series'])}\n"))
    console.print(table)
    files = [name for step in steps for name in step.files]
    console.print()
    console.print(Text(f"{len(files)} files in {scene.folder}: {', '.join(files)}"))
    console.print(Text(f"Done in {seconds:.1f} s. Look at {scene.folder / files[-1]}", "bold"))


def _row(result: StepResult) -> tuple[str, ...]:
    seconds = _console.duration(result.seconds)
    return result.name, result.algorithm, seconds, deviation(result), result.reference
