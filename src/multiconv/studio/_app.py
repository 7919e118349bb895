"""The web application: the page's files, and one address for every question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from multiconv._errors import MissingExtraError

from . import _envelope
from ._guard import Guard
from ._room import Action, Message, all_rooms
from ._work import BusyError, TooDearError, Work

STATIC = Path(__file__).with_name("static")
MAX_BODY = 64 << 20  # bytes
BINARY = "application/octet-stream"


def application(token: str, port: int) -> ASGIApp:
    """The application of a server at this port, for those who hold the token."""
    work = Work()

    async def ask(request: Request) -> Response:
        room = all_rooms().get(request.path_params["room"])
        action = room.actions.get(request.path_params["action"]) if room else None
        if action is None:
            return _complaint("no room answers this question", 404)
        try:
            question = _envelope.decode(await _body(request))
            if action.answers is not None:
                return await _stream(work, action, question)
            answer = await _while_connected(request, work, action, question)
            return Response(_envelope.encode(answer) if answer else b"", media_type=BINARY)
        except TooDearError as error:
            return _complaint(str(error), 422)
        except BusyError as error:
            return _complaint(str(error), 503)
        except (ValueError, TypeError, KeyError, MemoryError, MissingExtraError) as error:
            return _complaint(_sentence(error), 400)

    routes = [
        Route("/api/{room}/{action}", ask, methods=["POST"]),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    return Guard(Starlette(routes=routes), token, port)


async def _body(request: Request) -> bytes:
    """What was sent, as long as it is not too long."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise ValueError(f"message: more than {MAX_BODY >> 20} MB are not taken")
        parts.append(part)
    return b"".join(parts)


async def _while_connected(
    request: Request, work: Work, action: Action, question: Message
) -> Message | None:
    """The answer, or None where nobody waits for it any more."""
    answer, failure = None, None
    async with anyio.create_task_group() as group:

        async def leave() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(leave)
        try:
            answer = await work.answer(action, question)
        except Exception as error:  # raised again outside, where it is no group
            failure = error
        group.cancel_scope.cancel()
    if failure:
        raise failure
    return answer


async def _stream(work: Work, action: Action, question: Message) -> Response:
    answers = work.answers(action, question)
    first = await anext(answers, None)  # refusals come before the response begins

    async def envelopes() -> AsyncIterator[bytes]:
        try:
            if first is not None:
                yield _envelope.encode(first)
            async for answer in answers:
                yield _envelope.encode(answer)
        finally:
            await answers.aclose()

    return StreamingResponse(envelopes(), media_type=BINARY)


def _sentence(error: BaseException) -> str:
    return f"{error.args[0]}: missing" if isinstance(error, KeyError) else str(error)


def _complaint(message: str, status: int) -> Response:
    return JSONResponse({"error": message}, status)
