"""The convolutions of `jax.lax`: its arguments, its refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax

from multiconv.jax._spelling import convolve

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
"""Those that the engine computes with."""


def conv_general_dilated(
    lhs: Any, rhs: Any, window_strides: Sequence[int], padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None, rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None, feature_group_count: int = 1, batch_group_count: int = 1,
    precision: Any = None, preferred_element_type: Any = None,
) -> jax.Array:  # fmt: skip
    """`jax.lax.conv_general_dilated`, on the CPU by this engine.

    Under `jax.jit`, `jax.vmap` and derivatives of any order, forward and backward. On other devices
    it is JAX's own operator; so it is, everywhere, for dtypes that the engine does not have (floats
    of 8 bits, integers of 4), arrays without spatial axes, and those without elements. Arrays that
    are spread over several devices are gathered, but within `jax.shard_map`.

    Parameters
    ----------
    lhs : array
        The data, of as many axes as the kernel.
    rhs : array
        The kernel, of the same dtype.
    window_strides : sequence of int
        One number per spatial axis.
    padding : {"SAME", "SAME_LOWER", "VALID"} or sequence of (low, high) pairs
        Zeros added to the ends of each spatial axis; negative numbers take samples away.
    lhs_dilation, rhs_dilation : sequence of int, optional
        Distances between samples of the data and between taps of the kernel.
    dimension_numbers : tuple of three str, or jax.lax.ConvDimensionNumbers, optional
        Which axis is which, such as ``("NHWC", "HWIO", "NHWC")``; ``("NCHW", "OIHW", "NCHW")``
        unless given.
    feature_group_count, batch_group_count : int, optional
        Channels or samples are split into this many groups that do not see each other.
    precision : optional
        As for JAX; ``HIGHEST`` asks the engine for direct summation.
    preferred_element_type : dtype, optional
        Of the sums and the result, if not that of the arrays.

    Returns
    -------
    jax.Array

    Raises
    ------
    TypeError, ValueError, RuntimeError
        Whatever JAX refuses, as JAX does.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import multiconv.jax as mj
    >>> x, w = jnp.arange(5.0).reshape(1, 5, 1), jnp.ones((2, 1, 1))
    >>> layout = ("NWC", "WIO", "NWC")
    >>> conv = jax.jit(lambda x, w: mj.conv_general_dilated(
    ...     x, w, (1,), "VALID", dimension_numbers=layout).ravel())
    >>> conv(x, w)
    Array([1., 3., 5., 7.], dtype=float32)
    >>> jax.jacfwd(conv, 1)(x, w).shape
    (4, 2, 1, 1)
    """
    return _asked(
        lax.conv_general_dilated, lhs, rhs, window_strides=window_strides, padding=padding,
        lhs_dilation=lhs_dilation, rhs_dilation=rhs_dilation, dimension_numbers=dimension_numbers,
        feature_group_count=feature_group_count, batch_group_count=batch_group_count,
        precision=precision, preferred_element_type=preferred_element_type,
    )  # fmt: skip


def conv(
    lhs: Any, rhs: Any, window_strides: Sequence[int], padding: str | Sequence[tuple[int, int]],
    precision: Any = None, preferred_element_type: Any = None,
) -> jax.Array:  # fmt: skip
    """`jax.lax.conv`: `conv_general_dilated` of ``(N, C, *space)`` and ``(O, C, *size)``.

    Parameters
    ----------
    lhs, rhs, window_strides, padding, precision, preferred_element_type
        As for `conv_general_dilated`.

    Returns
    -------
    jax.Array
        ``(N, O, *space)``.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import multiconv.jax as mj
    >>> mj.conv(jnp.ones((1, 3, 4, 5)), jnp.ones((2, 3, 3, 2)), (1, 2), "SAME").shape
    (1, 2, 4, 3)
    """
    return _asked(
        lax.conv, lhs, rhs, window_strides=window_strides, padding=padding, precision=precision,
        preferred_element_type=preferred_element_type,
    )  # fmt: skip


def conv_transpose(
    lhs: Any, rhs: Any, strides: Sequence[int], padding: str | Sequence[tuple[int, int]],
    rhs_dilation: Sequence[int] | None = None, dimension_numbers: Any = None,
    transpose_kernel: bool = False, precision: Any = None, preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> jax.Array:  # fmt: skip
    """`jax.lax.conv_transpose`: as many outputs as inputs times strides, or nearly.

    Parameters
    ----------
    lhs, rhs, rhs_dilation, precision, preferred_element_type
        As for `conv_general_dilated`.
    strides : sequence of int
        Outputs per input.
    padding : {"SAME", "VALID"} or sequence of (low, high) pairs
        Words mean the padding of the convolution that this one transposes; pairs are added to the
        data, with `strides` between their samples.
    dimension_numbers : optional
        As for `conv_general_dilated`, but ``("NHWC", "HWIO", "NHWC")`` unless given.
    transpose_kernel : bool, optional
        Whether the kernel is that of the convolution that this one transposes: its taps are read
        backwards, its channels change places.
    use_consistent_padding : bool, optional
        Whether pairs mean what words mean.

    Returns
    -------
    jax.Array

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import multiconv.jax as mj
    >>> x, w = jnp.array([1.0, 2.0]).reshape(1, 2, 1), jnp.ones((3, 1, 1))
    >>> mj.conv_transpose(x, w, (2,), "VALID").ravel()
    Array([1., 1., 3., 2., 2.], dtype=float32)
    """
    more = {"use_consistent_padding": True} if use_consistent_padding else {}  # not in older JAX
    return _asked(
        lax.conv_transpose, lhs, rhs, transpose_kernel=transpose_kernel, strides=strides,
        padding=padding, rhs_dilation=rhs_dilation, dimension_numbers=dimension_numbers,
        precision=precision, preferred_element_type=preferred_element_type, **more,
    )  # fmt: skip


def _asked(function: Callable[..., Any], lhs: Any, rhs: Any, **options: Any) -> jax.Array:
    named = tuple((name, _hashable(value)) for name, value in options.items())
    found: jax.Array = _compiled(lhs, rhs, function, named)
    return found


def _hashable(value: Any) -> Any:
    """Lists, arrays and the like as tuples; other values, named tuples too, as they are."""
    named = isinstance(value, tuple) and type(value) is not tuple
    if named or isinstance(value, str) or not isinstance(value, Iterable):
        return value
    return tuple(map(_hashable, value))


def _compute(
    lhs: Any, rhs: Any, function: Callable[..., Any], named: tuple[tuple[str, Any], ...]
) -> Any:
    """What a function of `jax.lax` computes, by the engine where it can."""
    options = dict(named)
    ask = partial(function, **options)
    traced = jax.make_jaxpr(ask)(lhs, rhs)
    (asked,) = (s for s in traced.eqns if s.primitive is lax.conv_general_dilated_p)
    result = asked.outvars[0].aval
    if not all(map(_takes, (lhs, rhs, result))):
        return ask(lhs, rhs)
    if not np.can_cast(lhs.dtype, result.dtype):
        lhs, rhs = lhs.astype(result.dtype), rhs.astype(result.dtype)
    lhs, rhs = _alike(lhs, rhs, traced)
    return convolve(
        lhs, rhs, asked.params, result, transposed=options.get("transpose_kernel", False)
    )


def _alike(lhs: Any, rhs: Any, traced: Any) -> tuple[Any, Any]:
    """Within `jax.shard_map`: arrays that vary over the same axes, as JAX made them."""
    for step in traced.eqns:
        if step.primitive.name == "pvary":
            if step.invars[0] is traced.jaxpr.invars[0]:
                lhs = step.primitive.bind(lhs, **step.params)
            else:
                rhs = step.primitive.bind(rhs, **step.params)
    return lhs, rhs


_compiled = jax.jit(_compute, static_argnums=(2, 3), inline=True)


def _takes(array: Any) -> bool:
    """Whether the engine has an array's dtype, and its shape is known and no special case."""
    sizes = array.shape
    known = all(isinstance(n, int) for n in sizes)
    return array.dtype.name in _DTYPES and array.ndim > 2 and known and 0 not in sizes
