"""The room of images as a widget."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

import numpy as np

from multiconv._typing import Array
from multiconv.studio import Message, Room
from multiconv.studio.rooms import _image_kernels, _image_pictures
from multiconv.studio.rooms import image as room

from ._bundle import script, style
from ._room import RoomWidget

DEFAULTS = {
    "picture": "camera", "view": "auto", "boundary": "symmetric", "operation": "convolve",
    "preset": "sobel x", "sigma": 2, "angle": 45, "wavelength": 6, "size": 5, "radius": 5,
    "length": 15, "amount": 1, "taps": "", "columns": 3,
}  # fmt: skip
"""What the room begins with, as its script has it."""


class ImageWidget(RoomWidget):
    """A picture under a kernel that is edited in the notebook; `image` makes one."""

    answers: ClassVar[Room] = room.room
    _esm = script("image")
    _css = style("image", "image-study")

    @property
    def kernel(self) -> Array:
        """The kernel as it is now, float64."""
        return room.result(self._question()).arrays["kernel"]

    @property
    def result(self) -> Array:
        """The result as it is shown: uint8, or float32 where it has both signs."""
        return room.result(self._question()).arrays["result"]

    def _question(self) -> Message:
        values = DEFAULTS | self.state
        if values["view"] == "auto":
            values["view"] = _image_kernels.view_of(values["preset"])
        if values["preset"] != "own":
            return Message(values)
        taps = np.array([float(tap) for tap in values["taps"].split("_")])
        return Message(values, {"kernel": taps.reshape(-1, values["columns"])})


def image(
    picture: Any = "camera", kernel: Any = "sobel x", *, language: str = "en", **state: Any
) -> ImageWidget:
    """A picture under a kernel, live: edit the kernel, click pixels, read every number.

    Parameters
    ----------
    picture : str or array_like of uint8, default "camera"
        A bundled picture's name, or pixels of shape (height, width) or (height, width, 3), at most
        512 x 512.
    kernel : str or array_like, default "sobel x"
        A preset's name, or weights of shape (rows, columns), both odd, 3 to 31; six digits of
        each are kept.
    language : {"en", "zh"}, default "en"
        Of the words.
    **state
        What else the room can be set to: ``view`` ("auto", "photo", "grey" or "signed"),
        ``boundary``, ``operation`` ("convolve" or "correlate"), the presets' sliders (``sigma``,
        ``angle``, ...).

    Returns
    -------
    ImageWidget
        Shown by the notebook. Its ``kernel`` and ``result`` are arrays, whatever the user did
        since.

    Raises
    ------
    ValueError
        If an argument is none of what is allowed.

    Examples
    --------
    >>> import numpy as np
    >>> import multiconv.widgets
    >>> room = multiconv.widgets.image(np.eye(5, 7, dtype=np.uint8) * 255, [[0, 0, 0]] * 3)
    >>> room.result.shape
    (5, 7)
    """
    unknown = set(state) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"{min(unknown)}: is not allowed, give one of {', '.join(DEFAULTS)}")
    if not isinstance(picture, str):
        pixels, picture = np.asarray(picture), f"own-{secrets.token_hex(8)}"
        _image_pictures.keep(picture, pixels)
    state = {"picture": picture, **_kernel(kernel), **state}
    widget = ImageWidget(state=state, language=language)
    room.result(widget._question())
    return widget


def _kernel(kernel: Any) -> dict[str, Any]:
    if isinstance(kernel, str):
        return {"preset": kernel}
    weights = np.asarray(kernel, np.float64)
    if weights.ndim != 2:
        raise ValueError(f"kernel: shape {weights.shape} is not allowed, give (rows, columns)")
    taps = "_".join(f"{weight:.6g}" for weight in weights.ravel())
    return {"preset": "own", "columns": weights.shape[1], "taps": taps}
