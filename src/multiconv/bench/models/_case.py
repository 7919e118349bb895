"""A network with weights and data, and the calls in which it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._entries import Entry
from ._weights import draw_weights

SEED = 7
RATE = 1e-4
"""Of learning: small, so that values stay ordinary for as many steps as are timed."""
Run = Callable[[], Any]
"""Gives an array or a tensor, or a list of them."""


@dataclass(frozen=True)
class ModelCase:
    """An entry with data.

    Attributes
    ----------
    entry : Entry
    folder : Path
        Where files for other libraries may lie.
    threads : int
        For everyone.
    """

    entry: Entry
    folder: Path
    threads: int

    @property
    def training(self) -> bool:
        """Whether steps of training are asked for."""
        return self.entry.form.training

    @cached_property
    def x(self) -> Tensor:
        """The input."""
        shape = (self.entry.batch, *self.entry.network.shape)
        return torch.randn(shape, generator=torch.Generator().manual_seed(SEED))

    @cached_property
    def classes(self) -> Tensor:
        """The class that is right, for every output."""
        with torch.device("meta"):
            model, x = self.entry.network.build(), torch.empty(self.x.shape)
        batch, classes, *sizes = model(x).shape
        generator = torch.Generator().manual_seed(SEED)
        return torch.randint(classes, (batch, *sizes), generator=generator)

    @property
    def last(self) -> Any:
        """The memory format with channels innermost; None for signals, which have none."""
        return {4: torch.channels_last, 5: torch.channels_last_3d}.get(self.x.ndim)

    def model(self, *, last: bool = False) -> tuple[nn.Module, Tensor]:
        """The network anew, always with the same weights, and the input, both laid out alike."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            model = self.entry.network.build()
            draw_weights(model)
        model.train(self.training)
        for module in model.modules():
            if isinstance(module, nn.Dropout):  # or results could not be compared
                module.eval()
        if not last:
            return model, self.x
        return model.to(memory_format=self.last), self.x.to(memory_format=self.last)

    def call(self, forward: Callable[[Tensor], Tensor], model: nn.Module, x: Tensor) -> Run:
        """What is timed: ``forward``, or a step that changes the weights of ``model``."""
        return _step(forward, model, x, self.classes) if self.training else _inference(forward, x)


def _inference(forward: Callable[[Tensor], Tensor], x: Tensor) -> Run:
    def infer() -> Tensor:
        with torch.inference_mode():
            return forward(x)

    return infer


def _step(forward: Callable[[Tensor], Tensor], model: nn.Module, x: Tensor, classes: Tensor) -> Run:
    """It gives every weight's gradient."""
    weights = list(model.parameters())
    optimizer = torch.optim.SGD(weights, RATE)

    def step() -> list[Any]:
        functional.cross_entropy(forward(x), classes).backward()
        optimizer.step()
        gradients = [weight.grad for weight in weights]
        optimizer.zero_grad()  # so that the gradients of who does not run take no memory
        return gradients

    return step
