"""Finds the algorithms: every file of `algorithms/`, and third parties' by entry point."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from importlib import metadata

from multiconv import algorithms as _folder
from multiconv.algorithms._base import Algorithm

ENTRY_POINT = "multiconv.algorithms"


@lru_cache(maxsize=1)
def registered() -> dict[str, Algorithm]:
    """All algorithms by name, sorted."""
    classes: list[type[Algorithm]] = []
    for module in pkgutil.iter_modules(_folder.__path__):
        if not module.name.startswith("_"):
            members = vars(importlib.import_module(f"{_folder.__name__}.{module.name}"))
            classes += [m for m in members.values() if _concrete(m)]
    for point in metadata.entry_points(group=ENTRY_POINT):
        classes.append(point.load())
    return {c.name: c() for c in sorted(set(classes), key=lambda c: c.name)}


def algorithms() -> dict[str, str]:
    """Names of all algorithms, with what each accepts.

    Returns
    -------
    dict of str to str
        One line for each registered algorithm, sorted by name.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.algorithms()["reference"]
    'everything, in NumPy, tap by tap; slow and obviously right'
    """
    return {name: algorithm.summary for name, algorithm in registered().items()}


def _concrete(member: object) -> bool:
    return (
        isinstance(member, type)
        and issubclass(member, Algorithm)
        and not member.__dict__.get("__abstractmethods__")
    )
