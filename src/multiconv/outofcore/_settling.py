"""What blocks have written, brought to the disk while the next are computed."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from types import TracebackType

from ._place import sync


class Settling:
    """Brings files to the disk in a thread of its own, again and again.

    So the disk is busy from the first block on, no block waits for it, and little is left to do
    at the end. Folders are left to the system until then.

    Parameters
    ----------
    paths : sequence of str
        Those that there are, in this order.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._news, self._ended = threading.Event(), False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._settle, daemon=True)

    def written(self) -> None:
        """Tell that there is more in the files.

        Raises
        ------
        OSError
            If what was there before could not be brought to the disk.
        """
        self._news.set()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Settling:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._ended = True
        self._news.set()
        if error is None:  # else nobody should wait for the disk
            self._thread.join()
            if self._error is not None:
                raise self._error

    def _settle(self) -> None:
        try:
            while self._news.wait() and not self._ended:
                self._news.clear()
                for path in filter(os.path.isfile, self._paths):
                    sync(path)
        except OSError as error:
            self._error = error
