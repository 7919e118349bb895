"""``multiconv kernels``: what kernels there are, drawn."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any

import numpy as np
import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import multiconv as mc

from . import _console
from ._console import console
from ._drawing import draw
from ._kernel_argument import Kernel, parse

COLUMNS, LINES = 18, 9  # of a drawing in the list


def kernels(
    kernel: Annotated[str | None, typer.Argument(
        metavar="KERNEL", show_default=False,
        help="Draw this one large: a name with parameters, a literal or a file.")] = None,
) -> None:  # fmt: skip
    """List the kernels that apply takes by name, with a drawing of each."""
    if kernel is None:
        _list()
    else:
        _show(parse(kernel))


def _list() -> None:
    table = Table.grid(padding=(0, 3))
    table.add_column(width=COLUMNS)
    table.add_column()
    for name in mc.kernels.names():
        known = mc.kernels.info(name)
        drawing = draw(known.function(), columns=COLUMNS, lines=LINES, **_means())
        parameters = ", ".join(f"{p}={v}" for p, v in known.parameters.items() if v is not None)
        words = Text.assemble((name, "bold cyan"), "\n", (parameters, "dim"), "\n", known.summary)
        table.add_row(drawing, words)
        table.add_row("", "")
    console.print(table)
    console.print(Text("Use one as  multiconv apply gaussian:sigma=2 photo.jpg blurred.png"))


def _show(kernel: Kernel) -> None:
    taps = kernel.array
    console.print(Text.assemble((kernel.label, "bold cyan"), "  ", _facts(taps)))
    lines = max(8, console.height - 12)
    drawing = draw(taps, columns=console.width - 4, lines=lines, **_means())
    console.print(Padding(drawing, (1, 2)))
    if taps.ndim <= 2 and max(taps.shape) <= 9:
        console.print(Padding(_numbers(np.atleast_2d(taps)), (0, 2, 1, 2)))
    name = kernel.label.partition(":")[0].strip()
    if name in mc.kernels.names():
        _document(mc.kernels.info(name))


def _facts(taps: Any) -> str:
    total = complex(taps.sum())
    if abs(total) < 1e-12 * np.abs(taps).sum():  # rounding
        total = 0
    words = f"{total.real:.6g}" if total.imag == 0 else f"{total:.6g}"
    return f"{_console.shape(taps.shape)} taps, sum {words}"


def _numbers(taps: Any) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(taps.shape[1]):
        table.add_column(justify="right", no_wrap=True)
    for row in taps:
        table.add_row(*(f"{value:.4g}" for value in row.tolist()))
    return table


def _document(known: mc.kernels.KernelInfo) -> None:
    """Print the summary and the parameters of a numpydoc docstring."""
    console.print(Text(known.summary + "\n"))
    written = inspect.cleandoc(known.function.__doc__ or "")
    section = re.search(r"^Parameters\n-+\n(.*?)\n\n", written, re.M | re.S)
    for entry in re.split(r"\n(?=\S)", section.group(1) if section else ""):
        head, _, body = entry.partition("\n")
        console.print(Text(head, style="cyan"))
        console.print(Padding(Text(" ".join(body.replace("``", "").split())), (0, 0, 0, 4)))


def _means() -> dict[str, bool]:
    """What the terminal can show."""
    return {"colour": console.color_system is not None,
            "unicode": console.encoding.startswith("utf")}  # fmt: skip
