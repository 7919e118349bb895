"""The smaller copies of an image pyramid, each made from the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from multiconv import io
from multiconv.io import Level, Region
from multiconv.outofcore import Samples


@dataclass(frozen=True)
class Means:
    """Computes any region of a level: means of neighbouring samples of the level before.

    Attributes
    ----------
    path : str
        The store.
    before, level : Level
        What is read, and what it makes.
    """

    path: str
    before: Level
    level: Level

    def __call__(self, region: Region) -> Samples:
        """A region's samples as they are stored."""
        below = io.open_target(self.path, self.before.member)
        wanted = self.needed(region)
        samples = below.read(wanted)
        for axis, factor in enumerate(self.level.factors):
            samples = _means(samples, axis, factor, region[axis].stop - region[axis].start)
        return Samples(samples)

    def needed(self, region: Region) -> Region:
        """What a region is the mean of."""
        parts = zip(region, self.level.factors, self.before.shape, strict=True)
        return tuple(slice(part.start * f, min(part.stop * f, n)) for part, f, n in parts)


def _means(samples: NDArray[Any], axis: int, factor: int, count: int) -> NDArray[Any]:
    """``count`` means of ``factor`` samples each; the last may have fewer to be a mean of."""
    if factor == 1:
        return samples
    starts = np.arange(count) * factor
    sums = np.add.reduceat(samples, starts, axis, dtype=np.result_type(samples, np.float64))
    sizes = np.diff(np.append(starts, min(count * factor, samples.shape[axis])))
    means = sums / sizes.reshape([-1 if a == axis else 1 for a in range(samples.ndim)])
    whole = samples.dtype.kind in "iub"
    return (np.rint(means) if whole else means).astype(samples.dtype)
