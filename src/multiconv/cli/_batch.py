"""Many files convolved with the same kernel, into one folder."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

import multiconv as mc
from multiconv import io
from multiconv._errors import MissingExtraError
from multiconv.io import FileError
from multiconv.outofcore import Interrupted, locked

from ._batch_record import Record
from ._console import sentence
from ._one_file import Request, convolve_file
from ._progress import showing
from ._resources import Place

LOCK = ".multiconv-batch.lock"
FATAL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass
class Tally:
    """What became of the files, each list in the order in which they were given."""

    written: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def is_batch(sources: Sequence[str], target: str) -> bool:
    """Whether these arguments mean many files and a folder."""
    if len(sources) > 1 or target.endswith(("/", os.sep)):
        return True
    return glob.has_magic(sources[0]) and not os.path.lexists(sources[0])


def convolve_files(sources: Sequence[str], folder: Path, request: Request) -> Tally:
    """Convolve files into a folder, past those that are bad; files that are done are skipped."""
    paths = _expanded(sources)
    targets = _targets(paths, folder)
    _check_alike(paths)
    folder.mkdir(exist_ok=True)
    with locked(str(folder / LOCK), str(folder)):
        record = Record(folder, request)
        return _run(list(zip(paths, targets, strict=True)), record, request)


def _run(pairs: list[tuple[str, Path]], record: Record, request: Request) -> Tally:
    waiting = [place for place, pair in enumerate(pairs) if not record.holds(*pair)]
    failures: dict[int, str] = {}
    single = replace(request, resources=request.resources.shared(mc.get_num_threads()))
    with showing("files", "files", quiet=request.resources.quiet) as progress:
        try:
            for count, (place, failure) in enumerate(_each(pairs, waiting, single), 1):
                if failure is None:
                    record.add(*pairs[place])
                else:
                    failures[place] = failure
                progress(len(pairs) - len(waiting) + count, len(pairs))
        except (KeyboardInterrupt, OSError) as error:
            raise _stopped(error, record.count, len(pairs)) from error
    return _tally(pairs, waiting, failures)


def _each(
    pairs: list[tuple[str, Path]], waiting: list[int], request: Request
) -> Iterator[tuple[int, str | None]]:
    """Convolve files, each on one thread; yields which is done and what was wrong with it."""
    with mc.num_threads(1), ThreadPoolExecutor(request.resources.files) as pool:
        running = {pool.submit(_one, pairs[place], request): place for place in waiting}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _one(pair: tuple[str, Path], request: Request) -> str | None:
    """Convolve one file; gives what was wrong with it."""
    source, target = pair
    try:
        convolve_file(Place.of(source, None), target, request)
    except (ValueError, TypeError, MemoryError, MissingExtraError, OSError) as error:
        if _reason(error) in FATAL:
            raise
        return sentence(error)
    return None


def _reason(error: BaseException | None) -> int | None:
    """The system's number for an error, or for the one that it came from."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error.errno
        error = error.__cause__
    return None


def _stopped(error: BaseException, written: int, of: int) -> BaseException:
    how = f"{written} of {of} files are written, and the same command goes on"
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(f"interrupted; {how}")
    return OSError(f"{sentence(error)}; {how}")


def _tally(pairs: list[tuple[str, Path]], waiting: list[int], failures: dict[int, str]) -> Tally:
    names = [source for source, _ in pairs]
    done = [names[place] for place in waiting if place not in failures]
    skipped = [name for place, name in enumerate(names) if place not in set(waiting)]
    return Tally(done, skipped, [(names[p], failures[p]) for p in sorted(failures)])


def _expanded(sources: Sequence[str]) -> list[str]:
    """The files that names and patterns stand for, each pattern's in the order of their names."""
    found: list[str] = []
    for text in sources:
        if os.path.lexists(text) or not glob.has_magic(text):
            found.append(text)
            continue
        matches = sorted(glob.glob(text, recursive=True))
        if not matches:
            raise FileError(f"{text}: matches no file")
        found += [path for path in matches if os.path.isfile(path) or path.endswith(".zarr")]
    return list(dict.fromkeys(found))


def _targets(paths: Sequence[str], folder: Path) -> list[Path]:
    """Where each result goes; refuses two at one place, and one in its input's."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: is a file, give a folder for several results")
    taken: dict[str, str] = {}
    for path in paths:
        name = os.path.basename(os.path.normpath(path))
        if name in taken:
            first, place = taken[name], folder / name
            raise FileError(f"{place}: would be written for {first} and for {path}")
        if os.path.realpath(path) == os.path.realpath(folder / name):
            raise FileError(f"{folder}: holds the input {path} itself, give another folder")
        taken[name] = path
    return [folder / name for name in taken]


def _check_alike(paths: Sequence[str]) -> None:
    """Refuse kinds of files that no kernel suits together."""
    kinds: dict[str, str] = {}
    for path in paths:
        kinds.setdefault(_kind(path), path)
    if len(kinds) > 1:
        (one, first), (other, second) = list(kinds.items())[:2]
        raise FileError(f"{first} holds {one} and {second} {other}, give one kind at a time")


def _kind(path: str) -> str:
    form = io.format_of(path)
    if form.kind != "array" or not io.reads_regions(path):
        return {"image": "a picture", "sound": "a sound", "array": "an array"}[form.kind]
    try:
        ndim = io.open_source(path).outline.array.ndim
    except (ValueError, OSError):  # a bad file is told of in its turn
        return "an array"
    return f"an array of {ndim} ax{'i' if ndim == 1 else 'e'}s"
