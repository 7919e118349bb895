"""What a file holds: samples, and what their axes mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

Kind = Literal["image", "sound", "array"]


class FileError(ValueError):
    """A file cannot be read or written; the message names it and says why."""


@dataclass(frozen=True)
class Data:
    """Samples of a file and what is needed to write their like.

    Attributes
    ----------
    array : ndarray
        Images: unsigned integers or floats, rows first, channels (if any) last. Sounds: float64
        of shape (samples, channels), full scale at -1 and 1.
    kind : {'image', 'sound', 'array'}
        What the samples are.
    channel_axis : int or None
        The axis of colours or loudspeakers, counted from the end (-1); None if there is none.
    alpha : bool
        Whether the last channel is opacity.
    rate : int or None
        Samples a second of a sound.
    subtype : str or None
        How a sound's file stores a sample, in libsndfile's words, such as ``'PCM_16'``.
    meta : mapping
        What is carried over as it is: ``'icc'`` and ``'exif'`` bytes, ``'dpi'``, ``'axes'``.
    """

    array: NDArray[Any]
    kind: Kind = "array"
    channel_axis: int | None = None
    alpha: bool = False
    rate: int | None = None
    subtype: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """Axes of space and time, counted from the end."""
        ndim = self.array.ndim
        return tuple(a for a in range(-ndim, 0) if a != self.channel_axis)

    @property
    def channels(self) -> int:
        """Number of channels; 1 where there is no channel axis."""
        return 1 if self.channel_axis is None else int(self.array.shape[self.channel_axis])
