"""The same by JAX's own operator, for devices that the engine does not run on."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from multiconv.jax._form import Form, back


def by_lax(lhs: Any, rhs: Any, *, form: Form, dtype: np.dtype, precision: Any) -> Any:
    """Convolve arrays that a form describes, to a result of ``dtype``."""
    lhs, rhs = lax.transpose(lhs, form.lhs), lax.transpose(rhs, form.rhs)
    n, g, c, *space = lhs.shape
    _, o, _, *size = rhs.shape
    if form.flip:
        rhs = lax.rev(rhs, range(3, rhs.ndim))
    found = lax.conv_general_dilated(
        lhs.reshape(n, g * c, *space), rhs.reshape(g * o, c, *size), form.stride, form.padding,
        form.in_dilation, form.dilation, feature_group_count=g, precision=precision,
        preferred_element_type=dtype,
    )  # fmt: skip
    return lax.transpose(found.reshape(n, g, o, *found.shape[2:]), back(form.out))
