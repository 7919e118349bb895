"""One kernel at work on a stream's input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multiconv import _api
from multiconv._typing import Array

from ._delay_line import DelayLine
from ._kernel import Kernel
from ._outliers import Outliers
from ._section import section


class Voice:
    """A kernel's output, which fades in over that of the voices before it.

    Made at any time, it goes on as if it had been there from the start.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    lines : sequence of DelayLine
        The input's spectra, shared by all voices.
    outliers : Outliers
        The input's values that are not in the spectra.
    shape : tuple of int
        Groups, outputs and samples of a block.
    fade : int
        Samples until no other voice is heard.
    """

    def __init__(
        self, kernel: Kernel, lines: Sequence[DelayLine], outliers: Outliers,
        shape: tuple[int, int, int], fade: int,
    ) -> None:  # fmt: skip
        self.kernel, self._outliers, self._shape = kernel, outliers, shape
        self._fade, self._played = fade, 0
        self._sections = [section(*pair) for pair in zip(lines, kernel.spectra, strict=False)]
        self._pending = self._gathered()

    @property
    def alone(self) -> bool:
        """Whether the fade is over."""
        return self._played >= self._fade

    def step(self) -> None:
        """Compute the next block, after the delay lines got theirs."""
        for part in self._sections:
            part.step()
        self._pending = self._gathered()

    def play(self, recent: Array, start: int, output: Array) -> None:
        """Mix the next samples into ``output``; ``recent`` ends with the input so far."""
        count = output.shape[-1]
        samples = self._pending[..., start : start + count]
        if self.kernel.head.shape[-1]:
            samples = samples + self._direct(recent, count)
        fading = min(max(self._fade - self._played, 0), count)
        if fading:
            times = np.arange(self._played + 1, self._played + fading + 1)
            weights = (times / (self._fade + 1)).astype(output.real.dtype)
            output[..., :fading] += weights * (samples[..., :fading] - output[..., :fading])
        output[..., fading:] = samples[..., fading:]
        self._played += count

    def _direct(self, recent: Array, count: int) -> Array:
        groups, inputs, _ = recent.shape
        window = recent[..., -(count + self.kernel.head.shape[-1] - 1) :]
        window = window.reshape(1, groups * inputs, -1)
        sums: Array = _api.conv(window, self.kernel.head, groups=groups, flip=True)
        return sums.reshape(groups, -1, count)

    def _gathered(self) -> Array:
        if not self._sections:
            return np.zeros(self._shape, self.kernel.body.dtype)
        total, *rest = (part.piece for part in self._sections)
        for piece in rest:
            total += piece
        self._outliers.add_to(total, self.kernel.body)
        return total
