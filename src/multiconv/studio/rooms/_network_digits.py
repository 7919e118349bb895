"""The digits: scikit-learn's, split for good, and those that are drawn on the page."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from multiconv._errors import MissingExtraError
from multiconv._typing import Array

INK = 32
"""Rows and columns of the bitmap that is drawn on, as of those that the digits were made from."""

HELD_OUT = 360
_FULL = 16  # pixels of the bitmap under one of the digit


class Digits(NamedTuple):
    """Digits of shape (digits, 1, 8, 8), from 0 (paper) to 1 (ink), and their classes."""

    train: Array
    train_classes: Array
    test: Array
    test_classes: Array


@cache
def digits() -> Digits:
    """All of them; every fifth, in an order drawn once, is held out."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise MissingExtraError(
            "the digits need scikit-learn: pip install 'multiconv[studio]'"
        ) from None
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    images = (bunch.images[order, None] / _FULL).astype(np.float32)
    classes = bunch.target[order].astype(np.int64)
    return Digits(images[HELD_OUT:], classes[HELD_OUT:], images[:HELD_OUT], classes[:HELD_OUT])


def seen(ink: Array) -> Array:
    """A drawn bitmap as the network sees it.

    As the digits were made: what is drawn fills the height, and every 4x4 pixels are counted
    (Kaynak, "Methods of Combining Multiple Classifiers", 1995).

    Parameters
    ----------
    ink : ndarray, shape (32, 32)
        Zero where there is paper.

    Returns
    -------
    ndarray, shape (1, 1, 8, 8)
        From 0 to 1, float32.
    """
    if ink.shape != (INK, INK):
        raise ValueError(f"ink: shape {ink.shape} was given, ({INK}, {INK}) is allowed")
    rows, columns = np.nonzero(ink)
    if not len(rows):
        return np.zeros((1, 1, 8, 8), np.float32)
    side = int(max(np.ptp(rows), np.ptp(columns))) + 1
    fitted = ink[np.ix_(_picked(rows, side), _picked(columns, side))] > 0
    fitted &= np.outer(_inside(rows, side), _inside(columns, side))
    counts = fitted.reshape(8, 4, 8, 4).sum((1, 3))
    return (counts[None, None] / _FULL).astype(np.float32)


def _places(drawn: Array, side: int) -> Array:
    """The drawing's row (or column) under each of the bitmap, so that it lies in the middle."""
    middle = (drawn.min() + drawn.max()) / 2
    return np.rint((np.arange(INK) - (INK - 1) / 2) * side / INK + middle).astype(int)


def _picked(drawn: Array, side: int) -> Array:
    return np.clip(_places(drawn, side), 0, INK - 1)


def _inside(drawn: Array, side: int) -> Array:
    places = _places(drawn, side)
    return (places >= 0) & (places < INK)
