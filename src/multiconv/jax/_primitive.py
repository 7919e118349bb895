"""The operator as JAX knows it: its shape, derivatives, batching and what it compiles to.

It is bilinear and its gradients are itself in another form, so JAX has derivatives of any order
from it, forward and backward; an axis to map over becomes part of the batch, the groups or the
output channels.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jax.sharding import AxisType

from multiconv._conventions import ShapeDtype
from multiconv._problem import Precision
from multiconv.jax import _call, _ffi
from multiconv.jax._form import Form, Sizes
from multiconv.jax._lax import by_lax

TARGET = "multiconv_conv"

conv_p: Any = Primitive("multiconv_conv")


def conv(lhs: Any, rhs: Any, *, form: Form, dtype: np.dtype, precision: Any) -> Any:
    """Convolve arrays that a form describes, to a result of ``dtype``."""
    return conv_p.bind(lhs, rhs, form=form, dtype=np.dtype(dtype), precision=precision)


def _run(lhs: Any, rhs: Any, **options: Any) -> Any:
    with jax.disable_jit(False):
        return jax.jit(partial(conv_p.bind, **options))(lhs, rhs)


def _shape(lhs: Any, rhs: Any, *, form: Form, dtype: np.dtype, precision: Any) -> Any:
    shape = form.out_shape(lhs.shape, rhs.shape)
    if AxisType.Manual in lhs.sharding.mesh.axis_types:  # it varies over the mesh as the data do
        return lhs.update(shape=shape, dtype=dtype, weak_type=False)
    return jax.core.ShapedArray(shape, dtype)


def _lhs_gradient(
    grad: Any, lhs: Any, rhs: Any, *, form: Form, dtype: np.dtype, precision: Any
) -> Any:
    form, wanted = form.lhs_gradient(lhs.aval.shape, rhs.shape), lhs.aval.dtype
    found = conv(grad, rhs.astype(dtype), form=form, dtype=dtype, precision=precision)
    return found.astype(wanted)


def _rhs_gradient(
    grad: Any, lhs: Any, rhs: Any, *, form: Form, dtype: np.dtype, precision: Any
) -> Any:
    data, wanted = lhs.astype(dtype), rhs.aval.dtype
    if form.flip:
        form, data, grad = form.lhs_gradient(data.shape, rhs.aval.shape), grad, data
    form = form.rhs_gradient(data.shape, rhs.aval.shape)
    return conv(data, grad, form=form, dtype=dtype, precision=precision).astype(wanted)


def _batched(arrays: Any, batches: Any, *, form: Form, **options: Any) -> tuple[Any, int]:
    """An axis of both arrays makes groups, of the data a larger batch, of the kernel channels."""
    (lhs, rhs), (i, j) = arrays, batches
    single = form.out_shape(_without(lhs.shape, i), _without(rhs.shape, j))
    count = rhs.shape[j] if i is None else lhs.shape[i]
    batch, group, channel = form.out[:3]
    if j is None:
        axis, lhs = batch, _merged(lhs, i, form.lhs[0])
    elif i is None:
        axis, rhs = channel, _merged(rhs, j, form.rhs[1])
    else:
        axis, lhs, rhs = group, _merged(lhs, i, form.lhs[1]), _merged(rhs, j, form.rhs[0])
    found = conv(lhs, rhs, form=form, **options)
    return found.reshape(*single[:axis], count, *single[axis:]), axis


def _without(sizes: Sizes, axis: int | None) -> Sizes:
    return sizes if axis is None else (*sizes[:axis], *sizes[axis + 1 :])


def _merged(array: Any, batch: int, axis: int) -> Any:
    """An array without its axis to map over, merged into one of the others as its outer part."""
    array = jax.numpy.moveaxis(array, batch, axis)
    size = array.shape[axis] * array.shape[axis + 1]
    return array.reshape(*array.shape[:axis], size, *array.shape[axis + 2 :])


def _lowered(
    context: Any, lhs: Any, rhs: Any, *, form: Form, dtype: np.dtype, precision: Any
) -> Any:
    data, kernel = (ShapeDtype(a.shape, a.dtype) for a in context.avals_in)
    result = context.avals_out[0]
    if 0 in (*data.shape, *kernel.shape, *result.shape):
        zeros = mlir.lower_fun(
            lambda *_: jax.numpy.zeros(result.shape, dtype), multiple_results=False
        )
        return zeros(context, lhs, rhs)
    asked = precision if isinstance(precision, tuple) else (precision,)
    word: Precision = "highest" if lax.Precision.HIGHEST in asked else "default"
    problem = _call.problem_of(form, data, kernel, dtype, word)
    return jax.ffi.ffi_lowering(TARGET)(context, lhs, rhs, call=_call.spell(problem, form))


def _define() -> None:
    derivatives: Any = ad
    conv_p.def_impl(_run)
    conv_p.def_abstract_eval(_shape)
    derivatives.defbilinear(conv_p, _lhs_gradient, _rhs_gradient)
    batching.primitive_batchers[conv_p] = _batched
    _ffi.register(TARGET, _call.run)
    mlir.register_lowering(conv_p, _lowered, platform="cpu")
    mlir.register_lowering(conv_p, mlir.lower_fun(by_lax, multiple_results=False))


_define()
