"""The command line: arguments in, the public functions called, results on the terminal.

Exit status: 0 well, 2 bad input, 130 interrupted. What was wrong goes to stderr in one sentence.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; the process's own unless given.

    Returns
    -------
    int
        The exit status.
    """
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError as error:
        print(f"multiconv: the command line needs {error.name}: pip install 'multiconv[cli]'",
              file=sys.stderr)  # fmt: skip
        return 2
    from ._app import run

    return run(argv)
