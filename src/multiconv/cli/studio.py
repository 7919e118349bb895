"""``multiconv studio``: the page on which convolution can be played with."""

from __future__ import annotations

from typing import Annotated

import typer

from multiconv._errors import MissingExtraError

from ._console import console


def studio(
    port: Annotated[int, typer.Option(
        metavar="P", min=0, max=65535, help="Of the local server; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(
        "--browser/--no-browser", help="Open the page in the browser.")] = True,
    room: Annotated[str, typer.Option(
        metavar="NAME", show_default=False,
        help="Where to begin: integral, sum, image, channels, network, sound or machine.")] = "",
) -> None:  # fmt: skip
    """Open a local page on which convolution can be played with and understood.

    It is served to this computer alone, to whoever has the address printed. Ctrl-C ends it.
    """
    try:
        from multiconv.studio import all_rooms
        from multiconv.studio._server import serve
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the studio needs {error.name}: pip install 'multiconv[studio]'"
        ) from None
    if room and room not in all_rooms():
        raise ValueError(f"room: {room!r} is not allowed, give one of {', '.join(all_rooms())}")
    serve(port, browser, room, announce=lambda address: console.print(address, soft_wrap=True))
