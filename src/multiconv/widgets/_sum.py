"""The room of sums as a widget."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from multiconv._typing import Array
from multiconv.studio import Message, Room
from multiconv.studio.rooms import sum as room

from ._bundle import script, style
from ._room import RoomWidget

DEFAULTS = {"f": [2, 1, 3, 4], "g": [1, 2, 3], "mode": "full", "correlate": False}
"""What the room begins with, as its script has it."""


class SumWidget(RoomWidget):
    """Two short sequences slid along each other in the notebook; `sum` makes one."""

    answers: ClassVar[Room] = room.room
    _esm = script("sum")
    _css = style("stage", "sum", "sum-views")

    @property
    def result(self) -> Array:
        """The result as it is now."""
        return np.array(room.convolve(Message(DEFAULTS | self.state)).values["result"])


def sum(  # noqa: A001  # the room's name
    f: Any = (2, 1, 3, 4), g: Any = (1, 2, 3), mode: str = "full", *, correlate: bool = False,
    language: str = "en",
) -> SumWidget:  # fmt: skip
    """Two short sequences, one flipped and slid along the other, step by step.

    Parameters
    ----------
    f, g : array_like
        One to ten numbers each.
    mode : {"full", "same", "valid"}, default "full"
        Which of the sums count.
    correlate : bool, default False
        Whether ``g`` is slid as it is, not flipped.
    language : {"en", "zh"}, default "en"
        Of the words.

    Returns
    -------
    SumWidget
        Shown by the notebook. Its ``result`` is an array, whatever the user did since.

    Raises
    ------
    ValueError
        If an argument is none of what is allowed.

    Examples
    --------
    >>> import multiconv.widgets
    >>> multiconv.widgets.sum([1, 2, 3], [1, 1], "same").result
    array([1, 3, 5])
    """
    state = {"f": np.asarray(f).tolist(), "g": np.asarray(g).tolist(), "mode": mode}
    widget = SumWidget(state=state | {"correlate": bool(correlate)}, language=language)
    widget.result  # noqa: B018  # what is wrong is said here, not in the notebook's output
    return widget
