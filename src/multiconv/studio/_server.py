"""The server on the loopback address."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable

import uvicorn

from ._app import application

HOST = "127.0.0.1"


def serve(
    port: int = 0, browser: bool = True, room: str = "", announce: Callable[[str], None] = print
) -> None:
    """Serve the studio until it is interrupted.

    Parameters
    ----------
    port : int
        0 takes a free one.
    browser : bool
        Whether to open the page in the user's browser.
    room : str
        The room to begin in.
    announce : callable
        Told the address once the server can be reached.

    Raises
    ------
    ValueError
        If the port cannot be had.
    """
    listener = _listen(port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(24)
    address = f"http://{HOST}:{port}/?token={token}" + (f"#{room}" if room else "")
    config = uvicorn.Config(
        application(token, port), log_level="warning", timeout_graceful_shutdown=1, ws="none",
        server_header=False,
    )  # fmt: skip
    announce(address)
    if browser:
        webbrowser.open(address)
    uvicorn.Server(config).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    # Named as TCP, for else asyncio leaves Nagle's algorithm on, and answers wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise ValueError(
            f"port: {port} cannot be used ({getattr(error, 'strerror', None) or error}), "
            "give another or 0 for a free one"
        ) from None
    listener.listen(128)
    return listener
