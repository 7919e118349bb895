"""Rooms and what they answer, whoever asks: a browser over HTTP or a notebook's widget."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from multiconv._typing import Array

Cancelled = Callable[[], bool]
"""Whether whoever asked has gone."""


@dataclass(frozen=True)
class Message:
    """A question or an answer: plain values, as JSON knows them, and named arrays."""

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)


Answer = Callable[[Message], Message]
Answers = Callable[[Message, Cancelled], Iterator[Message]]
Price = Callable[[Message], float]
"""Seconds that an answer will take; raises ValueError where the question makes no sense."""


@dataclass(frozen=True)
class Action:
    """One question that a room answers, at once or bit by bit."""

    price: Price
    answer: Answer | None = None
    answers: Answers | None = None


class Room:
    """The questions of one room.

    Parameters
    ----------
    name : str
        As in the page's address.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.actions: dict[str, Action] = {}

    def action(self, price: Price) -> Callable[[Answer], Answer]:
        """Register a function that answers the question of its own name."""

        def register(answer: Answer) -> Answer:
            self.actions[answer.__name__] = Action(price, answer)
            return answer

        return register

    def stream(self, price: Price) -> Callable[[Answers], Answers]:
        """Register a generator that answers bit by bit and ends when nobody listens any more."""

        def register(answers: Answers) -> Answers:
            self.actions[answers.__name__] = Action(price, answers=answers)
            return answers

        return register


@cache
def all_rooms() -> dict[str, Room]:
    """Every room by its name: a module of the package ``rooms`` holds one as ``room``."""
    package = importlib.import_module(f"{__package__}.rooms")
    names = [m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")]
    found = [importlib.import_module(f"{package.__name__}.{name}").room for name in names]
    return {room.name: room for room in found}


def at_once(question: Message) -> float:
    """The price of what takes next to no time."""
    return 0.0
