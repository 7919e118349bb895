"""How far a long run is: one line that renews itself, or plain lines where nobody watches."""

from __future__ import annotations

from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Progress:
    """A context manager; `step` tells what was done, `note` what is being done."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._status = Status("starting", console=self._console)
        self._watched = self._console.is_terminal
        self._total, self._done = total, 0

    def __enter__(self) -> Progress:
        if self._watched:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._watched:
            self._status.stop()

    def step(self, text: str) -> None:
        """One more is done."""
        self._done += 1
        self.note(text)
        if not self._watched:
            self._console.print(self._line(text), soft_wrap=True)

    def note(self, text: str) -> None:
        """What is being done, for who watches."""
        if self._watched:
            self._status.update(self._line(text))

    def _line(self, text: str) -> Text:
        return Text(f"{self._done}/{self._total}  {text}")
