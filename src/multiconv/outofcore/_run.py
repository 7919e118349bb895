"""A job run to its end, or so that the same command goes on."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from multiconv.io import lengths

from ._job import Job, Stage, Task
from ._journal import Journal
from ._runners import Runner
from ._settling import Settling
from ._workspace import Workspace, partial_path

Progress = Callable[[int, int], None]
"""Told how many samples are done, of how many."""


class Interrupted(Exception):  # noqa: N818
    """Ctrl-C was pressed; the message says how to go on."""


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes
    ----------
    blocks : int
        Blocks of all arrays.
    kept : int
        How many of them an earlier run had written.
    clipped : tuple of int
        Values of the first array that were clipped from below and above.
    block : tuple of int
        Shape of that array's blocks.
    """

    blocks: int
    kept: int
    clipped: tuple[int, int]
    block: tuple[int, ...]


def run(
    job: Job, runner: Runner, *, restart: bool = False,
    progress: Progress = lambda done, of: None,
) -> Summary:  # fmt: skip
    """Run a job, or what a run that was stopped left of it.

    Parameters
    ----------
    job : Job
        What to compute and where to.
    runner : Runner
        Who computes.
    restart : bool
        Forget a run that was stopped.
    progress : callable
        Told of every block.

    Returns
    -------
    Summary
        What was done.

    Raises
    ------
    BlockingIOError
        If another run is at this target.
    FileError
        If an unfinished run of another job is kept, or the input has changed; likewise what
        reading raises.
    OSError
        If a file cannot be read or written; the message says how to go on.
    Interrupted
        After Ctrl-C; likewise.
    """
    workspace = Workspace(job)
    with workspace.held():
        workspace.forget_what_is_done(restart)
        stages = workspace.stages()
        with workspace.journal() as journal:
            course = _Course(workspace.partial, stages, journal, progress)
            try:
                kept = course.check()
                with workspace.settling() as settling:
                    course.run(runner, settling)
                job.check_input()
                workspace.finish()
            except (KeyboardInterrupt, OSError, ValueError) as error:
                if not journal.entries:
                    workspace.remove()
                raise _explained(error, job, course) from error
            summary = Summary(course.blocks, kept, course.clipped(), stages[0].block)
        workspace.remove()
    return summary


class _Course:
    """The blocks of a job: those that are written, and those that are not."""

    def __init__(
        self, path: str, stages: Sequence[Stage], journal: Journal, progress: Progress
    ) -> None:
        self._tasks = [Task(path, stage) for stage in stages]
        self._journal, self._progress = journal, progress
        self._all = sum(math.prod(stage.shape) for stage in stages)
        self._done = 0
        self.blocks = sum(len(stage.grid) for stage in stages)

    @property
    def written(self) -> int:
        """How many blocks are written."""
        return len(self._journal.entries)

    def check(self) -> int:
        """Forget blocks that are not in the file as the journal says; count the others."""
        for (stage, number), entry in list(self._journal.entries.items()):
            if self._tasks[stage].kept(number, entry):
                self._advance(stage, number)
            else:
                del self._journal.entries[stage, number]
        return self.written

    def run(self, runner: Runner, settling: Settling) -> None:
        """Compute what is missing, one array after the other."""
        for stage, task in enumerate(self._tasks):
            missing = [n for n in range(len(task.stage.grid))
                       if (stage, n) not in self._journal.entries]  # fmt: skip
            with contextlib.closing(runner(task, missing)) as done:
                for number, entry in done:
                    self._journal.add((stage, number), entry)
                    settling.written()
                    self._advance(stage, number)

    def clipped(self) -> tuple[int, int]:
        """Values of the first array that were clipped from below and above."""
        found = [entry.clipped for (stage, _), entry in self._journal.entries.items() if not stage]
        return sum(low for low, _ in found), sum(high for _, high in found)

    def _advance(self, stage: int, number: int) -> None:
        self._done += math.prod(lengths(self._tasks[stage].stage.grid[number]))
        self._progress(self._done, self._all)


def _explained(error: BaseException, job: Job, course: _Course) -> BaseException:
    """The same error, in one sentence that says what is kept."""
    kept = (f"{course.written} of {course.blocks} blocks are kept, and the same command goes on"
            if course.written else "nothing was kept")  # fmt: skip
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(f"interrupted; {kept}")
    if not isinstance(error, OSError) or not error.errno:
        return type(error)(f"{error}; {kept}")
    within = str(error.filename or "").startswith(os.path.dirname(partial_path(job.target)))
    name = job.target if within or not error.filename else error.filename
    return type(error)(f"{name}: cannot be used ({os.strerror(error.errno)}); {kept}")
