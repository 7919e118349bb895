"""One signal on its way through the kernels that play."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multiconv._typing import Array

from ._arguments import Form
from ._delay_line import DelayLine
from ._kernel import Kernel
from ._outliers import Outliers
from ._partition import Part
from ._voice import Voice


class Convolver:
    """Fills blocks with samples; a full block is a step of the delay lines and of all voices.

    Parameters
    ----------
    kernel : Kernel
        The first to play.
    form : Form
        How channels are connected.
    block : int
        Samples of a block.
    parts : sequence of Part
        The partitions of the kernels' bodies.
    reach : int
        Taps of the longest body.
    dtype : dtype
        Of the samples.
    """

    def __init__(
        self, kernel: Kernel, form: Form, block: int, parts: Sequence[Part], reach: int,
        dtype: np.dtype[Any],
    ) -> None:  # fmt: skip
        shape = form.groups, form.inputs, block
        self._block, self._filled = block, 0
        self._recent = np.zeros((*shape[:2], 2 * block), dtype)
        self._lines = [DelayLine(part, shape, dtype) for part in parts]
        self._outliers = Outliers(shape, reach, dtype)
        self._result_shape = form.groups, form.outputs, block
        self._voices: list[Voice] = []
        self.exchange(kernel, 0)

    @property
    def kernel(self) -> Kernel:
        """The one that plays, or to which the others fade."""
        return self._voices[-1].kernel

    @property
    def longest(self) -> int:
        """Taps of the longest kernel that is still heard."""
        return max(voice.kernel.length for voice in self._voices)

    def exchange(self, kernel: Kernel, fade: int) -> None:
        """Fade to another kernel in ``fade`` samples."""
        voice = Voice(kernel, self._lines, self._outliers, self._result_shape, fade)
        self._voices.append(voice)
        self._drop_unheard()

    def advance(self, x: Array, y: Array) -> None:
        """Take ``(groups, inputs, samples)`` and fill as many of ``(groups, outputs, samples)``."""
        done, count = 0, x.shape[-1]
        while done < count:
            stop = min(count, done + self._block - self._filled)
            self._play(x[..., done:stop], y[..., done:stop])
            if self._filled == self._block:
                self._step()
            done = stop

    def _play(self, x: Array, y: Array) -> None:
        start, self._filled = self._filled, self._filled + x.shape[-1]
        end = self._block + self._filled
        self._recent[..., self._block + start : end] = x
        for voice in self._voices:
            voice.play(self._recent[..., :end], start, y)
        self._drop_unheard()

    def _step(self) -> None:
        block = self._recent[..., self._block :]
        if self._lines:
            usual = self._outliers.strain(block)
            for line in self._lines:
                line.push(usual)
            for voice in self._voices:
                voice.step()
        self._recent[..., : self._block] = block
        self._filled = 0

    def _drop_unheard(self) -> None:
        alone = [i for i, voice in enumerate(self._voices) if voice.alone]
        if alone and alone[-1]:
            del self._voices[: alone[-1]]
