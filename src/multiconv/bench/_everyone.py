"""Rows of a table of all contestants, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from multiconv._units import duration, ratio

from ._comparison import is_ours
from ._model_result import ModelResult

TITLES = "contestant", "least", "median", "rounds", "times", "differs"


@dataclass(frozen=True)
class Row:
    """One contestant; the model stands in its first row alone."""

    cells: tuple[str, ...]
    ours: bool


def rows(results: Iterable[ModelResult]) -> Iterator[Row]:
    """Of every model, the quickest first."""
    for result in results:
        name = result.name
        for contestant, seconds in sorted(result.seconds.items(), key=lambda i: i[1].minimum):
            cells = (
                name, contestant, duration(seconds.minimum), duration(seconds.median),
                str(seconds.rounds), ratio(seconds.minimum / result.ours),
                f"{result.differences.get(contestant, 0.0):.0e}",
            )  # fmt: skip
            yield Row(cells, is_ours(contestant))
            name = ""
