"""What a comparison of times says, whatever was timed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

OURS = "multiconv"
"""The first word of our contestants' names; others are peers."""


def is_ours(name: str) -> bool:
    """Whether a contestant is this library."""
    return name.split()[0] == OURS


@dataclass(frozen=True)
class Seconds:
    """One contestant's time of a call."""

    minimum: float
    median: float
    rounds: int


@dataclass(kw_only=True)
class Comparison:
    """Our time beside others'.

    Attributes
    ----------
    family, name : str
    must, aim : float
        Ratios of the best peer's time to ours; 0 is no aim.
    seconds : dict
        Contestants that were timed.
    left_out : dict of str to str
        Those that were not, and why.
    failure : str
        Why nothing was timed: the results differ, or our call itself failed.
    """

    thing: ClassVar[str] = "problem"
    family: str
    name: str
    must: float
    aim: float
    seconds: dict[str, Seconds] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    def __str__(self) -> str:
        return f"{self.family} {self.name}"

    @property
    def best_of_ours(self) -> str:
        """Our quickest way, as peers have their best too."""
        return min(filter(is_ours, self.seconds), key=self.least)

    @property
    def ours(self) -> float:
        """Our least time."""
        return self.least(self.best_of_ours)

    @property
    def best_peer(self) -> str | None:
        """The quickest other, if any ran."""
        return self.best_of("")

    def best_of(self, words: str) -> str | None:
        """The quickest other whose name begins so, if any ran."""
        peers = [n for n in self.seconds if not is_ours(n) and n.startswith(words)]
        return min(peers, key=self.least, default=None)

    @property
    def ratio(self) -> float | None:
        """The best peer's least time over ours."""
        return self.ratio_of(self.best_peer)

    def ratio_of(self, peer: str | None) -> float | None:
        """A peer's least time over ours."""
        return None if peer is None else self.least(peer) / self.ours

    @property
    def judged(self) -> float | None:
        """The ratio that is to reach `must`."""
        return self.ratio

    @property
    def verdict(self) -> str:
        """``failed``, ``miss``, ``must``, ``aim``, or nothing where no peer ran."""
        if self.failure:
            return "failed"
        if self.judged is None:
            return ""
        if self.judged < self.must:
            return "miss"
        return "aim" if self.aim and self.judged >= self.aim else "must"

    @property
    def remarks(self) -> dict[str, str]:
        """What a wide table says of it besides, by column."""
        return {}

    def least(self, name: str) -> float:
        """A contestant's least time."""
        return self.seconds[name].minimum
