"""The commands, and how each failure leaves the process."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from multiconv._errors import MissingExtraError
from multiconv._version import __version__
from multiconv.outofcore import Interrupted

from ._console import sentence
from .apply import apply
from .bench import bench
from .demo import demo
from .explain import explain
from .kernels import kernels
from .studio import studio

BAD_INPUT, INTERRUPTED, TERMINATED = 2, 130, 143

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
for command in (apply, kernels, explain, bench, demo, studio):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"multiconv {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True,
                           help="Print the version and leave.")
    ] = False,
) -> None:  # fmt: skip
    """Every convolution there is, one engine."""


def run(argv: Sequence[str] | None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # terminals without Unicode show a ? instead
            stream.reconfigure(errors="replace")
    try:
        with _termination_cleans_up():
            status: Any = app(args=argv, prog_name="multiconv", standalone_mode=False)
            if status == INTERRUPTED:  # what typer makes of Ctrl-C
                raise KeyboardInterrupt
            sys.stdout.flush()
    except Interrupted as error:
        return _complain(str(error), INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # what is buffered still must not be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except typer.TyperException as error:
        message = error.format_message()  # empty where help was printed instead
        return _complain(message, BAD_INPUT) if message else BAD_INPUT
    except (ValueError, TypeError, OSError, MemoryError, MissingExtraError) as error:
        if os.environ.get("MULTICONV_TRACEBACK"):
            raise
        return _complain(sentence(error), BAD_INPUT)
    return status if isinstance(status, int) else 0


def _complain(message: str, status: int) -> int:
    print(f"multiconv: {' '.join(message.split())}", file=sys.stderr)
    return status


@contextmanager
def _termination_cleans_up() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that temporary files are removed."""

    def leave(number: int, frame: object) -> None:
        sys.exit(TERMINATED)

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
