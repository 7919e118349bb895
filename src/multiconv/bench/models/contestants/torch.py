"""torch: its own operators and its compiler, in both memory formats.

Float32 throughout: what torch and oneDNN do unless they are told to use bfloat16.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from .._case import ModelCase, Run
from ._contestant import Contestant

FROZEN = {"freezing": True}
"""Weights become constants, so that they are laid out and normalisations folded beforehand."""


def ways(case: ModelCase) -> Iterator[Contestant]:
    """All; signals have one format."""
    for last in (False, True)[: 1 if case.last is None else 2]:
        suffix = " last" if last else ""
        yield Contestant(f"torch{suffix}", partial(_eager, case, last=last))
        yield Contestant(f"inductor{suffix}", partial(_inductor, case, last=last))


def _eager(case: ModelCase, *, last: bool) -> Run:
    model, x = case.model(last=last)
    return case.call(model, model, x)


def _inductor(case: ModelCase, *, last: bool) -> Run:
    model, x = case.model(last=last)
    options: dict[str, Any] | None = None if case.training else dict(FROZEN)
    return case.call(torch.compile(model, dynamic=False, options=options), model, x)
