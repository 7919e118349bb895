"""One call of the engine with tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from multiconv.torch import _views as views
from multiconv.torch._threads import threads


def run_layer(
    function: Callable[..., Any], x: Tensor, w: Tensor, bias: Tensor | None, *,
    scale: Tensor | None = None, residual: Tensor | None = None, **options: Any,
) -> Tensor:  # fmt: skip
    """What `multiconv.conv` or `multiconv.conv_transpose` gives, laid out as ``x`` is."""
    last = views.is_last(x)
    with threads():
        y = function(
            views.data(x, last), views.kernel(w, last, x.ndim), views.vector(bias),
            scale=views.vector(scale), data_format=views.FORMATS[last],
            residual=None if residual is None else views.data(residual, last), **options,
        )  # fmt: skip
    return views.result(y, x, last)
