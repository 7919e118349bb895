"""Reads `problems.txt`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

from multiconv._problem import Problem

NOT_BEHIND = 0.95
"""The ratio to reach where no other is said: no peer ahead by more than 5 %."""


@dataclass(frozen=True)
class Entry:
    """One problem to time.

    Attributes
    ----------
    family, name : str
        Together they name it.
    problem : Problem
    filter : str
        What runs, of `multiconv.filters`, where it is no plain convolution.
    must, aim : float
        Ratios of the best peer's time to ours; 0 is no aim.
    """

    family: str
    name: str
    problem: Problem
    filter: str = ""
    must: float = NOT_BEHIND
    aim: float = 0.0

    def __str__(self) -> str:
        return f"{self.family} {self.name}"


@dataclass
class Family:
    """Problems that belong together in a table.

    Attributes
    ----------
    key, title : str
    picture : str
        ``"map"``, ``"growth"`` or none: where the results are drawn.
    within : float
        How far the time per sample may be from its best; 0 is no matter.
    entries : list of Entry
    """

    key: str
    title: str
    picture: str = ""
    within: float = 0.0
    entries: list[Entry] = field(default_factory=list)


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """The families of `problems.txt`."""
    text = resources.files(__package__).joinpath("problems.txt").read_text(encoding="utf-8")
    return tuple(parse(text.splitlines()))


def parse(lines: Iterable[str]) -> list[Family]:
    """The families that lines describe.

    Raises
    ------
    ValueError
        If a line cannot be understood; the message holds its number.
    """
    found: list[Family] = []
    must, aim = NOT_BEHIND, 0.0
    for number, line in enumerate(lines, start=1):
        try:
            if not line.strip() or line.startswith("#"):
                continue
            if heading := re.fullmatch(r"\[(\w+)\] (.+)", line.strip()):
                found.append(Family(heading[1], heading[2]))
                must, aim = NOT_BEHIND, 0.0
            elif not found:
                raise ValueError("comes before the first [family]")
            elif "|" in line:
                found[-1].entries.append(_entry(found[-1].key, line, must, aim))
            elif target := re.fullmatch(r"must ([\d.]+)(?: +aim ([\d.]+))?", line.strip()):
                must, aim = float(target[1]), float(target[2] or 0)
            else:
                _describe(found[-1], line)
        except ValueError as error:
            raise ValueError(f"problems: line {number}: {error}") from None
    return found


def select(only: str = "", family: str = "") -> list[Family]:
    """The families, or those named, with the entries that contain ``only``.

    Raises
    ------
    ValueError
        If a name is unknown or nothing is left.
    """
    names = [name for name in family.split(",") if name]
    known = {f.key: f for f in families()}
    for name in names:
        if name not in known:
            raise ValueError(f"family: {name!r} is not allowed, give some of {', '.join(known)}")
    chosen = []
    for one in (known[n] for n in names or known):
        entries = [e for e in one.entries if only in str(e)]
        if entries:
            chosen.append(Family(one.key, one.title, one.picture, one.within, entries))
    if not chosen:
        raise ValueError(f"only: no problem's name contains {only!r}")
    return chosen


def _entry(family: str, line: str, must: float, aim: float) -> Entry:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) > 3:
        raise ValueError("has more than name | problem | filter")
    name, text, *spec = parts
    problem = Problem.parse(text)
    if str(problem) != text:
        raise ValueError(f"{text!r} is not canonical, write {str(problem)!r}")
    return Entry(family, name, problem, spec[0] if spec else "", must, aim)


def _describe(family: Family, line: str) -> None:
    match line.split():
        case ["picture", ("map" | "growth") as where]:
            family.picture = where
        case ["within", factor]:
            family.within = float(factor)
        case _:
            raise ValueError(f"{line.strip()!r} is neither a problem nor a setting")
