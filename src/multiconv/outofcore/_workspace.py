"""The hidden folder beside a target in which its successor grows."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from multiconv.io import FileError, replacing

from . import _place
from ._job import Job, Stage
from ._journal import Journal
from ._lock import locked
from ._settling import Settling


def partial_path(target: str) -> str:
    """Where a target's unfinished file or store lies."""
    folder, name = os.path.split(os.path.realpath(target))
    return os.path.join(folder, f".{name}.part", name)


class Workspace:
    """A kept run, or the place for a new one; only for who holds its lock."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.partial = partial_path(job.target)
        self._folder = os.path.dirname(self.partial)
        self._note = os.path.join(self._folder, "job.json")
        self._journal = os.path.join(self._folder, "journal")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep others away."""
        with locked(os.path.join(self._folder, "lock"), self._job.target):
            yield

    def journal(self) -> Journal:
        """The blocks that are written."""
        return Journal(self._journal)

    def settling(self) -> Settling:
        """Brings the blocks, then the journal that tells of them, to the disk."""
        return Settling([self.partial, self._journal])

    def forget_what_is_done(self, restart: bool) -> None:
        """Take away a kept run that is not to be gone on with, or that had put its result in place.

        The latter was stopped just before it would have taken its folder away.
        """
        with contextlib.suppress(FileNotFoundError):
            restart |= self._kept().get("inode") == os.stat(self._job.target).st_ino
        if restart:
            self._empty()

    def stages(self) -> Sequence[Stage]:
        """Those of the kept run, or of a new one, for which all is made ready."""
        kept = self._kept()
        if kept:
            self._compare(kept["identity"])
            return self._job.stages(self.partial, [tuple(block) for block in kept["blocks"]])
        try:
            return self._begun()
        except BaseException as error:
            self.remove()
            if isinstance(error, OSError) and error.errno:
                reason = os.strerror(error.errno)
                message = f"{self._job.target}: cannot be written ({reason})"
                raise type(error)(message) from error
            raise

    def _begun(self) -> Sequence[Stage]:
        self._empty()
        stages = self._job.stages(self.partial, None)
        self._job.create(self.partial)
        note = {"identity": dict(self._job.identity), "inode": os.stat(self.partial).st_ino,
                "blocks": [stage.block for stage in stages]}  # fmt: skip
        with replacing(self._note) as file:
            file.write(json.dumps(note, indent=1).encode())
        return stages

    def finish(self) -> None:
        """Put the result in place."""
        _place.settle(self.partial)
        self._keep_permissions()
        _place.put(self.partial, os.path.realpath(self._job.target))

    def remove(self) -> None:
        """Take away the folder."""
        self._empty()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _empty(self) -> None:
        """Take away all but the lock; the note last, so that a run stopped here is understood."""
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._folder), key=lambda name: name == "job.json"):
                path = os.path.join(self._folder, name)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                elif name != "lock":
                    os.unlink(path)

    def _kept(self) -> dict[str, Any]:
        try:
            with open(self._note, encoding="utf-8") as file:
                found = json.load(file)
        except (FileNotFoundError, ValueError):
            return {}
        return dict(found) if isinstance(found, Mapping) else {}

    def _compare(self, kept: Mapping[str, str]) -> None:
        now = self._job.identity
        other = [name for name in now if kept.get(name) != now[name]]
        if other:
            raise FileError(
                f"{self._job.target}: an unfinished run with another {' and '.join(other)} is kept "
                f"in {self._folder}; give the same again to go on, or --restart to begin anew"
            )

    def _keep_permissions(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.chmod(self.partial, os.stat(self._job.target).st_mode & 0o7777)
