"""A time limit for computations in Python that may never end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any, TypeVar

SELDOM = 256
"""Calls from one look at the clock to the next."""

Result = TypeVar("Result")


class _Expired(BaseException):
    """No `Exception`, which libraries catch."""


def within(seconds: float, compute: Callable[[], Result]) -> Result | None:
    """What ``compute()`` returns, or None if it fails or takes longer.

    The clock, of this thread's own work, is looked at by the profiling hook at calls of
    functions: unlike a signal that works in any thread, and unlike a process it needs no copies
    of the expressions.
    """
    end = time.thread_time() + seconds
    before = sys.getprofile()

    calls = count(1)

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if next(calls) % SELDOM == 0 and time.thread_time() > end:
            sys.setprofile(before)
            raise _Expired

    sys.setprofile(watch)
    try:
        return compute()
    except (_Expired, Exception):
        return None
    finally:
        sys.setprofile(before)
