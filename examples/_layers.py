"""The layers of either engine under the same names, so that one network is written once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

from torch import Tensor, nn
from torch.nn import functional

ENGINES = ("multiconv", "torch")


class Pool(nn.Module):
    """A pooling function as a layer."""

    def __init__(self, function: Callable[..., Tensor], size: int) -> None:
        super().__init__()
        self.function, self.size = function, size

    def forward(self, x: Tensor) -> Tensor:
        """The largest, or the mean, of every window."""
        return self.function(x, self.size)


def layers(engine: str) -> SimpleNamespace:
    """``Conv1d`` to ``Conv3d`` and ``MaxPool1d`` to ``MaxPool3d``."""
    convolutions, functions = nn, functional
    if engine == "multiconv":
        import multiconv.torch

        convolutions = functions = multiconv.torch
    names = SimpleNamespace(engine=engine)
    for rank in (1, 2, 3):
        setattr(names, f"Conv{rank}d", getattr(convolutions, f"Conv{rank}d"))
        pool = getattr(functions, f"max_pool{rank}d")
        setattr(names, f"MaxPool{rank}d", partial(Pool, pool))
    return names
