"""``multiconv bench``: other libraries beside this one, the planner's choices, the errors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multiconv._errors import MissingExtraError

from ._console import console

DIFFERENT = 1
"""Exit status where a result differs from another library's."""


def bench(
    suite: Annotated[str, typer.Argument(
        metavar="[SUITE]", show_default=False,
        help="single: signals, images, volumes; layers: networks'; models: whole networks. With "
             "--planner: how many problems to draw, 500 unless given.")] = "single",
    family: Annotated[str, typer.Option(
        metavar="NAME[,NAME]", help="These families of problems only.")] = "",
    only: Annotated[str, typer.Option(
        metavar="TEXT", help="The problems whose name, family first, contains this.")] = "",
    batch: Annotated[int | None, typer.Option(
        metavar="N", min=1, help="The problems of this batch size.", show_default=False)] = None,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Rounds a problem.")] = 15,
    seconds: Annotated[float | None, typer.Option(
        metavar="S", min=0, show_default=False,
        help="Time a problem, after which no round begins; 2.5, of models 60 unless given.")
    ] = None,
    threads: Annotated[int | None, typer.Option(
        metavar="N", help="For everyone; those in use unless given.", show_default=False)] = None,
    quick: Annotated[bool, typer.Option(
        "--quick", help="The smallest problem of each family, three rounds.")] = False,
    json: Annotated[Path | None, typer.Option(
        metavar="FILE", help="Write the figures here.", show_default=False)] = None,
    pictures: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Draw the ratios, of single channels the growth of cost too, here.",
        show_default=False)] = None,
    publish: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Write figures, table and pictures here.", show_default=False)] = None,
    read: Annotated[Path | None, typer.Option(
        metavar="FILE", help="Show what --json wrote instead of measuring.",
        show_default=False)] = None,
    planner: Annotated[bool, typer.Option(
        "--planner", help="Time every algorithm on N random problems and judge the choices.")
    ] = False,
    accuracy: Annotated[bool, typer.Option(
        "--accuracy", help="The error of every algorithm on every layer, against float64.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of --planner's draw.")] = 0,
) -> int:  # fmt: skip
    """Time this library beside others on the same problems, or judge its planner or its accuracy.

    Results are compared before anything is timed; everyone has the same number of threads and
    runs once in each round; the ratio is that of the least times, above 1 where this library is
    ahead. What is lost is printed first.
    """
    try:
        from multiconv.bench import run
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        raise MissingExtraError(
            f"bench: needs {library}, install it with: pip install 'multiconv[bench]'"
        ) from None
    for folder in (pictures, publish):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    where = run.Where(json, pictures, publish)
    if planner:
        return run.planner(console, where, _count(suite), seed, threads)
    if accuracy:
        return run.accuracy(console, where, family, only, threads)
    if read is not None:
        report = run.read(read)
    else:
        effort = run.QUICK if quick else run.effort_of(suite, rounds, seconds)
        report = run.measure(suite, family, only, effort, threads, batch=batch, smallest=quick)
    run.show(console, report, where)
    return DIFFERENT if any(r.failure for r in report.results) else 0


def _count(word: str) -> int:
    """How many problems are to be drawn."""
    if word == "single":
        return 500
    if not word.isdigit():
        raise ValueError(f"count: {word!r} is not allowed, give a number of problems")
    return int(word)
