"""A convolution of which only a block is computed: the same problem on fewer samples."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multiconv import _api, _arrays, _conventions
from multiconv._conventions import Request, ShapeDtype
from multiconv._errors import RefusedError
from multiconv._geometry import Reach, window
from multiconv._plan import Plan
from multiconv._typing import Array
from multiconv.algorithms._base import Epilogue

FUNCTIONS: dict[Callable[..., Any], Callable[..., Request]] = {
    _api.convolve: _conventions.convolve,
    _api.correlate: _conventions.correlate,
    _api.conv: _conventions.conv,
}
MOST_PLANS = 64
Spans = Sequence[tuple[int, int]]


class Convolution:
    """One call of `convolve`, `correlate` or `conv`."""

    parts = 1

    def __init__(
        self, function: Callable[..., Any], shape: tuple[int, ...], dtype: np.dtype[Any],
        args: tuple[Any, ...], options: dict[str, Any],
    ) -> None:  # fmt: skip
        given = dict(inspect.signature(function).bind(None, *args, **options).arguments)
        given.pop("x")
        for name in ("out", "residual"):
            if given.pop(name, None) is not None:
                raise TypeError(f"{name}: is not allowed where the result is made in blocks")
        self.layer, name = (True, "w") if function is _api.conv else (False, "h")
        self.function, self.method = function, given.pop("method", "auto")
        self.kernel = _arrays.to_numpy(given.pop(name), name)
        self.epilogue = Epilogue(**{
            name: _arrays.to_numpy(given.pop(name), name)
            for name in ("bias", "scale") if given.get(name) is not None
        })  # fmt: skip
        self.x_dtype, self.options = dtype, given
        self._plans: dict[Any, Plan] = {}
        request, self.algorithm = self._request(shape, self.kernel), self._algorithm(shape)
        self.problem, self.dtype = request.problem, request.problem.out_dtype
        self.spatial = _spatial_axes(request, self.layer, len(shape))
        first = self.problem.data_format == "channels_first"
        channels = self.spatial[0] - 1 if first else self.spatial[-1] + 1
        self.channels = channels if self.layer else None
        self.reaches = tuple(
            self._reach(axis, n, out)
            for axis, (n, out) in enumerate(zip(shape, request.out_shape, strict=True))
        )
        if not self.layer:
            self.options.pop("mode", None)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_plans": {}}

    def run(self, block: Array, spans: Spans) -> Array:
        """The outputs at ``spans``, from the samples they need, joined."""
        padding = tuple(r.padding(*s) for r, s in zip(self.reaches, spans, strict=True))
        own = self._own_kernels(spans)
        key = (block.shape, padding, own)
        plan = self._plans.get(key)
        if plan is None:
            kernel = self.kernel[tuple(slice(*ends) for ends in own)]
            plan = self._plan(block.shape, padding, kernel)
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        result = np.asarray(plan(block))
        if self.channels is None:
            return result
        return result[(slice(None),) * self.channels + (slice(*spans[self.channels]),)]

    def _plan(self, shape: tuple[int, ...], padding: Any, kernel: Array) -> Plan:
        """The same problem on a block, padded to give just its outputs; the kernel prepared."""
        if self.layer:
            padding = tuple(padding[a] for a in self.spatial)
        request = self._request(shape, kernel, padding=padding)
        request.check_memory()
        try:
            return Plan(request, self.algorithm, kernel, self.epilogue)
        except RefusedError:
            return Plan(request, self.method, kernel, self.epilogue)

    def _request(self, shape: tuple[int, ...], kernel: Array, **padding: Any) -> Request:
        x, w = ShapeDtype(shape, self.x_dtype), ShapeDtype(kernel.shape, kernel.dtype)
        return FUNCTIONS[self.function](x, w, **{**self._options(), **padding})

    def _algorithm(self, shape: tuple[int, ...]) -> str:
        """What would run the whole call, so that its parts have the same bits."""
        x = ShapeDtype(shape, self.x_dtype)
        return _api.algorithm_for(self.function, x, self.kernel, self.method, **self._options())

    def _options(self) -> dict[str, Any]:
        arrays = {n: a for n, a in self.epilogue._asdict().items() if a is not None}
        return self.options | {n: ShapeDtype(a.shape, a.dtype) for n, a in arrays.items()}

    def _reach(self, axis: int, size: int, out: int) -> Reach:
        if axis in self.spatial:
            p, s = self.problem, self.spatial.index(axis)
            win = window(p.kernel[s], p.dilation[s])
            return Reach(size, out, win, p.padding[s][0], p.stride[s], p.boundary[s])
        if size == out and axis != self.channels:
            return Reach(size, out)
        # Every output reads all samples: a layer's channels, or one that many kernels share.
        return Reach(size, out, window=size, stride=0)

    def _own_kernels(self, spans: Spans) -> tuple[tuple[int, int], ...]:
        """Which kernels these outputs have, where each has its own along some axis."""
        shape = self.kernel.shape
        if self.layer or len(shape) != len(spans):
            return tuple((0, n) for n in shape)
        return tuple(
            (0, n) if a in self.spatial or n == 1 else span
            for a, (n, span) in enumerate(zip(shape, spans, strict=True))
        )


def _spatial_axes(request: Request, layer: bool, ndim: int) -> tuple[int, ...]:
    """The axis of the caller's array for each spatial axis of the problem."""
    problem = request.problem
    if layer:
        end = ndim - (problem.data_format == "channels_last")
        return tuple(range(end - problem.rank, end))
    order = request.out.order or tuple(range(ndim))
    return order[ndim - problem.rank :]
