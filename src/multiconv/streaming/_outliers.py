"""NaN, infinity and values so large that a transform would overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv import _api
from multiconv._typing import Array


class Outliers:
    """Keeps values out of the transforms, and adds what they mean to the outputs they reach.

    A NaN makes every output NaN whose window holds it: its time is enough. Infinity and huge
    values are kept, and summed directly for as long as windows hold them.

    Parameters
    ----------
    shape : tuple of int
        Groups, inputs and samples of a block.
    reach : int
        Taps of the longest kernel.
    dtype : dtype
        Of the samples.
    """

    def __init__(self, shape: tuple[int, int, int], reach: int, dtype: np.dtype[Any]) -> None:
        groups, _, block = shape
        self._largest = largest(dtype)
        self._reach, self._block = reach, block
        self._start = -block
        self._latest = np.full((groups, 1, 1), -reach - 2 * block)
        self._nan_age: Array | None = None
        self._kept: list[tuple[int, Array]] = []

    def strain(self, block: Array) -> Array:
        """The next block with zeros in the place of outliers."""
        self._start += self._block
        self._kept = [k for k in self._kept if self._start < k[0] + self._block + self._reach]
        parts = block.view(block.real.dtype)
        if -self._largest <= parts.min() and parts.max() <= self._largest:
            self._nan_age = self._age(None)
            return block
        usual = (np.abs(block.real) <= self._largest) & (np.abs(block.imag) <= self._largest)
        missing: Array = np.isnan(block)
        self._nan_age = self._age(np.any(missing, axis=1, keepdims=True))
        large = np.where(usual | missing, 0, block)
        if large.any():
            self._kept.append((self._start, large))
        return np.where(usual, block, 0)

    def add_to(self, output: Array, taps: Array) -> None:
        """Add to ``(groups, outputs, block)`` what ``taps`` make of outliers up to this block."""
        count = taps.shape[-1]
        hidden = None if self._nan_age is None else self._nan_age < count
        if hidden is None or not hidden.all():
            for start, values in self._kept:
                self._add(output, taps, self._start - start, values)
        if hidden is not None:
            np.copyto(output, _nan(output.dtype), where=hidden)

    def _age(self, missing: Array | None) -> Array | None:
        """Samples since the latest NaN, for each group and sample of this block."""
        if missing is None and self._latest.max() + self._reach <= self._start:
            return None
        times = np.arange(self._start, self._start + self._block)
        seen = np.where(False if missing is None else missing, times, self._latest)
        latest = np.maximum.accumulate(seen, axis=-1)
        self._latest = latest[..., -1:]
        return times - latest

    def _add(self, output: Array, taps: Array, ahead: int, values: Array) -> None:
        """Add what values that came ``ahead`` samples ago mean to this block."""
        low = max(0, ahead - self._block + 1)
        high = min(taps.shape[-1], ahead + self._block)
        if low >= high:
            return
        groups, outputs = output.shape[:2]
        kernel = taps[..., low:high].reshape(groups * outputs, -1, high - low)
        data = values.reshape(1, -1, self._block)
        sums = _api.conv(data, kernel, groups=groups, flip=True, padding=high - low - 1,
                         precision="highest")  # fmt: skip
        late = sums.reshape(groups, outputs, -1)[..., ahead - low :][..., : self._block]
        output[..., : late.shape[-1]] += late


def largest(dtype: np.dtype[Any]) -> float:
    """The largest magnitude that is left to transforms: they square it at most."""
    return float(np.sqrt(np.finfo(dtype).max))


def _nan(dtype: np.dtype[Any]) -> complex:
    return complex(np.nan, np.nan) if dtype.kind == "c" else np.nan
