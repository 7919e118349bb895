"""Sounds too long to be held, convolved block by block."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from multiconv import io
from multiconv.io import Data
from multiconv.streaming import Stream

from . import _rules
from ._filtering import Outcome, full_scale
from ._kernel_argument import Kernel
from ._recipe import Settings

LONG = 2**23
"""Samples of all channels from which a sound is not read as a whole."""

BLOCK = 2**16
"""Samples of a channel that are read and convolved at once."""


def long_sound(source: Path, settings: Settings, target: Path) -> Data | None:
    """The outline of a sound that is to be convolved block by block, or None for all else."""
    if {io.format_of(source).kind, io.format_of(target).kind} != {"sound"}:
        return None
    plain = (settings.stride, settings.dilation, settings.method) == (1, 1, "auto")
    if not plain or settings.boundary not in (None, "constant"):
        return None
    data = io.outline(source)
    return data if data.array.size > LONG else None


class LongJob:
    """A sound's convolution in constant memory: once for the peak, once to be written."""

    def __init__(
        self, source: Path, data: Data, kernel: Kernel, settings: Settings, target: Path
    ) -> None:
        self._source, self._target, self._channels = source, target, data.channels
        _rules.axes(data, kernel)
        self._taps = _per_channel(kernel.array.astype(np.float64), data.channels)
        mode = settings.mode or _rules.default_mode(data, kernel)
        self._kept = _extent(mode, len(data.array), self._taps.shape[-1])
        channels = data.channels if self._taps.ndim == 1 else len(self._taps)
        samples = np.broadcast_to(np.float64(0), (len(self._kept), channels))
        subtype = _rules.subtype(data, settings.dtype, target)
        self._result = replace(data, array=samples, subtype=subtype)
        io.check_write(target, self._result)

    @property
    def method(self) -> str:
        """How it is computed."""
        return f"in blocks of {self._block}"

    def run(self) -> Outcome:
        """Convolve and write."""
        start, subtype = time.perf_counter(), self._result.subtype
        whole_numbers = subtype not in ("FLOAT", "DOUBLE")
        peak = self._peak() if whole_numbers else 0.0
        scale, notes = full_scale(peak, subtype)
        with io.writing(self._target, self._result) as write_next:
            for block in self._results():
                write_next(block if scale == 1 else block / scale)
        return Outcome(self._result, time.perf_counter() - start, notes)

    @property
    def _block(self) -> int:
        """No shorter than the kernel, so that the engine sums all of it."""
        return max(BLOCK, int(self._taps.shape[-1]))

    def _peak(self) -> float:
        return max((float(np.max(np.abs(block))) for block in self._results()), default=0.0)

    def _results(self) -> Iterator[NDArray[np.float64]]:
        """What is kept of the convolution, block by block."""
        stream = Stream(self._taps, self._block, self._channels, latency=0)
        position = 0
        for block in _through(stream, io.blocks(self._source, self._block)):
            low, high = (max(n - position, 0) for n in (self._kept.start, self._kept.stop))
            position += len(block)
            if low < min(high, len(block)):
                yield block[low:high]


def _through(
    stream: Stream, blocks: Iterator[NDArray[np.float64]]
) -> Iterator[NDArray[np.float64]]:
    yield from map(stream.process, blocks)
    yield stream.flush()


def _per_channel(taps: NDArray[np.float64], channels: int) -> NDArray[np.float64]:
    """A kernel of shape (taps,) or (taps, channels) as streams take it."""
    if taps.ndim == 1 or taps.shape[1] == 1:
        return taps.reshape(-1)
    return taps.T if channels > 1 else taps.T[:, None]


def _extent(mode: str, samples: int, taps: int) -> range:
    """What a mode keeps of the full convolution."""
    extents = {
        "full": range(samples + taps - 1),
        "same": range((taps - 1) // 2, (taps - 1) // 2 + samples),
        "valid": range(taps - 1, samples),
    }
    if mode not in extents:
        raise ValueError(f"mode: {mode!r} is not allowed, give one of {', '.join(extents)}")
    return extents[mode]
