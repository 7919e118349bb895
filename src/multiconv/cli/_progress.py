"""One bar with rate and time left, where a person looks on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ._console import console


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Units a second."""
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        scale, letter = (1e6, "M") if speed >= 1e6 else (1e3, "k") if speed >= 1e3 else (1.0, "")
        return Text(f"{speed / scale:.1f} {letter}{self._unit}/s", style="cyan")


@contextmanager
def showing(
    name: str, unit: str = "samples", *, quiet: bool = False
) -> Iterator[Callable[[int, int], None]]:
    """Yield what is to be told how many units are done, of how many."""
    if quiet or not console.is_terminal:
        yield lambda done, of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), _Rate(unit),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(name, total=None)
        yield lambda done, of: progress.update(bar, completed=done, total=of)
