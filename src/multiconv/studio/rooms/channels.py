"""Channels: one small layer in numbers, from the channels through partial images to the result."""

from __future__ import annotations

from multiconv.studio._room import Message, Room, at_once

from ._channels_code import programs
from ._channels_layer import Layer, whole

room = Room("channels")


@room.action(at_once)
def layer(question: Message) -> Message:
    """The partial images of one filter, and the sums and results of all."""
    asked = Layer.of(question.values)
    chosen = whole(question.values, "filter", 0, len(asked.w) - 1)
    sums, result = asked.sums(), asked.result()
    facts = {
        "first": asked.first_channel(chosen),
        "parameters": asked.w.size + asked.bias.size,
        "problem": str(asked.problem),
    }
    return Message(facts, {"partial": asked.partials(chosen), "sums": sums, "result": result})


@room.action(at_once)
def code(question: Message) -> Message:
    """The layer in several libraries."""
    return Message(dict(programs(Layer.of(question.values))))
