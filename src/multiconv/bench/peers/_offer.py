"""A peer's call."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_SECONDS, MOST_BYTES = 3.0, 4e9


@dataclass(frozen=True)
class Offer:
    """A call that gives what a case asks for.

    Attributes
    ----------
    name : str
    run : callable
    seconds, bytes : float
        Rough guesses of time and working memory, which only tell what is out of the question.
    levels : float
        How far whole numbers may be from ours where the peer keeps fewer digits.
    unit, zero : float
        What one step of the result stands for, and which number stands for 0.
    """

    name: str
    run: Callable[[], Any]
    seconds: float = 0.0
    bytes: float = 0.0
    levels: float = 1.0
    unit: float = 1.0
    zero: float = 0.0

    @property
    def objection(self) -> str:
        """Why it is left out, if it is."""
        if self.bytes > MOST_BYTES:
            return f"would need about {self.bytes / 1e9:.0f} GB"
        if self.seconds > MOST_SECONDS:
            return f"would take about {self.seconds:.0f} s"
        return ""


def transform_seconds(points: float) -> float:
    """What an FFT there and back of so many points may take."""
    return 10 * points * math.log2(max(points, 2)) / 5e9
