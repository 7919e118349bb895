"""A convolution as JAX's own operator spells it, to the operator here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from multiconv.jax._form import Axes, Form
from multiconv.jax._primitive import conv


def convolve(lhs: Any, rhs: Any, asked: Mapping[str, Any], result: Any, *, transposed: bool) -> Any:
    """Convolve as parameters of JAX's operator ask, to an array like ``result``.

    With ``transposed`` they ask for the kernel with its taps backwards and its channels exchanged,
    and ``rhs`` is the one before that.
    """
    batch, kernel, out = asked["dimension_numbers"]
    if transposed:
        kernel = (kernel[1], kernel[0], *kernel[2:])
    by_sample = asked["batch_group_count"] > 1
    groups = max(asked["batch_group_count"], asked["feature_group_count"])
    split = batch[0] if by_sample else batch[1]
    o, g, c, *size = _axes(kernel, kernel[0])
    form = Form(
        lhs=_axes(batch, split), rhs=(g, o, c, *size), out=_axes(out, out[1]),
        stride=_ints(asked["window_strides"]),
        padding=tuple((int(low), int(high)) for low, high in asked["padding"]),
        in_dilation=_ints(asked["lhs_dilation"]), dilation=_ints(asked["rhs_dilation"]),
        flip=transposed,
    )  # fmt: skip
    found = conv(
        _split(lhs, split, groups), _split(rhs, kernel[0], groups), form=form,
        dtype=result.dtype, precision=asked["precision"],
    )  # fmt: skip
    return found.reshape(result.shape)


def _axes(spec: Sequence[int], split: int) -> Axes:
    """First axis, groups, second axis and space, one axis being split into groups and the rest."""
    first, second, *space = (axis + (axis >= split) for axis in spec)
    return (first, split, second, *space)


def _split(array: Any, axis: int, groups: int) -> Any:
    sizes = (*array.shape[:axis], groups, array.shape[axis] // groups, *array.shape[axis + 1 :])
    return array.reshape(sizes)


def _ints(values: Sequence[Any]) -> tuple[int, ...]:
    return tuple(map(int, values))
