"""What was measured, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from multiconv._problem import Problem
from multiconv._units import ratio

from . import _machine
from ._comparison import OURS, Comparison, Seconds
from ._model_result import ModelResult
from ._problems import Entry, Family

LAST = f"{OURS} last"
"""Layers with the channels on the last axis."""
ONE_SHOT = f"{OURS} one-shot"
"""Layers whose weights are packed in the call."""
R = TypeVar("R", bound=Comparison)


@dataclass(kw_only=True)
class Result(Comparison):
    """What came of one entry.

    Attributes
    ----------
    problem, filter, direction
        The entry's.
    algorithm : str
        What the planner chose.
    """

    problem: str
    filter: str
    direction: str = "forward"
    algorithm: str = ""

    @classmethod
    def of(cls, entry: Entry) -> Result:
        """Nothing yet."""
        return cls(family=entry.family, name=entry.name, problem=str(entry.problem),
                   filter=entry.filter, must=entry.must, aim=entry.aim,
                   direction=entry.direction)  # fmt: skip

    @property
    def best_of_ours(self) -> str:
        """Our quickest call with weights prepared, as peers have their best layout too."""
        return min((n for n in (OURS, LAST) if n in self.seconds), key=self.least)

    @property
    def one_shot(self) -> float | None:
        """The best peer's least time over ours where the weights are packed in the call."""
        best, ours = self.best_peer, self.seconds.get(ONE_SHOT)
        return self.least(best) / ours.minimum if best and ours else None

    @property
    def remarks(self) -> dict[str, str]:
        """The ratio of one-shot calls and the algorithm."""
        one_shot = "" if self.one_shot is None else ratio(self.one_shot)
        return {"one-shot": one_shot, "algorithm": self.algorithm}

    def parsed(self) -> Problem:
        """The problem."""
        return Problem.parse(self.problem)


@dataclass
class Report(Generic[R]):
    """A whole run.

    Attributes
    ----------
    machine : dict
        See `_machine.describe`.
    families : list of dict
        Key, title, picture and limit of each family.
    results : list of Result or of ModelResult
    suite : str
        ``"models"``, or one of `_problems.SUITES`.
    """

    machine: dict[str, Any]
    families: list[dict[str, Any]]
    results: list[R]
    suite: str = "single"

    @classmethod
    def of(
        cls, machine: dict[str, Any], families: Iterable[Family], results: list[R],
        suite: str = "single",
    ) -> Report[R]:  # fmt: skip
        """The results of families."""
        facts = [{"key": f.key, "title": f.title, "picture": f.picture, "within": f.within}
                 for f in families]  # fmt: skip
        return cls(machine, facts, results, suite)

    def family(self, key: str) -> list[R]:
        """The results of one family."""
        return [r for r in self.results if r.family == key]

    def lost(self) -> list[R]:
        """What failed, then what a peer is ahead in, furthest first."""
        failed = [r for r in self.results if r.failure]
        behind = [r for r in self.results if r.ratio is not None and r.ratio < 1]
        return failed + sorted(behind, key=lambda r: r.ratio or 0.0)

    def drawn(self, picture: str) -> list[R]:
        """What belongs in a picture and was timed."""
        keys = {f["key"] for f in self.families if f["picture"] == picture}
        return [r for r in self.results if r.family in keys and not r.failure]

    def save(self, path: Path) -> None:
        """Write JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report[Any]:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is another's.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            kind: type[Any] = ModelResult if stored["suite"] == "models" else Result
            results = [
                kind(**r | {"seconds": {n: Seconds(**s) for n, s in r["seconds"].items()}})
                for r in stored["results"]
            ]
            _machine.lines(stored["machine"])
            return cls(stored["machine"], stored["families"], results, stored["suite"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"read: {path} holds no results of a benchmark ({error})") from None
