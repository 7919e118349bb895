"""Reads the files of `problems`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources

from multiconv._problem import Problem

SUITES = ("single", "layers")
"""Single channels, and the layers of networks."""
PASSES = ("forward", "input_grad", "weight_grad")
"""A layer, and its gradients in its input and in its kernel."""
NOT_BEHIND = 0.95
"""The ratio to reach where no other is said: no peer ahead by more than 5 %."""
GRADIENT = 1.3, 2.0
"""What gradients are to reach, and their aim."""


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
    direction : str
        One of `PASSES`.
    must, aim : float
        Ratios of the best peer's time to ours; 0 is no aim.
    """

    family: str
    name: str
    problem: Problem
    filter: str = ""
    direction: str = "forward"
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
    batches, passes : tuple
        Each problem stands for one entry of each batch size and pass.
    entries : list of Entry
    """

    key: str
    title: str
    picture: str = ""
    within: float = 0.0
    batches: tuple[int, ...] = (1,)
    passes: tuple[str, ...] = PASSES[:1]
    entries: list[Entry] = field(default_factory=list)


@lru_cache(maxsize=len(SUITES))
def families(suite: str = "single") -> tuple[Family, ...]:
    """The families of a suite."""
    if suite not in SUITES:
        raise ValueError(f"suite: {suite!r} is not allowed, give {' or '.join(SUITES)}")
    path = resources.files(__package__).joinpath("problems", f"{suite}.txt")
    return tuple(parse(path.read_text(encoding="utf-8").splitlines()))


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
                found[-1].entries += _entries(found[-1], line, must, aim)
            elif target := re.fullmatch(r"must ([\d.]+)(?: +aim ([\d.]+))?", line.strip()):
                must, aim = float(target[1]), float(target[2] or 0)
            else:
                _describe(found[-1], line)
        except ValueError as error:
            raise ValueError(f"problems: line {number}: {error}") from None
    return found


def select(
    only: str = "", family: str = "", suite: str = "single", batch: int | None = None
) -> list[Family]:
    """The families, or those named, with the entries that contain ``only``, of one batch size.

    Raises
    ------
    ValueError
        If a name is unknown or nothing is left.
    """
    names = [name for name in family.split(",") if name]
    known = {f.key: f for f in families(suite)}
    for name in names:
        if name not in known:
            raise ValueError(f"family: {name!r} is not allowed, give some of {', '.join(known)}")
    chosen = []
    for one in (known[n] for n in names or known):
        entries = [e for e in one.entries if only in str(e) and batch in (None, e.problem.batch)]
        if entries:
            chosen.append(replace(one, entries=entries))
    if not chosen:
        sized = "" if batch is None else f" at batch {batch}"
        raise ValueError(f"only: no problem's name contains {only!r}{sized}")
    return chosen


def _entries(family: Family, line: str, must: float, aim: float) -> list[Entry]:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) > 3:
        raise ValueError("has more than name | problem | filter")
    name, text, *spec = parts
    problem = Problem.parse(text)
    if str(problem) != text:
        raise ValueError(f"{text!r} is not canonical, write {str(problem)!r}")
    one = Entry(family.key, name, problem, spec[0] if spec else "", must=must, aim=aim)
    return [_varied(one, family, batch, way) for way in family.passes for batch in family.batches]


def _varied(one: Entry, family: Family, batch: int, way: str) -> Entry:
    if len(family.batches) == 1 and way == "forward":
        return one
    words = [one.name, *([f"mb{batch}"] if batch > 1 else []),
             *([way.replace("_", " ")] if way != "forward" else [])]  # fmt: skip
    must, aim = (one.must, one.aim) if way == "forward" else GRADIENT
    return replace(one, name=", ".join(words), direction=way, must=must, aim=aim,
                   problem=replace(one.problem, batch=one.problem.batch * batch))  # fmt: skip


def _describe(family: Family, line: str) -> None:
    match line.split():
        case ["picture", ("map" | "growth") as where]:
            family.picture = where
        case ["within", factor]:
            family.within = float(factor)
        case ["batches", *sizes] if all(size.isdigit() for size in sizes):
            family.batches = tuple(map(int, sizes))
        case ["passes", *words] if set(words) <= set(PASSES):
            family.passes = tuple(words)
        case _:
            raise ValueError(f"{line.strip()!r} is neither a problem nor a setting")
