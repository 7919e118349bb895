"""Filters of arrays that are not NumPy's inside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from multiconv import _arrays

P = ParamSpec("P")
R = TypeVar("R")


def for_all_arrays(function: Callable[P, R]) -> Callable[P, R]:
    """A filter that hands lazy and labelled arrays to the module for their library."""

    @functools.wraps(function)
    def filtered(*args: P.args, **kwargs: P.kwargs) -> R:
        x = args[0] if args else kwargs.get("x")
        caller = _arrays.caller(x)
        if caller is None:
            return function(*args, **kwargs)
        others = {n: value for n, value in kwargs.items() if n != "x"}
        result: R = caller(filtered, x, *args[1:], **others)
        return result

    return filtered
