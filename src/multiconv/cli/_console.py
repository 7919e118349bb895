"""The terminal: its console, and how shapes are written."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from multiconv._units import duration as duration
from multiconv._units import size as size


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command end: whoever read our output, such as head, has seen enough."""
        raise BrokenPipeError


console = _Console(highlight=False)
"""Results."""


def shape(sizes: Sequence[int]) -> str:
    """``'3 x 4'``."""
    return " x ".join(str(n) for n in sizes)


def sentence(error: BaseException) -> str:
    """An error as one sentence."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'file'}: cannot be used ({error.strerror})"
    return " ".join(str(error).split()) or "there is not enough memory"
