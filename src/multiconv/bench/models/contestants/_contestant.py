"""A way to run a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._case import Run


@dataclass(frozen=True)
class Contestant:
    """Its name, and what gives its call; that may fail, as the call may."""

    name: str
    ready: Callable[[], Run]
