"""Work in threads: priced before it starts, few at a time, none for those who have gone."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Iterator

import anyio
from anyio.to_thread import run_sync

from ._room import Action, Message

MAX_SECONDS = 2.0
"""What one answer may take."""

MAX_STREAM_SECONDS = 600.0
"""What may be answered bit by bit."""

RUNNING, WAITING, STREAMS = 2, 64, 4


class TooDearError(ValueError):
    """The answer would take too long; the message says how long, and how long it may."""


class BusyError(RuntimeError):
    """Too many wait already."""


class Work:
    """The one queue of a server."""

    def __init__(self) -> None:
        self._running = anyio.CapacityLimiter(RUNNING)
        self._waiting = self._streaming = 0

    async def answer(self, action: Action, question: Message) -> Message:
        """One answer; when the task is cancelled while it waits for its turn, nothing is done."""
        assert action.answer is not None
        _check(action.price(question), MAX_SECONDS)
        if self._waiting >= WAITING:
            raise BusyError(f"{WAITING} questions wait already, ask again in a moment")
        self._waiting += 1
        try:
            return await run_sync(action.answer, question, limiter=self._running)
        finally:
            self._waiting -= 1

    async def answers(self, action: Action, question: Message) -> AsyncGenerator[Message, None]:
        """Answer after answer, until the last or until nobody listens."""
        assert action.answers is not None
        _check(action.price(question), MAX_STREAM_SECONDS)
        if self._streaming >= STREAMS:
            raise BusyError(f"{STREAMS} such jobs run already, close another page first")
        self._streaming += 1
        gone = threading.Event()
        try:
            answers = action.answers(question, gone.is_set)
            while (one := await run_sync(_next, answers)) is not None:
                yield one
        finally:
            gone.set()
            self._streaming -= 1


def _next(answers: Iterator[Message]) -> Message | None:
    return next(answers, None)


def _check(seconds: float, allowed: float) -> None:
    if seconds > allowed:
        raise TooDearError(
            f"this would take {seconds:,.1f} s, {allowed:g} s are allowed: make it smaller"
        )
