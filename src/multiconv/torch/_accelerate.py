"""Whole models: their convolutions swapped for this engine's, and back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils import parametrize

from multiconv.torch import _modules as ours

_SWAPS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv1d: ours.Conv1d,
    nn.Conv2d: ours.Conv2d,
    nn.Conv3d: ours.Conv3d,
    nn.ConvTranspose1d: ours.ConvTranspose1d,
    nn.ConvTranspose2d: ours.ConvTranspose2d,
    nn.ConvTranspose3d: ours.ConvTranspose3d,
}
_BACK = {own: theirs for theirs, own in _SWAPS.items()}
_MARK = "_multiconv_swapped"


@dataclass(frozen=True)
class Swapped:
    """A module that now runs on this engine."""

    name: str
    kind: str


@dataclass(frozen=True)
class Left:
    """A convolution that was left as it is, and why."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Acceleration:
    """What `accelerate` did; ``str()`` prints it.

    Attributes
    ----------
    swapped : tuple of Swapped
        Modules that now run on this engine.
    left : tuple of Left
        Convolutions that were left as they are, each with the reason.
    """

    swapped: tuple[Swapped, ...]
    left: tuple[Left, ...]

    def __str__(self) -> str:
        count = len(self.swapped)
        lines = [f"{count} of {count + len(self.left)} convolutions swapped"]
        rows = [(one.name, one.kind, "swapped") for one in self.swapped]
        rows += [(one.name, one.kind, f"left: {one.reason}") for one in self.left]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(2)]
        for name, kind, fate in rows:
            lines.append(f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {fate}")
        return "\n".join(lines)


def accelerate(model: nn.Module) -> Acceleration:
    """Let a model's convolutions run on this engine, in place.

    Every `torch.nn.Conv1d` to `torch.nn.ConvTranspose3d` becomes this package's layer of the same
    name: the same object with the same parameters, hooks and state dict. Convolutions that a
    model's own code calls as functions are not seen.

    Parameters
    ----------
    model : torch.nn.Module
        The model; it may be a convolution itself.

    Returns
    -------
    Acceleration
        What was swapped, and what was left, and why.

    See Also
    --------
    restore : undoes it.

    Examples
    --------
    >>> from torch import nn
    >>> import multiconv.torch
    >>> model = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.LazyConv2d(8, 3))
    >>> print(multiconv.torch.accelerate(model))
    1 of 2 convolutions swapped
      0  Conv2d      swapped
      2  LazyConv2d  left: it has no shape yet, run the model once
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: must be a torch.nn.Module, not {type(model).__name__}")
    swapped, left = [], []
    for name, module in model.named_modules():
        kind = type(module)
        if kind in _SWAPS and module.weight.device.type == "cpu":
            module.__class__ = _SWAPS[kind]
            module.__dict__[_MARK] = True
            swapped.append(Swapped(name, kind.__name__))
        elif _is_convolution(module) and kind not in _BACK:
            left.append(Left(name, kind.__name__, _reason(module)))
    return Acceleration(tuple(swapped), tuple(left))


def restore(model: nn.Module) -> int:
    """Undo `accelerate`, in place.

    Parameters
    ----------
    model : torch.nn.Module
        The model. Layers that were built as this package's stay, and so do those that were
        parametrized since.

    Returns
    -------
    int
        How many convolutions are torch's again.

    Examples
    --------
    >>> from torch import nn
    >>> import multiconv.torch
    >>> model = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())
    >>> _ = multiconv.torch.accelerate(model)
    >>> multiconv.torch.restore(model)
    1
    >>> type(model[0])
    <class 'torch.nn.modules.conv.Conv2d'>
    """
    count = 0
    for module in model.modules():
        if type(module) in _BACK and module.__dict__.pop(_MARK, False):
            module.__dict__.pop("_packed", None)
            module.__class__ = _BACK[type(module)]
            count += 1
    return count


def _is_convolution(module: nn.Module) -> bool:
    scripted = isinstance(module, torch.jit.ScriptModule)
    return isinstance(module, _ConvNd) or (scripted and "Conv" in module.original_name)


def _reason(module: nn.Module) -> str:
    if isinstance(module, torch.jit.ScriptModule):
        return "TorchScript has compiled it"
    if isinstance(module, LazyModuleMixin):
        return "it has no shape yet, run the model once"
    if parametrize.is_parametrized(module):
        return "its parameters are computed (torch.nn.utils.parametrize)"
    if type(module) in _SWAPS:
        return f"it is on {module.weight.device}, where torch's own operator runs"
    return f"{type(module).__name__} is a class of its own"
