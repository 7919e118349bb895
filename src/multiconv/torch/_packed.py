"""Plans of one layer with its kernel prepared, for as long as the kernel stays as it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

import multiconv
from multiconv import _arrays, _core
from multiconv._plan import Plan
from multiconv._typing import Array
from multiconv.torch import _views as views
from multiconv.torch._threads import threads

MOST_PLANS = 8
"""Input shapes that a layer's kernel is kept prepared for."""
SAMPLES = 256
"""How many of a tensor's numbers are compared at each call, one out of each part of it."""

Epilogue = Callable[..., tuple[Tensor | None, Tensor | None]]
"""Bias and scale of a layer, from the tensors that follow its kernel."""


class Seen:
    """A tensor as it was, to tell whether it is so still.

    It has changed when torch's own count of its changes says so, when its memory is another, or
    when one of `SAMPLES` numbers scattered over it is: what is written by way of ``.data`` is not
    counted. Memory that is held is not used again, so an equal address is the same memory.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor
        self._place = _place(tensor)
        self._pointer, self._version, *_ = self._place
        self._held = _arrays.to_numpy(tensor.detach(), "weight")
        places = _scattered(self._held.shape, self._held.strides)
        address, _ = self._held.__array_interface__["data"]
        self.samples = _core.Samples(address, places, self._held.itemsize)

    def is_counted_as(self, tensor: Tensor) -> bool:
        """Whether it is the same tensor by torch's count; `samples` tell of its numbers."""
        if tensor.is_inference():  # nothing counts its changes
            return False
        if tensor is self._tensor:  # the usual case, told with less
            return tensor._version == self._version and tensor.data_ptr() == self._pointer
        return _place(tensor) == self._place


class Packed:
    """A layer's prepared kernels.

    Parameters
    ----------
    function : callable
        `multiconv.conv` or `multiconv.conv_transpose`.
    epilogue : callable, optional
        Makes bias and scale from the tensors that follow the kernel: by itself, the one bias.
    """

    def __init__(self, function: Callable[..., Any], epilogue: Epilogue | None = None) -> None:
        self._function = function
        self._epilogue = epilogue or _bias_alone
        self._seen: tuple[Seen | None, ...] = ()
        self._samples: list[_core.Samples] = []
        self._plans: dict[Any, Plan] = {}

    def __reduce__(self) -> Any:
        """Copies and pickles start empty."""
        return Packed, (self._function, self._epilogue)

    @property
    def prepared_bytes(self) -> int:
        """Memory of the prepared kernels."""
        return sum(plan.prepared_bytes for plan in self._plans.values())

    def __call__(
        self, x: Tensor, w: Tensor, *more: Tensor | None, residual: Tensor | None = None,
        **options: Any,
    ) -> Tensor:  # fmt: skip
        """Run the layer on a batch.

        Parameters
        ----------
        x, w : Tensor
            Input and kernel.
        *more : Tensor or None
            What bias and scale are made from.
        residual : Tensor, optional
            Added to the sums.
        **options
            The function's.
        """
        last = views.is_last(x)
        array = views.data(x, last)
        added = None if residual is None else views.data(residual, last)
        with threads():
            plan = self.plan(array, last, w, *more, residual=added, **options)
            epilogue = plan.epilogue if added is None else plan.epilogue._replace(residual=added)
            return views.result(plan.run(array, None, epilogue, None), x, last)

    def plan(
        self, x: Array | multiconv.ShapeDtype, last: bool, w: Tensor, *more: Tensor | None,
        residual: Any = None, **options: Any,
    ) -> Plan:  # fmt: skip
        """The plan for data of a shape and dtype, in the engine's format."""
        plans = self.plans_of(w, *more)
        key = (x.shape, last, x.dtype, residual is None, *options.items())
        plan = plans.get(key)
        if plan is None:
            if len(plans) >= MOST_PLANS:
                plans.clear()
            plan = plans[key] = self._planned(x, w, more, residual, last, options)
        return plan

    def plans_of(self, *tensors: Tensor | None) -> dict[Any, Plan]:
        """The plans for kernels as they are now; another dictionary when they have changed."""
        seen, plans = self._seen, self._plans
        counted = len(seen) == len(tensors) and all(map(_is_counted, seen, tensors))
        if counted and _core.are_same(self._samples):
            return plans
        self._plans = plans = {}
        self._seen = tuple(None if t is None else Seen(t) for t in tensors)
        self._samples = [one.samples for one in self._seen if one is not None]
        return plans

    def _planned(
        self, x: Any, w: Tensor, more: tuple[Tensor | None, ...], residual: Any, last: bool,
        options: dict[str, Any],
    ) -> Plan:  # fmt: skip
        bias, scale = (views.vector(v) for v in self._epilogue(*more))
        kernel = views.kernel(w, last)
        if self._function is multiconv.conv or options.get("groups", 1) == 1:
            kernel, scale = _scaled(kernel, scale, self._outputs(last))
        shape = multiconv.ShapeDtype(x.shape, x.dtype)
        added = None if residual is None else multiconv.ShapeDtype(residual.shape, residual.dtype)
        return multiconv.plan(
            self._function, shape, kernel, bias, scale=scale, residual=added,
            data_format=views.FORMATS[last], **options,
        )  # fmt: skip

    def _outputs(self, last: bool) -> int:
        """The kernel's axis of outputs."""
        first = 0 if self._function is multiconv.conv else 1
        return -1 - first if last else first


def _bias_alone(bias: Tensor | None = None) -> tuple[Tensor | None, None]:
    return bias, None


def _scaled(kernel: Array, scale: Array | None, axis: int) -> tuple[Array, Array | None]:
    """A kernel that the scale is a factor of, where its numbers have the digits and the range."""
    if scale is None or kernel.dtype not in (np.float32, np.float64):
        return kernel, scale
    shape = [1] * kernel.ndim
    shape[axis] = -1
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = kernel * scale.reshape(shape)
    tiny = np.finfo(kernel.dtype).tiny
    lost = ~np.isfinite(scaled) | ((np.abs(scaled) < tiny) & (kernel != 0))
    return (kernel, scale) if lost.any() else (scaled, None)


def _is_counted(seen: Seen | None, tensor: Tensor | None) -> bool:
    if seen is None or tensor is None:
        return seen is None and tensor is None
    return seen.is_counted_as(tensor)


@lru_cache(maxsize=256)
def _scattered(shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """Bytes to one place out of each part, at random: equal steps would miss channels or taps."""
    size = math.prod(shape)
    parts = np.linspace(0, size, min(size, SAMPLES) + 1).astype(np.intp)
    places = np.random.default_rng(0).integers(parts[:-1], parts[1:])
    offsets = np.zeros(len(places), np.int64)
    for index, stride in zip(np.unravel_index(places, shape), strides, strict=True):
        offsets += index * stride
    return offsets


def _place(tensor: Tensor) -> tuple[Any, ...]:
    version = 0 if tensor.is_inference() else tensor._version
    return tensor.data_ptr(), version, tensor.dtype, tensor.shape, tensor.stride()
