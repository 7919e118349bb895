"""Measured choices, kept per problem, CPU and version."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache

from multiconv import _store
from multiconv._machine import machine
from multiconv._problem import Problem
from multiconv._version import __version__


def recall(problem: Problem) -> str | None:
    """The algorithm that was fastest when this problem was tuned on this machine, if it was."""
    return _choices().get(_key(problem))


def remember(problem: Problem, algorithm: str) -> None:
    """Keep a measured choice."""
    choices = _choices()
    choices.update(_stored())  # with what other processes have measured meanwhile
    choices[_key(problem)] = algorithm
    _store.save(_name(), dict(choices))


def forget() -> None:
    """Drop every measured choice."""
    _choices().clear()
    _store.save(_name(), {})


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """Recall nothing inside a ``with`` block; what is on disk stays."""
    kept = dict(_choices())
    _choices().clear()
    try:
        yield
    finally:
        _choices().update(kept)


@lru_cache(maxsize=1)
def _choices() -> dict[str, str]:
    return _stored()


def _stored() -> dict[str, str]:
    stored = _store.load(_name())
    if not isinstance(stored, dict):
        return {}
    return {k: v for k, v in stored.items() if isinstance(v, str)}


def _name() -> str:
    return f"wisdom-{__version__}.json"


def _key(problem: Problem) -> str:
    return f"{machine().cpu} | {problem}"
