"""Room on the interpreter's own stack.

CPython keeps the frames of Python functions in pieces of 16 KB, and gives a piece back as soon as
its last frame ends. A loop that calls functions just where one piece ends maps and unmaps memory at
every call, which can make a network half as slow again, for no other reason than how deep
the caller's stack is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SLOTS = 2100
"""Of a frame that fits no piece in use: the new one has room for what it calls, too."""


def _call_in_wide_frame() -> Callable[..., Any]:
    names = " = ".join(f"_{i}" for i in range(_SLOTS))
    source = f"def call(function, arguments):\n return function(*arguments)\n {names} = None"
    space: dict[str, Any] = {}
    exec(source, space)  # no source text of ours has so many names
    call: Callable[..., Any] = space["call"]
    return call


_call = _call_in_wide_frame()


def with_room(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called where the interpreter's stack has room for all that it calls."""

    def run(*arguments: Any) -> Any:
        return _call(function, arguments)

    return run
