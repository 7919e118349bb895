"""What an example leaves: figures in the terminal, pictures and the weights in a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from safetensors.torch import load_file, save_file

from _command import Options
from _layers import layers
from _page import Sheet
from _palette import DARK, LIGHT, drawn_in
from _training import Learner

Drawing = Callable[[list[Learner]], Sheet]
ROWS, WIDTH = 8, 78
"""Of the learning curve in the terminal, and of the confusion matrix, at most."""


def report(asked: Options, learners: list[Learner], draw: Drawing, goal: float,
           console: Console) -> int:  # fmt: skip
    """Print, draw, save and read back; the command's exit status."""
    asked.out.mkdir(parents=True, exist_ok=True)
    console.print(_curve(learners), _confusion(learners[0]), _summary(learners))
    same = [_read_back(asked, learner, console) for learner in learners]
    for colours in (LIGHT, DARK):
        path = asked.out / f"{asked.name}-{colours.name}.png"
        with drawn_in(colours):
            draw(learners).figure.savefig(path)
        console.print(f"picture  {path}", soft_wrap=True)
    missed = [x for x in learners if x.accuracies[-1] < goal]
    for learner in missed if not asked.quick else ():
        reached = f"{learner.accuracies[-1]:.2f} % of those held out"
        console.print(f"{learner.engine} missed the {goal:g} % asked: {reached}", style="bold red")
    return 0 if all(same) and (asked.quick or not missed) else 1


def _table(heading: str) -> Table:
    return Table(title=Text(heading, style="bold"), title_justify="left", box=box.SIMPLE_HEAD,
                 padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")  # fmt: skip


def _curve(learners: Sequence[Learner]) -> Table:
    table = _table("\nLearning curve")
    table.add_column("epoch", justify="right")
    for learner in learners:
        table.add_column(f"{learner.engine}: loss", justify="right")
        table.add_column("held out", justify="right")
    last = learners[0].epochs - 1
    for epoch in sorted({round(i * last / (ROWS - 1)) for i in range(ROWS)}):
        cells = [(f"{x.losses[epoch]:.3f}", f"{x.accuracies[epoch]:.2f} %") for x in learners]
        table.add_row(str(epoch + 1), *(cell for pair in cells for cell in pair))
    return table


def _confusion(learner: Learner) -> Table:
    classes = learner.data.classes
    table = _table(f"Confusion by {learner.engine}, true classes by row")
    longest = len(max(classes, key=len))
    room = (WIDTH - longest) // len(classes) - 2
    width = longest if longest <= room else 3  # all names cut alike, or none
    table.add_column("")
    for name in classes:
        table.add_column(name[:width], justify="right", no_wrap=True)
    for row, (name, counts) in enumerate(zip(classes, learner.confusion().tolist(), strict=True)):
        marked = [
            Text(str(n) if n else "·", style="green" if column == row else "red" if n else "dim")
            for column, n in enumerate(counts)
        ]
        table.add_row(name, *marked)
    return table


def _summary(learners: Sequence[Learner]) -> Table:
    table = _table("Result")
    table.add_column("layers")
    for name in ("held out", "training", "an epoch", "judging"):
        table.add_column(name, justify="right")
    for learner in learners:
        start = time.perf_counter()
        learner.predictions()
        judging = time.perf_counter() - start
        table.add_row(learner.engine, f"{learner.accuracies[-1]:.2f} %", f"{learner.seconds:.1f} s",
                      f"{learner.seconds / learner.epochs:.2f} s",
                      f"{1e3 * judging:.0f} ms")  # fmt: skip
    return table


def _read_back(asked: Options, learner: Learner, console: Console) -> bool:
    """Whether a new network with the saved weights judges every held-out sample alike."""
    path = asked.out / f"{learner.engine}.safetensors"
    save_file(learner.model.state_dict(), path)
    torch.manual_seed(asked.seed + 1)
    other = learner.network(layers(learner.engine))
    other.load_state_dict(load_file(path))
    told = learner.predictions(other)
    same = torch.equal(told, learner.predictions())
    console.print(f"weights  {path}", soft_wrap=True)
    console.print(f"         read back: {learner.accuracy(told):.2f} % held out, "
                  f"{'identical' if same else 'NOT the same answers'}")  # fmt: skip
    return same
