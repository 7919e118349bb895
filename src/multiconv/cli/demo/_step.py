"""What a step of the demonstration is given, and what it tells."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import multiconv as mc

Array = NDArray[Any]
LEAST_TIME = 0.05  # seconds; shorter runs are repeated


@dataclass(frozen=True)
class StepResult:
    """One convolution of the demonstration.

    Attributes
    ----------
    name : str
        What was done.
    algorithm : str
        What ran.
    seconds : float
        How long the fastest of its runs took.
    difference : float
        Largest difference from an independent result, in units of the result.
    reference : str
        Where the independent result came from.
    """

    name: str
    algorithm: str
    seconds: float
    difference: float
    reference: str


@dataclass
class Scene:
    """Where the steps write, and what they leave for the contact sheet.

    Attributes
    ----------
    folder : Path
        Where files go.
    photo : ndarray
        The photograph, 0 to 255, channels first.
    shown : dict
        Arrays for the contact sheet, by name.
    results : list of StepResult
        What was done so far.
    """

    folder: Path
    photo: Array
    shown: dict[str, Array] = field(default_factory=dict)
    results: list[StepResult] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One part of the demonstration: its name, the files it writes, and what it does."""

    name: str
    run: Callable[[Scene], Iterator[StepResult]]
    files: tuple[str, ...] = ()


def measured(function: Callable[..., Any], x: Array, w: Array, **options: Any,
             ) -> tuple[Array, str, float]:  # fmt: skip
    """Result, algorithm and time of a planned call; short runs are repeated, the fastest counts."""
    plan = mc.plan(function, x, w, **options)
    fastest, start = math.inf, time.perf_counter()
    while True:
        begin = time.perf_counter()
        result = plan(x)
        end = time.perf_counter()
        fastest = min(fastest, end - begin)
        if end - start > LEAST_TIME:
            return result, plan.algorithm, fastest


def largest_difference(result: Array, reference: Array) -> float:
    """The largest absolute difference of two arrays of one shape."""
    assert result.shape == reference.shape
    return float(np.max(np.abs(result - reference), initial=0.0))


def deviation(result: StepResult) -> str:
    """Its difference in two digits; 0 where there is none."""
    return f"{result.difference:.1e}" if result.difference else "0"
