"""Ours: whole networks frozen or compiled, and layer by layer in both memory formats."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from ..._comparison import OURS
from .._case import ModelCase, Run
from ._contestant import Contestant


def ways(case: ModelCase) -> Iterator[Contestant]:
    """All."""
    if not case.training:
        yield Contestant(f"{OURS} frozen", partial(_frozen, case))
    yield Contestant(f"{OURS} compile", partial(_compiled, case))
    yield Contestant(f"{OURS} layers", partial(_layers, case, last=False))
    if case.last is not None:
        yield Contestant(f"{OURS} layers last", partial(_layers, case, last=True))


def _frozen(case: ModelCase) -> Run:
    from multiconv.torch import freeze

    model, x = case.model()
    return case.call(freeze(model, x), model, x)


def _compiled(case: ModelCase) -> Run:
    model, x = case.model()
    return case.call(torch.compile(model, backend="multiconv", dynamic=False), model, x)


def _layers(case: ModelCase, *, last: bool) -> Run:
    from multiconv.torch import accelerate

    model, x = case.model(last=last)
    accelerate(model)
    return case.call(model, model, x)
