"""One kernel, ready for a stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multiconv._typing import Array

from ._partition import Part
from ._transform import forward


class Kernel:
    """A kernel's head as it is, and the spectra of the partitions of its body.

    Parameters
    ----------
    taps : ndarray
        ``(groups, outputs, inputs, taps)``; the channels of a group do not see another group's.
    head : int
        How many taps are summed directly.
    parts : sequence of Part
        The partitions of the others.

    Attributes
    ----------
    length : int
        Of the whole kernel.
    head : ndarray
        ``(groups x outputs, inputs, taps)``, as layers take it.
    body : ndarray
        The taps behind the head.
    spectra : list of ndarray
        ``(partitions x inputs, groups, outputs, bins)``, for each part that the body reaches; one
        group where all are alike.
    """

    def __init__(self, taps: Array, head: int, parts: Sequence[Part]) -> None:
        groups, outputs, inputs, length = taps.shape
        self.length = int(length)
        first = taps[..., :head]
        self.head = first.reshape(groups * outputs, inputs, first.shape[-1])
        self.body = taps[..., head:]
        reached = [p for p in parts if p.offset < self.body.shape[-1]]
        self.spectra = [_spectra(self.body, part) for part in reached]


def _spectra(body: Array, part: Part) -> Array:
    shared = body.strides[0] == 0  # one kernel for every group
    taps = body[:1] if shared else body
    taps = taps[..., part.offset : part.offset + part.number * part.size]
    count = -(-taps.shape[-1] // part.size)
    padded = np.zeros((*taps.shape[:-1], count * part.size), taps.dtype)
    padded[..., : taps.shape[-1]] = taps
    spectra = forward(padded.reshape(*taps.shape[:-1], count, part.size), part.points)
    joined = np.ascontiguousarray(spectra.transpose(3, 2, 0, 1, 4))
    return joined.reshape(-1, *joined.shape[2:])
