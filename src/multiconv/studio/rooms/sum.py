"""The sum: two short sequences, one flipped and slid along the other."""

from __future__ import annotations

from typing import Any

import numpy as np

import multiconv as mc
from multiconv._geometry import mode_padding
from multiconv._typing import Array
from multiconv.studio._room import Message, Room, at_once
from multiconv.studio.rooms._sum_code import programs

room = Room("sum")

LONGEST = 10
LARGEST = 9999
"""What the page's boxes hold; sums of products of whole numbers up to here are exact in it, too."""


@room.action(at_once)
def convolve(question: Message) -> Message:
    """All sums, and which of them the mode counts: from ``start``, as many as ``result`` has."""
    f, g, mode, correlate = _asked(question)
    call = mc.correlate if correlate else mc.convolve
    low, _ = mode_padding(mode, g.size)
    return Message({
        "full": call(f, g, "full").tolist(),
        "result": call(f, g, mode).tolist(),
        "start": g.size - 1 - low,
    })  # fmt: skip


@room.action(at_once)
def code(question: Message) -> Message:
    """The same in several libraries."""
    f, g, mode, correlate = _asked(question)
    return Message(programs(f.tolist(), g.tolist(), mode, correlate))


def _asked(question: Message) -> tuple[Array, Array, str, bool]:
    values = question.values
    f, g = (_sequence(values[name], name) for name in ("f", "g"))
    mode = values["mode"]
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode: {mode!r} is not known, choose full, same or valid")
    if mode == "valid" and g.size > f.size:
        raise ValueError(
            f"g: {g.size} numbers do not fit under the {f.size} of f, valid needs them to"
        )
    return f, g, mode, bool(values["correlate"])


def _sequence(values: Any, name: str) -> Array:
    """Whole numbers as int64, and as float64 as soon as one is not whole."""
    if not isinstance(values, list) or not all(type(v) in (int, float) for v in values):
        raise ValueError(f"{name}: {values!r} is not allowed, give a list of numbers")
    if not 1 <= len(values) <= LONGEST:
        raise ValueError(f"{name}: {len(values)} numbers were given, 1 to {LONGEST} are allowed")
    for value in values:
        if abs(value) > LARGEST:
            raise ValueError(f"{name}: {value:g} is too large, {LARGEST} is the largest allowed")
    return np.asarray(values)
