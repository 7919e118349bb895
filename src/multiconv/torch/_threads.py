"""The engine on torch's threads, and on as many."""

from __future__ import annotations

import ctypes
import os
from threading import Lock
from typing import Any

import torch

from multiconv import _core
from multiconv._threads import get_num_threads, set_num_threads


def share_threads() -> None:
    """Run the engine's work on the threads that torch's operators run on.

    These go on asking for work for milliseconds after each operator: threads of the engine's own
    would have to share the processors with them.
    """
    try:
        runner = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):  # no OpenMP, or one of another kind
        return
    _core.run_threads_by(ctypes.cast(runner, ctypes.c_void_p).value or 0)


class _Borrowed:
    """The engine's number of threads, which is the process's, while torch's threads change it."""

    def __init__(self) -> None:
        self._lock, self._borrowers, self._own = Lock(), 0, 0
        release = self._lock.release
        os.register_at_fork(
            before=self._lock.acquire, after_in_parent=release, after_in_child=release
        )

    def __enter__(self) -> None:
        with self._lock:
            if not self._borrowers:
                self._own = get_num_threads()
            self._borrowers += 1
            set_num_threads(torch.get_num_threads())

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._borrowers -= 1
            if not self._borrowers:  # only the last one knows that nobody else needs it
                set_num_threads(self._own)


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


_BORROWED, _NOTHING = _Borrowed(), _Nothing()


def threads() -> Any:
    """A context in which the engine uses as many threads as torch does."""
    return _NOTHING if torch.get_num_threads() == get_num_threads() else _BORROWED
