"""Writing that cannot leave half a file."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of ``path`` when the block ends well.

    The bytes go to a temporary file beside ``path`` and are on the disk before the old file is
    replaced in one step. When the block raises, ``path`` stays as it was and the temporary file is
    removed. A link is followed, and permissions are kept.

    Raises
    ------
    OSError
        If the file cannot be written; the message names ``path``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from multiconv.io import replacing
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "note.txt"
    >>> with replacing(target) as file:
    ...     _ = file.write(b"all or nothing")
    >>> target.read_text()
    'all or nothing'
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(".tmp", f".{name[:64]}.", folder)
        os.close(descriptor)
        with open(temporary, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _permissions(target))
        os.replace(temporary, target)
        temporary = None
        _sync_folder(folder)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise type(error)(f"{path}: cannot be written ({reason})") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _permissions(target: str) -> int:
    """Those of the file to be replaced, else those of any new file."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o666 & ~umask


def _sync_folder(folder: str) -> None:
    """Make the new name last, where folders can be synchronised."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
