"""Sounds as pictures: how far a wave swings, and which notes are in it, over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from multiconv._typing import Array

from ._sound_sources import RATE

COLUMNS, ROWS = 640, 80
WINDOW = 2048
LOWEST, HIGHEST = 60.0, 18_000.0  # Hz
FLOOR = -78.0
"""Decibels below the loudest that still show."""


class Wave(NamedTuple):
    """The least and the largest sample of any channel in each column."""

    low: Array
    high: Array


def wave(sound: Array, total: int) -> Wave:
    """A sound of shape (channels, samples) on a time axis of `total` samples."""
    edges = np.linspace(0, total, COLUMNS + 1).astype(int)
    low, high = np.zeros((2, COLUMNS), np.float32)
    starts = edges[:-1][edges[:-1] < sound.shape[1]]
    low[: len(starts)] = np.minimum.reduceat(sound.min(0), starts)
    high[: len(starts)] = np.maximum.reduceat(sound.max(0), starts)
    return Wave(low, high)


def spectrogram(sound: Array, total: int) -> Array:
    """Power in each column and row, in decibels of a sine of full scale, float32.

    Rows are as wide as ears tell notes apart, the highest first. A short-time Fourier transform
    under a Hann window; power is shared between rows by where it lies, not by bins.
    """
    middles = (np.arange(COLUMNS) + 0.5) / COLUMNS * total
    padded = np.pad(sound.mean(0), (WINDOW // 2, WINDOW))
    starts = np.minimum(middles.astype(int), padded.size - WINDOW)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[starts]
    spectra = np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32))
    power = np.abs(spectra) ** 2 / (WINDOW / 4) ** 2
    return _decibels(_rows(power))


def _rows(power: Array) -> Array:
    """Mean power between the edges of each row: (columns, bins) becomes (rows, columns)."""
    edges = np.geomspace(HIGHEST, LOWEST, ROWS + 1) * WINDOW / RATE + 0.5
    sums = np.pad(np.cumsum(power, 1), ((0, 0), (1, 0)))
    whole = edges.astype(int)
    at_edges = sums[:, whole] + (edges - whole) * power[:, whole]
    rows: Array = ((at_edges[:, :-1] - at_edges[:, 1:]) / (edges[:-1] - edges[1:])).T
    return rows


def _decibels(power: Array) -> Array:
    level: Array = 10 * np.log10(np.maximum(power, 1e-20))
    return level.astype(np.float32)


def shades(levels: Array) -> Array:
    """Decibels as 0 (silence) to 255 (the loudest there is), uint8."""
    part = (levels - levels.max() - FLOOR) / -FLOOR
    shade: Array = (255 * np.clip(part, 0, 1)).astype(np.uint8)
    return shade
