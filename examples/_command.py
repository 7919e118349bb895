"""The command line that the examples share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from _layers import ENGINES


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    name: str
    engines: tuple[str, ...]
    epochs: int
    quick: bool
    out: Path
    seed: int


def options(name: str, purpose: str, *, epochs: int, quick_epochs: int) -> Options:
    """Read the command line."""
    written = argparse.RawDescriptionHelpFormatter  # the heading keeps its line
    parser = argparse.ArgumentParser(description=purpose, formatter_class=written)
    add = parser.add_argument
    add("--engine", choices=[*ENGINES, "both"], default="both", help="whose layers (both)")
    add("--epochs", type=_at_least_one, help=f"passes over the training data ({epochs})")
    add("--seed", type=int, default=0, help="of everything random (0)")
    add("--out", type=Path, default=Path("multiconv-examples", name), help="folder (%(default)s)")
    add("--quick", action="store_true", help="a few seconds, whatever the accuracy")
    given = parser.parse_args()
    engines = ENGINES if given.engine == "both" else (given.engine,)
    passes = given.epochs or (quick_epochs if given.quick else epochs)
    return Options(name, engines, passes, given.quick, given.out, given.seed)


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of passes; 1 or more is allowed")
    return int(text)
