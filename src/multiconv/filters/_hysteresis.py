"""Hysteresis: which weak pixels hang together with a strong one."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array


def connected(weak: Array, strong: Array) -> Array:
    """The pixels of ``weak`` joined to a pixel of ``strong`` by a chain of eight-neighbours.

    Every pixel of ``strong`` must be weak too.
    """
    at, root = components(weak)
    kept = np.zeros(at.size, np.bool_)
    kept[root[strong.ravel()[at]]] = True
    result = np.zeros(weak.shape, np.bool_)
    result.ravel()[at[kept[root]]] = True
    return result


def components(weak: Array) -> tuple[Array, Array]:
    """Where the weak pixels are, flat, and the number of the first one that each hangs with."""
    at = np.flatnonzero(weak)
    number = np.empty(weak.shape, np.intp)
    number.ravel()[at] = np.arange(at.size)
    return at, merged(at.size, *_neighbours(weak, number))


def merged(count: int, first: Array, second: Array) -> Array:
    """For each of so many things, the least that a chain of pairs joins it to.

    In rounds, each tree hooked to its least neighbour and then flattened, so that the rounds grow
    with the logarithm of a chain's length (Y. Shiloach and U. Vishkin, "An O(log n) parallel
    connectivity algorithm", J. Algorithms 3 (1982)).
    """
    root = np.arange(count)
    while first.size:
        np.minimum.at(root, np.maximum(first, second), np.minimum(first, second))
        above = root[root]
        while not np.array_equal(above, root):
            root, above = above, above[above]
        first, second = root[first], root[second]
        apart = first != second
        first, second = first[apart], second[apart]
    return root


def _neighbours(weak: Array, number: Array) -> tuple[Array, Array]:
    """The numbers of all pairs of neighbouring weak pixels."""
    here = (np.s_[:, :-1], np.s_[:-1, :], np.s_[:-1, :-1], np.s_[:-1, 1:])
    there = (np.s_[:, 1:], np.s_[1:, :], np.s_[1:, 1:], np.s_[1:, :-1])
    pairs = [(a, b, weak[a] & weak[b]) for a, b in zip(here, there, strict=True)]
    return (
        np.concatenate([number[a][both] for a, _, both in pairs]),
        np.concatenate([number[b][both] for _, b, both in pairs]),
    )
