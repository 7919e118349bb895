"""Plans of one layer with its kernel prepared, for as long as the kernel stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

import multiconv
from multiconv._plan import Plan
from multiconv._typing import Array
from multiconv.torch import _views as views
from multiconv.torch._seen import Seen
from multiconv.torch._threads import threads

MOST_PLANS = 8
"""Input shapes that a layer's kernel is kept prepared for."""

Epilogue = Callable[..., tuple[Tensor | None, Tensor | None]]
"""Bias and scale of a layer, from the tensors that follow its kernel."""


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
        self._seen: Seen | None = None
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

    def forecast(
        self, x: multiconv.ShapeDtype, last: bool, w: Tensor, *more: Tensor | None,
        residual: Any = None, **options: Any,
    ) -> Plan:  # fmt: skip
        """As `plan`, of the kernel's shape alone: nothing is prepared."""
        return self._planned(x, w, more, residual, last, options, prepares=False)

    def plans_of(self, *tensors: Tensor | None) -> dict[Any, Plan]:
        """The plans for kernels as they are now; another dictionary when they have changed."""
        seen, plans = self._seen, self._plans
        if seen is not None and seen.are(tensors):
            return plans
        self._plans = plans = {}
        self._seen = Seen(tensors)
        return plans

    def _planned(
        self, x: Any, w: Tensor, more: tuple[Tensor | None, ...], residual: Any, last: bool,
        options: dict[str, Any], prepares: bool = True,
    ) -> Plan:  # fmt: skip
        bias, scale = (views.vector(v) for v in self._epilogue(*more))
        kernel = views.kernel(w, last, len(x.shape))
        if self._function is multiconv.conv or options.get("groups", 1) == 1:
            kernel, scale = _scaled(kernel, scale, self._outputs(last))
        given = kernel if prepares else multiconv.ShapeDtype(kernel.shape, kernel.dtype)
        shape = multiconv.ShapeDtype(x.shape, x.dtype)
        added = None if residual is None else multiconv.ShapeDtype(residual.shape, residual.dtype)
        return multiconv.plan(
            self._function, shape, given, bias, scale=scale, residual=added,
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
