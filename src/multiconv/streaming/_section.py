"""The output's side of a part: one kernel's partitions, applied to the windows' spectra."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array

from ._delay_line import DelayLine
from ._transform import inverse

TERMS, FEWEST = 2**15, 8
"""How many products are held to be summed, and how many of a bin make that worth while."""


class Section:
    """Partitions of a block's length: each step's output is computed in that step.

    Attributes
    ----------
    piece : ndarray
        ``(groups, outputs, block)``, what the partitions give for the latest step.
    """

    def __init__(self, line: DelayLine, spectra: Array) -> None:
        self._line, self._kernel = line, spectra
        values = line.groups * spectra[0, 0].size
        together = TERMS // values
        self._together = together if together >= FEWEST else 1
        self._terms = np.empty((self._together, line.groups, *spectra.shape[2:]), spectra.dtype)
        self._sum = np.empty_like(self._terms[0])
        self.piece = self._first_piece()

    def step(self) -> None:
        """Compute the piece for what the delay line got last."""
        self.piece = self._output()

    def _first_piece(self) -> Array:
        return self._output()

    def _output(self, age: int = 0) -> Array:
        self._sum[...] = 0
        self._add(range(len(self._kernel)), age)
        return self._back()

    def _add(self, rows: range, age: int = 0) -> None:
        """Add the products of some partitions and inputs."""
        windows = self._line.spectra(age)
        for start in rows[:: self._together]:
            stop = min(start + self._together, rows.stop)
            terms = self._terms[: stop - start]
            np.multiply(self._kernel[start:stop], windows[start:stop], out=terms)
            self._sum += terms[0] if len(terms) == 1 else np.add.reduce(terms, axis=0)

    def _back(self) -> Array:
        part, dtype = self._line.part, self._line.dtype
        return inverse(self._sum, part.points, dtype)[..., part.size : 2 * part.size]


class SpreadSection(Section):
    """Longer partitions: a window's work is spread over the steps until the next window is full.

    The first step has the window's transform, the last one the way back, those between them the
    products, some partitions each. Made at any time, it is as if it had been there from the start.
    """

    def step(self) -> None:
        """Cut the next piece from what is ready, and do this step's share for the next window."""
        if self._line.phase == 0:
            self._playing = self._coming
        else:
            self._work(self._line.phase)
        self.piece = self._cut()

    def _first_piece(self) -> Array:
        rows, shares = len(self._kernel), self._line.steps - 2
        self._shares = [range(rows * i // shares, rows * (i + 1) // shares) for i in range(shares)]
        self._playing = self._coming = self._output(age=1)
        for phase in range(1, self._line.phase + 1):
            self._work(phase)
        return self._cut()

    def _cut(self) -> Array:
        length = self._line.part.size // self._line.steps
        start = self._line.phase * length
        return self._playing[..., start : start + length]

    def _work(self, phase: int) -> None:
        if phase == 1:
            self._sum[...] = 0
        if phase <= len(self._shares):
            self._add(self._shares[phase - 1])
        else:
            self._coming = self._back()


def section(line: DelayLine, spectra: Array) -> Section:
    """The section that suits the length of the line's partitions."""
    return (Section if line.steps == 1 else SpreadSection)(line, spectra)
