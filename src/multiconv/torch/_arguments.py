"""torch's spelling of a layer's arguments, and torch's way to refuse them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from multiconv import _geometry as geometry

_CAST = (torch.float32, torch.bfloat16, torch.float16)
_NAMES = {"x": "input", "w": "weight", "kernel": "weight", "size": "kernel_size"}


@contextmanager
def refusals() -> Iterator[None]:
    """The engine's refusals as the exceptions that torch raises, in torch's names."""
    try:
        yield
    except (ValueError, TypeError) as error:
        name, colon, rest = str(error).partition(":")
        kind = RuntimeError if isinstance(error, ValueError) else TypeError
        raise kind(_NAMES.get(name, name) + colon + rest) from None


def expect(condition: bool, message: str) -> None:
    """Raise torch's exception for what torch refuses."""
    if not condition:
        raise RuntimeError(message)


def expect_tensor(tensor: Any, name: str) -> None:
    """Refuse what is no tensor, as torch does."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: must be a torch.Tensor, not {type(tensor).__name__}")


def checked(
    input: Tensor, weight: Tensor, bias: Tensor | None, rank: int | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """A layer's tensors, as autocasting wants them; refuse those that make none of this rank."""
    x, w, bias = _autocast(input, weight, bias)
    for name, tensor in (("input", x), ("weight", w), ("bias", bias)):
        if tensor is None and name == "bias":
            continue
        expect_tensor(tensor, name)
        if tensor.dtype != x.dtype or tensor.device != x.device:
            raise RuntimeError(
                f"{name}: is {tensor.dtype} on {tensor.device}, input is {x.dtype} on {x.device}; "
                "they should be the same"
            )
    if rank is None:
        rank = w.ndim - 2
        expect(rank >= 1, f"weight: has {w.ndim} dimensions, a layer's kernel has at least three")
    if w.ndim != rank + 2:
        raise RuntimeError(
            f"weight: has {w.ndim} dimensions, this layer takes {rank + 2}: two of channels and "
            f"{rank} of space"
        )
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"input: has {x.ndim} dimensions, this layer takes {rank + 2}, or {rank + 1} without "
            "a batch"
        )
    if w.shape[0] == 0:
        raise RuntimeError(f"weight: shape {tuple(w.shape)} has no channels")
    if 0 in x.shape[-rank:] and 0 not in x.shape[:-rank]:
        raise RuntimeError(f"input: shape {tuple(x.shape)} has a spatial axis without elements")
    return x, w, bias


def _autocast(*tensors: Any) -> tuple[Any, ...]:
    """The tensors as an enclosing ``torch.autocast`` wants a convolution's."""
    kind = next((t.device.type for t in tensors if isinstance(t, Tensor)), "cpu")
    if not is_autocast(kind):
        return tensors
    dtype = torch.get_autocast_dtype(kind)
    return tuple(t.to(dtype) if isinstance(t, Tensor) and t.dtype in _CAST else t for t in tensors)


def is_autocast(kind: str) -> bool:
    """Whether ``torch.autocast`` is on for a kind of device; not all kinds know it."""
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def ends(
    padding: Any, sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:  # fmt: skip
    """Low and high padding of each axis in turn, from `multiconv.conv`'s words."""
    if padding == "same":
        pairs: Any = [
            geometry.same_padding(n, geometry.window(k, d), s)
            for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)
        ]
    else:
        pairs = geometry.per_axis_pairs(
            0 if padding == "valid" else padding, len(kernel), "padding"
        )
    return [n for pair in pairs for n in pair]


def even_ends(
    padding: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """The same from what torch's layers take: numbers from 0 on, and "same" of stride 1 only."""
    if isinstance(padding, str):
        expect(
            padding in ("same", "valid"),
            f"padding: {padding!r} is not allowed, give numbers, 'valid' or 'same'",
        )
        expect(
            padding == "valid" or all(s == 1 for s in stride),
            f"padding: 'same' is not supported for strided layers, stride is {tuple(stride)}",
        )
        return ends(padding, kernel, kernel, stride, dilation)
    return [n for n in geometry.per_axis(padding, len(kernel), "padding", 0) for _ in range(2)]


def count(groups: Any) -> int:
    """The number of groups, checked."""
    (number,) = geometry.per_axis(groups, 1, "groups", 1)
    return number


def computed(
    operator: Callable[..., Tensor], input: Tensor, weight: Tensor, bias: Tensor | None, *layer: Any
) -> Tensor:
    """What a layer gives."""
    with refusals():
        return batched(operator, input, weight, bias, *layer)


def batched(
    run: Callable[..., Tensor], input: Tensor, weight: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Run on a batch, of one where the input is without."""
    if input.ndim == weight.ndim:
        return run(input, weight, *rest, **options)
    return run(input.unsqueeze(0), weight, *rest, **options).squeeze(0)
