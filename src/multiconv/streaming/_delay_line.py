"""The input's side of a part: the spectra of its latest windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv._typing import Array

from ._partition import Part
from ._transform import bins, forward, spectral


class DelayLine:
    """Collects blocks into windows of two partitions and keeps the windows' spectra.

    Parameters
    ----------
    part : Part
        The partitions that the spectra are for.
    shape : tuple of int
        Groups, inputs and samples of a block.
    dtype : dtype
        Of the samples.

    Attributes
    ----------
    steps : int
        Blocks to a partition.
    phase : int
        Steps since the latest window was full.
    """

    def __init__(self, part: Part, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        groups, inputs, block = shape
        self.part, self.steps, self.phase = part, part.size // block, 0
        self.groups, self.dtype = groups, dtype
        self._window = np.zeros((groups, inputs, 2 * part.size), dtype)
        # Every spectrum is there twice, a ring's length apart, so that any of them and those
        # after it lie side by side; one more than there are partitions serves `spectra(1)`.
        self._ring = part.number + 1
        held = 2 * self._ring, inputs, groups, 1, bins(part.points, dtype)
        self._spectra = np.zeros(held, spectral(dtype))
        self._newest = 0

    def push(self, block: Array) -> None:
        """Take the next block, and transform the window if it is full."""
        size, length = self.part.size, block.shape[-1]
        start = size + self.phase * length
        self._window[..., start : start + length] = block
        self.phase = (self.phase + 1) % self.steps
        if self.phase == 0:
            self._newest = (self._newest - 1) % self._ring
            spectra = forward(self._window, self.part.points).swapaxes(0, 1)[:, :, None]
            self._spectra[self._newest] = spectra
            self._spectra[self._newest + self._ring] = spectra
            self._window[..., :size] = self._window[..., size:]

    def spectra(self, age: int = 0) -> Array:
        """``(windows x inputs, groups, 1, bins)``, from the newest but ``age`` to the oldest."""
        first = self._newest + age
        view = self._spectra[first : first + self.part.number]
        return view.reshape(-1, *view.shape[2:])
