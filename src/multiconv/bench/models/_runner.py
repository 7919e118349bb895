"""Compares what everyone makes of a network, then times them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from multiconv._typing import Array

from .._comparison import OURS, is_ours
from .._model_result import ModelResult
from .._runner import Effort, timed
from ._case import ModelCase
from ._entries import Entry
from .contestants import Contestant, contestants

TOLERANCE = 1e-3
"""How far a result may be from plain torch's, over the largest value: no half precision."""
SLACK = 10.0
"""Or so many times as far as a rounding of the input carries, which is far in a step of training
of networks with normalisation by batch.
"""
LONG = 2.0
"""Seconds up to which every contestant's first call is followed by others."""
Offers = Callable[[ModelCase], Iterable[Contestant]]


def run(
    entries: Iterable[Entry], effort: Effort, threads: int,
    tell: Callable[[ModelResult], None] = lambda result: None,
    note: Callable[[str], None] = lambda text: None,
) -> list[ModelResult]:  # fmt: skip
    """Measure every entry, telling each result at once and noting who is made ready."""
    results = []
    for entry in entries:
        results.append(measure(entry, effort, threads, note))
        tell(results[-1])
    return results


def measure(
    entry: Entry, effort: Effort, threads: int, note: Callable[[str], None] = lambda text: None,
    offers: Offers = contestants,
) -> ModelResult:  # fmt: skip
    """Compare the results of all who can run it, then time them."""
    target = entry.target
    with TemporaryDirectory() as folder:
        case = ModelCase(entry, Path(folder), threads)
        result = ModelResult(
            family=entry.form.key, name=entry.network.name, must=target.must, aim=target.aim,
            over=target.over, form=entry.words, shape=" x ".join(map(str, case.x.shape)),
        )  # fmt: skip
        calls, firsts = _ready(case, offers, result, note)
        if not result.failure:
            note(f"{entry}: timing {len(calls)}")
            result.seconds = timed(calls, firsts, effort, LONG)
    calls.clear()
    torch._dynamo.reset()  # the compiled networks hold their weights
    gc.collect()
    return result


def _ready(
    case: ModelCase, offers: Offers, result: ModelResult, note: Callable[[str], None]
) -> tuple[dict[str, Callable[[], Any]], dict[str, float]]:
    """The calls of those who agree, and what each took once it had run."""
    calls: dict[str, Callable[[], Any]] = {}
    firsts: dict[str, float] = {}
    note(f"{case.entry}: reference")
    reference, allowed = _reference(case)
    for contestant in offers(case):
        note(f"{case.entry}: {contestant.name}")
        try:
            call = contestant.ready()
            found = difference(_arrays(call()), reference)
            start = time.perf_counter()
            call()
        except Exception as error:  # whatever another library may raise
            result.left_out[contestant.name] = f"fails: {_sentence(error)}"
            continue
        result.differences[contestant.name] = found
        if found <= allowed:  # a NaN is not
            calls[contestant.name], firsts[contestant.name] = call, time.perf_counter() - start
        else:
            words = f"differs from torch by {found:.1e}, allowed is {allowed:.1e}"
            result.left_out[contestant.name] = words
    result.failure = _failure(result, calls)
    return calls, firsts


def _failure(result: ModelResult, calls: Iterable[str]) -> str:
    """Why nothing is to be timed, if so: we differ, or cannot run at all."""
    ours = {name: why for name, why in result.left_out.items() if is_ours(name)}
    wrong = [f"{name} {why}" for name, why in ours.items() if name in result.differences]
    if wrong or any(map(is_ours, calls)):
        return "; ".join(wrong)
    return "; ".join(f"{name} {why}" for name, why in ours.items()) or f"{OURS} cannot run it"


def _reference(case: ModelCase) -> tuple[list[Array], float]:
    """Plain torch's result, and how far another's may be from it."""
    results = []
    for factor in (1.0, 1.0 + torch.finfo(torch.float32).eps):
        model, x = case.model()
        results.append([one.copy() for one in _arrays(case.call(model, model, x * factor)())])
    return results[0], max(TOLERANCE, SLACK * difference(results[1], results[0]))


def difference(found: Iterable[Array], reference: Iterable[Array]) -> float:
    """The largest difference over the largest value."""
    worst, largest = 0.0, 0.0
    for a, b in zip(found, reference, strict=True):
        if a.shape != b.shape:
            raise ValueError(f"gives {a.shape} where torch gives {b.shape}")
        worst = float(np.maximum(worst, np.abs(a - b).max()))  # unlike max(), keeps a NaN
        largest = max(largest, float(np.abs(b).max()))
    return worst / largest


def _arrays(found: Any) -> Iterator[Array]:
    for one in found if isinstance(found, list) else [found]:
        yield one.numpy() if isinstance(one, torch.Tensor) else np.asarray(one)


def _sentence(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:160]
