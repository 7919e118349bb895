"""The sum: two short sequences, flipped and slid."""

from __future__ import annotations

import numpy as np

import multiconv as mc
from multiconv.studio._room import Message, Room, at_once

room = Room("sum")

LONGEST = 64


@room.action(at_once)
def convolve(question: Message) -> Message:
    """F and g, convolved or correlated."""
    f, g = (_sequence(question, name) for name in ("f", "g"))
    call = mc.correlate if question.values["correlate"] else mc.convolve
    return Message(arrays={"result": call(f, g, question.values["mode"])})


@room.action(at_once)
def code(question: Message) -> Message:
    """The same in several libraries."""
    values = question.values
    f, g, mode = list(values["f"]), list(values["g"]), values["mode"]
    name = "correlate" if values["correlate"] else "convolve"
    return Message({
        "multiconv": f"import multiconv as mc\n\nresult = mc.{name}({f}, {g}, {mode!r})\n",
        "NumPy": f"import numpy as np\n\nresult = np.{name}({f}, {g}, {mode!r})\n",
    })  # fmt: skip


def _sequence(question: Message, name: str) -> np.ndarray:
    values = question.values[name]
    if not 0 < len(values) <= LONGEST:
        raise ValueError(f"{name}: {len(values)} numbers were given, 1 to {LONGEST} are allowed")
    return np.asarray(values, np.float64)
