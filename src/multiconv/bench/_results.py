"""What was measured, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from multiconv._problem import Problem

from . import _machine
from ._problems import Entry, Family

OURS = "multiconv"
LAST = "multiconv last"
"""Layers with the channels on the last axis."""
ONE_SHOT = "multiconv one-shot"
"""Layers whose weights are packed in the call."""


@dataclass(frozen=True)
class Seconds:
    """One contestant's time of a call."""

    minimum: float
    median: float
    rounds: int


@dataclass
class Result:
    """What came of one entry.

    Attributes
    ----------
    family, name, problem, filter, must, aim, direction
        The entry's.
    algorithm : str
        What the planner chose.
    seconds : dict
        Contestants that were timed.
    left_out : dict of str to str
        Peers that were not, and why.
    failure : str
        Why nothing was timed: the results differ, or the call itself failed.
    """

    family: str
    name: str
    problem: str
    filter: str
    must: float
    aim: float
    direction: str = "forward"
    algorithm: str = ""
    seconds: dict[str, Seconds] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    @classmethod
    def of(cls, entry: Entry) -> Result:
        """Nothing yet."""
        return cls(entry.family, entry.name, str(entry.problem), entry.filter, entry.must,
                   entry.aim, entry.direction)  # fmt: skip

    def __str__(self) -> str:
        return f"{self.family} {self.name}"

    @property
    def best_of_ours(self) -> str:
        """Our quickest call with weights prepared, as peers have their best layout too."""
        return min((n for n in (OURS, LAST) if n in self.seconds),
                   key=lambda n: self.seconds[n].minimum)  # fmt: skip

    @property
    def ours(self) -> float:
        """Our least time."""
        return self.seconds[self.best_of_ours].minimum

    @property
    def best_peer(self) -> str | None:
        """The quickest other, if any ran."""
        peers = [name for name in self.seconds if name not in (OURS, LAST, ONE_SHOT)]
        return min(peers, key=lambda n: self.seconds[n].minimum, default=None)

    @property
    def ratio(self) -> float | None:
        """The best peer's least time over ours."""
        best = self.best_peer
        return None if best is None else self.seconds[best].minimum / self.ours

    @property
    def one_shot(self) -> float | None:
        """The best peer's least time over ours where the weights are packed in the call."""
        best, ours = self.best_peer, self.seconds.get(ONE_SHOT)
        return self.seconds[best].minimum / ours.minimum if best and ours else None

    @property
    def verdict(self) -> str:
        """``failed``, ``miss``, ``must``, ``aim``, or nothing where no peer ran."""
        if self.failure:
            return "failed"
        if self.ratio is None:
            return ""
        if self.ratio < self.must:
            return "miss"
        return "aim" if self.aim and self.ratio >= self.aim else "must"

    def parsed(self) -> Problem:
        """The problem."""
        return Problem.parse(self.problem)


@dataclass
class Report:
    """A whole run.

    Attributes
    ----------
    machine : dict
        See `_machine.describe`.
    families : list of dict
        Key, title, picture and limit of each family.
    results : list of Result
    suite : str
        Which of `_problems.SUITES`.
    """

    machine: dict[str, Any]
    families: list[dict[str, Any]]
    results: list[Result]
    suite: str = "single"

    @classmethod
    def of(
        cls, machine: dict[str, Any], families: Iterable[Family], results: list[Result],
        suite: str = "single",
    ) -> Report:  # fmt: skip
        """The results of families."""
        facts = [{"key": f.key, "title": f.title, "picture": f.picture, "within": f.within}
                 for f in families]  # fmt: skip
        return cls(machine, facts, results, suite)

    def family(self, key: str) -> list[Result]:
        """The results of one family."""
        return [r for r in self.results if r.family == key]

    def lost(self) -> list[Result]:
        """What failed, then what a peer is ahead in, furthest first."""
        failed = [r for r in self.results if r.failure]
        behind = [r for r in self.results if r.ratio is not None and r.ratio < 1]
        return failed + sorted(behind, key=lambda r: r.ratio or 0.0)

    def drawn(self, picture: str) -> list[Result]:
        """What belongs in a picture and was timed."""
        keys = {f["key"] for f in self.families if f["picture"] == picture}
        return [r for r in self.results if r.family in keys and not r.failure]

    def save(self, path: Path) -> None:
        """Write JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is another's.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            results = [
                Result(**r | {"seconds": {n: Seconds(**s) for n, s in r["seconds"].items()}})
                for r in stored["results"]
            ]
            _machine.lines(stored["machine"])
            return cls(stored["machine"], stored["families"], results, stored["suite"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"read: {path} holds no results of a benchmark ({error})") from None
