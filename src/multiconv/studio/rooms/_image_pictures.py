"""The pictures that kernels are laid over: bundled ones, drawn ones, and those users bring."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from multiconv._errors import MissingExtraError
from multiconv._typing import Array

LARGEST = 512
"""Pixels along a side."""

PHOTOS = ("camera", "astronaut", "chelsea", "coins", "moon", "text", "brick")
"""Functions of ``skimage.data`` whose pictures come with it."""

LUMA = (0.299, 0.587, 0.114)
"""What red, green and blue add to grey (ITU-R BT.601)."""

MOST = 48
"""Pictures of users that are kept; the one longest unused goes first."""


@dataclass(frozen=True)
class Picture:
    """Samples of 8 bits, (height, width) or (height, width, 3)."""

    pixels: Array

    @cached_property
    def grey(self) -> Array:
        """(height, width)."""
        if self.pixels.ndim == 2:
            return self.pixels
        return np.rint(self.pixels @ np.array(LUMA)).astype(np.uint8)

    @cached_property
    def planes(self) -> Array:
        """(channels, height, width)."""
        return np.ascontiguousarray(np.moveaxis(np.atleast_3d(self.pixels), -1, 0))


def checker() -> Array:
    """Fields of two sizes, so that rows and columns are told apart."""
    y, x = np.indices((256, 320))
    return (255 * ((y // 16 + x // 32) % 2)).astype(np.uint8)


def edges() -> Array:
    """A disk on a ramp: edges of every direction and height."""
    y, x = np.indices((256, 320))
    return np.where(np.hypot(y - 128, x - 160) < 90, 230, x // 2).astype(np.uint8)


def impulse() -> Array:
    """One bright pixel: the result is the kernel itself."""
    y, x = np.indices((49, 65))
    return (255 * ((y == 24) & (x == 32))).astype(np.uint8)


DRAWN: dict[str, Callable[[], Array]] = {f.__name__: f for f in (checker, edges, impulse)}

_own: OrderedDict[str, Picture] = OrderedDict()
_lock = threading.Lock()


def keep(key: str, pixels: Array) -> Picture:
    """Keep a user's picture under a key of theirs, in place of what was there.

    Raises
    ------
    ValueError
        If it is no picture of bounded size, or the key is another picture's name.
    """
    sides, channels = pixels.shape[:2], pixels.shape[2:]
    fits = len(sides) == 2 and all(1 <= n <= LARGEST for n in sides) and channels in ((), (3,))
    if pixels.dtype != np.uint8 or not fits:
        raise ValueError(
            f"pixels: {pixels.dtype} of shape {pixels.shape} is not allowed, give uint8 of "
            f"(height, width) or (height, width, 3), at most {LARGEST} x {LARGEST}"
        )
    if not key.startswith("own-") or len(key) > 40:
        raise ValueError(f"picture: {key[:40]!r} is not allowed for pixels, begin it with 'own-'")
    picture = Picture(pixels.copy())
    with _lock:
        _own[key] = picture
        _own.move_to_end(key)
        while len(_own) > MOST:
            _own.popitem(last=False)
    return picture


def picture(key: str) -> Picture:
    """The picture of this name.

    Raises
    ------
    ValueError
        If there is none, or a user's is no longer kept.
    MissingExtraError
        If it comes with scikit-image and that is not installed.
    """
    if key in PHOTOS or key in DRAWN:
        return _bundled(key)
    with _lock:
        if key in _own:
            _own.move_to_end(key)
            return _own[key]
    if key.startswith("own-"):
        raise ValueError(f"picture: {key[:40]!r} is not kept any more, open the file again")
    raise ValueError(
        f"picture: {key[:40]!r} is not allowed, give one of {', '.join((*PHOTOS, *DRAWN))}"
    )


@cache
def _bundled(name: str) -> Picture:
    if name in DRAWN:
        return Picture(DRAWN[name]())
    try:
        from skimage import data
    except ModuleNotFoundError:
        raise MissingExtraError(
            f"picture: {name!r} comes with scikit-image: pip install 'multiconv[studio]'"
        ) from None
    return Picture(np.ascontiguousarray(getattr(data, name)()))
