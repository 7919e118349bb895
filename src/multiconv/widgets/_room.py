"""One room of the studio as a widget."""

from __future__ import annotations

from typing import Any, ClassVar

import anywidget
import traitlets

from multiconv._errors import MissingExtraError
from multiconv.studio import Message, Room, _envelope

LANGUAGES = ("en", "zh")

LONGEST = 2.0
"""Seconds that a question may keep the notebook's kernel busy."""


class RoomWidget(anywidget.AnyWidget):
    """A room whose questions are answered by the notebook's kernel.

    Attributes
    ----------
    state : dict
        What the user has set, as the studio's address has it.
    language : str
        ``"en"`` or ``"zh"``.
    """

    answers: ClassVar[Room]

    state = traitlets.Dict().tag(sync=True)
    language = traitlets.Enum(LANGUAGES, "en").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        if traits.get("language", "en") not in LANGUAGES:
            raise ValueError(
                f"language: {traits['language']!r} is not allowed, give one of "
                f"{', '.join(LANGUAGES)}"
            )
        super().__init__(**traits)
        self.on_msg(self._hear)

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        """Answer a message; what is wrong with it goes back as a sentence."""
        try:
            answer = self._answer(str(content["action"]), _envelope.decode(bytes(buffers[0])))
        except KeyError as error:
            self.send({"id": content.get("id"), "error": f"{error.args[0]}: missing"})
            return
        except (ValueError, TypeError, IndexError, MemoryError, MissingExtraError) as error:
            self.send({"id": content.get("id"), "error": str(error)})
            return
        self.send({"id": content["id"]}, [_envelope.encode(answer)])

    def _answer(self, name: str, question: Message) -> Message:
        action = self.answers.actions.get(name)
        if action is None or action.answer is None:
            raise ValueError(f"action: {name!r} is none of the room's questions")
        seconds = action.price(question)
        if seconds > LONGEST:
            raise ValueError(
                f"this would take {seconds:,.1f} s, {LONGEST:g} s are allowed: make it smaller"
            )
        return action.answer(question)
