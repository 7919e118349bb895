"""torch: `conv1d`, `conv2d`, `conv3d` in both memory formats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch

from .._case import Case
from .._layer_case import LayerCase
from ._offer import Offer

DISTRIBUTION = "torch"
RATE = 1e9


@contextmanager
def threads(n: int) -> Iterator[None]:
    """As many, and nothing recorded for gradients."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def offers(case: Case) -> Iterator[Offer]:
    """Zeros outside, the same number of them at both ends, up to rank 3."""
    p = case.entry.problem
    even = all(low == high >= 0 for low, high in p.padding)
    floats = p.x_dtype.name in ("float32", "float64") and p.x_dtype == p.out_dtype
    zeros = set(p.boundary) == {"constant"} and p.cval == 0
    if case.entry.filter or not (even and floats and zeros) or p.rank > 3:
        return
    transposed = max(p.in_dilation) > 1
    taps = case.w
    if p.flip and not transposed:
        taps = np.flip(taps, tuple(range(taps.ndim - p.rank, taps.ndim))).copy()
    x = torch.from_numpy(case.x.reshape(p.batch, p.in_channels, *p.in_size))
    lead = taps.shape[:2] if transposed else (p.out_channels, p.group_in)
    w = torch.from_numpy(taps.reshape(*lead, *p.kernel))
    work = p.batch * p.out_channels * float(np.prod(p.in_size)) * w[0].numel()
    seconds = work / np.prod(p.stride) / (RATE if p.in_channels == 1 else 50 * RATE)
    memory = (
        0.0
        if p.x_dtype.itemsize == 4 and p.rank < 3
        else p.x_dtype.itemsize * work / p.out_channels
    )
    call = _call(case)
    yield Offer("torch", partial(call, x, w), seconds, memory)
    if p.in_channels > 1 and p.rank > 1:
        last: Any = {2: torch.channels_last, 3: torch.channels_last_3d}[p.rank]
        run = partial(call, x.to(memory_format=last), w.to(memory_format=last))
        yield Offer("torch last", run, seconds)


def _call(case: Case) -> Any:
    """What takes the data and the kernel, as torch lays them out."""
    p, options = case.entry.problem, case.spelling.options
    if isinstance(case, LayerCase) and case.entry.direction != "forward":
        return _gradient(case)
    if max(p.in_dilation) > 1:
        function = (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d)
        cuts = options["padding"]
        return partial(
            function[p.rank - 1], stride=p.in_dilation, padding=[low for low, _ in cuts],
            output_padding=options.get("output_padding", 0), dilation=p.dilation, groups=p.groups,
        )  # fmt: skip
    return partial(
        (torch.conv1d, torch.conv2d, torch.conv3d)[p.rank - 1], stride=p.stride,
        padding=[low for low, _ in p.padding], dilation=p.dilation, groups=p.groups,
    )  # fmt: skip


def _gradient(case: LayerCase) -> Any:
    """What autograd runs, for one of the gradients."""
    p = case.entry.problem
    grad = torch.from_numpy(case.grad)
    mask = [case.entry.direction == "input_grad", case.entry.direction == "weight_grad", False]
    geometry = (p.stride, [low for low, _ in p.padding], p.dilation, False, [0] * p.rank, p.groups)

    def run(x: torch.Tensor, w: torch.Tensor, grad: torch.Tensor) -> Any:
        found = torch.ops.aten.convolution_backward(grad, x, w, None, *geometry, mask)
        return found[0] if mask[0] else found[1]

    def call(x: torch.Tensor, w: torch.Tensor) -> Any:
        return run(x, w, grad)

    return call
