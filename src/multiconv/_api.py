"""The public functions: short delegations to a cached plan."""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from multiconv import _arrays, _conventions, _core, _wisdom
from multiconv._conventions import Request, ShapeDtype
from multiconv._errors import MemoryLimitError
from multiconv._plan import Plan
from multiconv._planner import forget as forget_choices
from multiconv._typing import Array
from multiconv.algorithms._base import NO_EPILOGUE, Epilogue

_known = _core.call
_LARGEST_CACHE = 4096
_plans: dict[Any, Plan] = {}


def convolve(
    x: Any, h: Any, mode: Any = "full", *, axes: Any = None, boundary: Any = "constant",
    cval: Any = 0, stride: Any = 1, dilation: Any = 1, dtype: Any = None,
    precision: str = "default", method: str = "auto", out: Any = None,
) -> Any:  # fmt: skip
    """True convolution ``x * h``: ``sum over m of h[m] x[n - m]``, in any rank.

    Parameters
    ----------
    x : array_like
        The data; any shape. Axes that are not convolved are batch axes.
    h : array_like
        The kernel. It is convolved over as many trailing axes of ``x`` as it has dimensions.
    mode : {"full", "same", "valid"} or tuple of these, optional
        ``full``: wherever kernel and data overlap; ``same``: the size of ``x``, centred as SciPy
        centres it; ``valid``: where the kernel lies inside the data. One word, or one per axis.
    axes : int or tuple of int, optional
        The axes of ``x`` to convolve. ``h`` then has either just these axes, in this order, or as
        many as ``x``, the others broadcasting as NumPy's do.
    boundary : {"constant", "edge", "reflect", "symmetric", "wrap"} or tuple of these, optional
        How the data go on outside, in `numpy.pad`'s words.
    cval : number, optional
        The value outside for ``"constant"``.
    stride : int or tuple of int, optional
        Keep every stride-th output.
    dilation : int or tuple of int, optional
        Distance between the taps of ``h``.
    dtype : dtype, optional
        A result type wider than ``result_type(x, h)``. Integers are exact modulo the result type.
        Where ``x`` is of integers and ``h`` of floats it may be an integer type: the sums, kept in
        ``result_type(x, h)``, are rounded half to even and clipped to it.
    precision : {"default", "highest", "fast"}, optional
        ``highest``: direct summation only; ``default``: at most 8 times its normwise error;
        ``fast``: whatever there is.
    method : str, optional
        The name of an algorithm of `algorithms`, to force it.
    out : ndarray, optional
        Where to put the result.

    Returns
    -------
    array
        Of the library that ``x`` is from, of dtype ``result_type(x, h)`` or ``dtype``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.convolve([1, 2, 3, 4, 5], [0.5, 1, 0.5], "valid")
    array([4., 6., 8.])
    >>> mc.convolve([[1, 2, 3], [4, 5, 6]], [1, -1], boundary="wrap")
    array([[-2,  1,  1, -2],
           [-2,  1,  1, -2]])
    """
    build = _conventions.convolve
    done = _known(build, x, h, mode, axes, boundary, cval, stride, dilation, dtype, precision,
                  method, out)  # fmt: skip
    if done is not None:
        return done
    options = (mode, axes, boundary, cval, stride, dilation, dtype, precision)
    return _run(build, x, h, options, NO_EPILOGUE, method, out, ("x", "h"))


def correlate(
    x: Any, h: Any, mode: Any = "valid", *, axes: Any = None, boundary: Any = "constant",
    cval: Any = 0, stride: Any = 1, dilation: Any = 1, dtype: Any = None,
    precision: str = "default", method: str = "auto", out: Any = None,
) -> Any:  # fmt: skip
    """Sliding product with ``conj(h)``, not flipped: ``sum over m of conj(h[m]) x[n + m]``.

    Parameters
    ----------
    x, h : array_like
        Data and kernel, as for `convolve`.
    mode, axes, boundary, cval, stride, dilation, dtype, precision, method, out
        As for `convolve`, but ``mode`` is ``"valid"`` unless given.

    Returns
    -------
    array
        As for `convolve`.

    See Also
    --------
    convolve : flips the kernel.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.correlate([1, 2, 3, 4], [1, 0, -1])
    array([-2, -2])
    """
    build = _conventions.correlate
    done = _known(build, x, h, mode, axes, boundary, cval, stride, dilation, dtype, precision,
                  method, out)  # fmt: skip
    if done is not None:
        return done
    options = (mode, axes, boundary, cval, stride, dilation, dtype, precision)
    return _run(build, x, h, options, NO_EPILOGUE, method, out, ("x", "h"))


def conv(
    x: Any, w: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, padding_mode: Any = "zeros", data_format: str = "channels_first",
    activation: str | None = None, flip: bool = False, precision: str = "default",
    method: str = "auto", out: Any = None, scale: Any = None, residual: Any = None,
    low_memory: bool = False, dtype: Any = None,
) -> Any:  # fmt: skip
    """Multi-channel convolution as deep learning means it, rank taken from the arrays.

    Each output channel is the sum, over the input channels of its group, of the channel's
    correlation with its own slice of the kernel.

    Parameters
    ----------
    x : array_like
        ``(N, C, *spatial)``, or ``(N, *spatial, C)`` with ``data_format="channels_last"``; the
        batch axis may be missing.
    w : array_like
        ``(O, C / groups, *size)``, or ``(*size, C / groups, O)`` for channels last.
    bias : array_like, optional
        ``(O,)``, added to each output channel.
    stride, dilation : int or tuple of int, optional
        Per spatial axis.
    padding : int, tuple of int, tuple of (low, high) pairs, "valid" or "same", optional
        Samples added (or, where negative, taken away) at the ends of each spatial axis. ``"same"``
        gives ``ceil(size / stride)`` outputs, as Keras pads.
    groups : int, optional
        Channels are split into this many groups that do not see each other.
    padding_mode : str or tuple of str, optional
        torch's ``zeros``, ``replicate``, ``reflect``, ``circular``, or `numpy.pad`'s words.
    data_format : {"channels_first", "channels_last"}, optional
        Layout of ``x``, ``w`` and the result.
    activation : str, optional
        ``relu``, ``relu6``, ``leaky_relu`` (of slope 0.01; ``"leaky_relu:0.2"`` gives another),
        ``silu``, ``gelu``, ``gelu_tanh``, ``hard_swish``, ``sigmoid`` or ``tanh``, as in
        `torch.nn.functional`: ``gelu`` is the exact one, ``gelu_tanh`` that of
        ``approximate="tanh"``.
    flip : bool, optional
        Flip the kernel: true convolution.
    precision, method, out
        As for `convolve`.
    scale : array_like, optional
        ``(O,)``, multiplies the sums of each output channel, before anything is added.
    residual : array_like, optional
        Of the result's shape, added to ``scale * sums + bias``; the activation comes last.
    low_memory : bool, optional
        Choose among algorithms whose prepared kernel is no larger than the kernel.
    dtype : dtype, optional
        Of the result, where not ``result_type`` of all arrays: sums are kept in it, so layers of
        int8 want ``"int32"`` and are exact then.

    Returns
    -------
    array
        ``(N, O, *spatial)`` or ``(N, *spatial, O)``, of the library that ``x`` is from.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> x = np.ones((1, 3, 5, 5), np.float32)
    >>> w = np.ones((6, 3, 3, 3), np.float32)
    >>> mc.conv(x, w, padding=1).shape
    (1, 6, 5, 5)
    >>> mc.conv(x, w)[0, 0, 0, 0]
    np.float32(27.0)
    >>> mc.conv(x, w, residual=np.full((1, 6, 3, 3), -30, np.float32), activation="relu").max()
    np.float32(0.0)
    """
    build = _conventions.conv
    if bias is None and scale is None and residual is None:
        done = _known(build, x, w, stride, padding, dilation, groups, padding_mode, data_format,
                      activation, flip, precision, low_memory, dtype, method, out)  # fmt: skip
        if done is not None:
            return done
    options = (stride, padding, dilation, groups, padding_mode, data_format, activation, flip,
               precision, low_memory, dtype)  # fmt: skip
    return _run(build, x, w, options, Epilogue(bias, scale, residual), method, out, ("x", "w"))


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """`conv` over one spatial axis, with torch's arguments.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups
        As for `conv`.

    Returns
    -------
    array
        ``(N, O, length)``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.conv1d([[[1.0, 2.0, 4.0]]], [[[1.0, -1.0]]])
    array([[[-1., -2.]]])
    """
    return _layer(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """`conv` over two spatial axes, with torch's arguments.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups
        As for `conv`.

    Returns
    -------
    array
        ``(N, O, height, width)``.

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> mc.conv2d(np.ones((1, 2, 4, 5)), np.ones((3, 2, 3, 3))).shape
    (1, 3, 2, 3)
    """
    return _layer(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """`conv` over three spatial axes, with torch's arguments.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups
        As for `conv`.

    Returns
    -------
    array
        ``(N, O, depth, height, width)``.

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> mc.conv3d(np.ones((1, 2, 4, 5, 6)), np.ones((3, 2, 3, 3, 3))).shape
    (1, 3, 2, 3, 4)
    """
    return _layer(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose(
    x: Any, w: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, dilation: Any = 1, groups: int = 1,
    data_format: str = "channels_first", precision: str = "default", method: str = "auto",
    out: Any = None, activation: str | None = None, scale: Any = None, residual: Any = None,
    low_memory: bool = False, dtype: Any = None,
) -> Any:  # fmt: skip
    """Transposed convolution: the adjoint of `conv` with the same arguments.

    Parameters
    ----------
    x : array_like
        ``(N, C, *spatial)`` or ``(N, *spatial, C)``.
    w : array_like
        ``(C, O / groups, *size)`` as torch has it, or ``(*size, O / groups, C)`` as Keras has it.
    bias : array_like, optional
        ``(O,)``.
    stride : int or tuple of int, optional
        Outputs per input.
    padding : int, tuple, pairs, "valid" or "same", optional
        What the forward layer would pad, so what is cut off here. ``"same"`` gives
        ``size * stride`` outputs, ``"valid"`` cuts nothing (Keras' words, with Keras' sizes).
    output_padding : int or tuple of int, optional
        Added at the high end, smaller than the stride or the dilation.
    dilation, groups, data_format, precision, method, out
        As for `conv`.
    activation, scale, residual, low_memory, dtype
        As for `conv`.

    Returns
    -------
    array
        ``(N, O, *spatial)`` or ``(N, *spatial, O)``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.conv_transpose([[[1.0, 2.0]]], [[[1.0, 1.0, 1.0]]], stride=2)
    array([[[1., 1., 3., 2., 2.]]])
    """
    options = (stride, padding, output_padding, dilation, groups, data_format, activation,
               precision, low_memory, dtype)  # fmt: skip
    epilogue = Epilogue(bias, scale, residual)
    return _run(_conventions.conv_transpose, x, w, options, epilogue, method, out, ("x", "w"))


def conv_input_grad(
    grad: Any, w: Any, x_shape: Any, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, padding_mode: Any = "zeros", data_format: str = "channels_first",
    flip: bool = False, precision: str = "default", method: str = "auto", out: Any = None,
) -> Any:  # fmt: skip
    """Gradient of a layer's output in its input: the adjoint of `conv` in ``x``.

    Parameters
    ----------
    grad : array_like
        Gradient at the output, of the layer's output shape.
    w : array_like
        The layer's kernel.
    x_shape : tuple of int
        Shape of the layer's input.
    stride, padding, dilation, groups, padding_mode, data_format, flip, precision, method, out
        As for `conv`.

    Returns
    -------
    array
        Of shape ``x_shape``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.conv_input_grad([[[1.0, 1.0]]], [[[1.0, 2.0]]], (1, 1, 3))
    array([[[1., 3., 2.]]])
    """
    options = (x_shape, stride, padding, dilation, groups, padding_mode, data_format, flip,
               precision)  # fmt: skip
    build = _conventions.conv_input_grad
    return _run(build, grad, w, options, NO_EPILOGUE, method, out, ("grad", "w"))


def conv_weight_grad(
    x: Any, grad: Any, w_shape: Any, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, padding_mode: Any = "zeros", data_format: str = "channels_first",
    flip: bool = False, precision: str = "default", method: str = "auto", out: Any = None,
) -> Any:  # fmt: skip
    """Gradient of a layer's output in its kernel: the adjoint of `conv` in ``w``.

    Parameters
    ----------
    x : array_like
        The layer's input.
    grad : array_like
        Gradient at the output, of the layer's output shape.
    w_shape : tuple of int
        Shape of the layer's kernel.
    stride, padding, dilation, groups, padding_mode, data_format, flip, precision, method, out
        As for `conv`.

    Returns
    -------
    array
        Of shape ``w_shape``.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.conv_weight_grad([[[1.0, 2.0, 3.0]]], [[[1.0, 1.0]]], (1, 1, 2))
    array([[[3., 5.]]])
    """
    options = (w_shape, stride, padding, dilation, groups, padding_mode, data_format, flip,
               precision)  # fmt: skip
    build = _conventions.conv_weight_grad
    return _run(build, x, grad, options, NO_EPILOGUE, method, out, ("x", "grad"))


def plan(function: Callable[..., Any], x: Any, w: Any, *more: Any, **options: Any) -> Plan:
    """Decide how a call would be computed, without computing it.

    Parameters
    ----------
    function : callable
        `convolve`, `correlate`, `conv`, `conv_transpose`, `conv_input_grad` or `conv_weight_grad`.
    x, w : array_like or ShapeDtype
        The function's first two arguments, or their shapes. A kernel array is prepared and held.
    *more, **options
        The function's other arguments, as it takes them. Of ``bias`` and ``scale`` arrays are held
        too, of ``residual`` only the shape counts: each call brings its own.

    Returns
    -------
    Plan
        Call it with the arrays.

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> plan = mc.plan(mc.convolve, mc.ShapeDtype((5,)), np.array([0.5, 1, 0.5]), mode="valid")
    >>> plan(np.array([1.0, 2, 3, 4, 5]))
    array([4., 6., 8.])
    >>> str(plan.problem)
    'mb1 ic1 oc1 in5 k3 flip float64'
    """
    build = _builder(function)
    options = _named(function, more, options)
    method = options.pop("method", "auto")
    if "out" in options:
        raise TypeError("out: is an argument of the plan's calls, not of plan()")
    shapes = [_shape_of(a, n) for a, n in ((x, "x"), (w, "w"))]
    given = {n: options.pop(n, None) for n in ("bias", "scale")}
    arrays = {n: a for n, a in given.items() if a is not None}
    options |= {n: _shape_of(a, n) for n, a in arrays.items()}
    if options.get("residual") is not None:
        options["residual"] = _shape_of(options["residual"], "residual")
    try:
        request = build(*shapes, **options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise TypeError(f"plan: {str(error).partition('()')[2].strip()}") from None
    request.check_memory()
    kernel = None if isinstance(w, ShapeDtype) else _arrays.to_numpy(w, "w")
    held = {n: _arrays.to_numpy(a, n) for n, a in arrays.items() if not isinstance(a, ShapeDtype)}
    return Plan(request, method, kernel, Epilogue(**held))


def tune(
    function: Callable[..., Any], x: Any, w: Any, *more: Any, rounds: int = 5, **options: Any
) -> Plan:
    """Measure the algorithms that may run a call, remember the fastest, and return its plan.

    The choice is kept for this problem, CPU and version in the user's cache directory, and every
    later call of the same problem uses it.

    Parameters
    ----------
    function, x, w, *more, **options
        As for `plan`, but with arrays.
    rounds : int, optional
        Every candidate runs once in each round; the minimum counts.

    Returns
    -------
    Plan
        The winner's.

    Examples
    --------
    >>> import multiconv as mc
    >>> import numpy as np
    >>> mc.tune(mc.convolve, np.ones(100), np.ones(5), rounds=1).problem.kernel
    (5,)
    """
    if "method" in options:
        raise TypeError("method: tune measures every algorithm, leave it out")
    x, w, residual = _arrays.to_numpy(x, "x"), _arrays.to_numpy(w, "w"), options.get("residual")
    first = plan(function, x, w, *more, **options)
    best = min(r.seconds for r in first.explain().rows if r.accepted and r.seconds is not None)
    names = [r.algorithm for r in first.explain().rows
             if r.accepted and r.seconds is not None and r.seconds < 20 * best]  # fmt: skip
    plans = [plan(function, x, w, *more, method=n, **options) for n in names]
    times = {n: float("inf") for n in names}
    for _ in range(max(rounds, 1) + 1):
        for name, candidate in zip(names, plans, strict=True):
            start = time.perf_counter()
            candidate(x, residual=residual)
            times[name] = min(times[name], time.perf_counter() - start)
    _wisdom.remember(first.problem, min(times, key=lambda n: times[n]))
    forget_choices()
    _core.forget_calls()
    _plans.clear()
    return plan(function, x, w, *more, **options)


def algorithm_for(
    function: Callable[..., Any], x: ShapeDtype, w: Array, method: str = "auto", **options: Any
) -> str:
    """The algorithm that a call would run; ``method`` if its result does not fit into memory.

    Parts of the result that are made by it are those of the call itself, bit by bit, as far as its
    sums do not depend on the place.
    """
    request = _builder(function)(x, ShapeDtype(w.shape, w.dtype), **options)
    try:
        request.check_memory()
        return Plan(request, method).algorithm_with(w)
    except MemoryLimitError:
        return method


_BUILDERS: dict[Any, Callable[..., Request]] = {
    convolve: _conventions.convolve,
    correlate: _conventions.correlate,
    conv: _conventions.conv,
    conv1d: _conventions.conv,
    conv2d: _conventions.conv,
    conv3d: _conventions.conv,
    conv_transpose: _conventions.conv_transpose,
    conv_input_grad: _conventions.conv_input_grad,
    conv_weight_grad: _conventions.conv_weight_grad,
}
_FUNCTIONS = {build: function for function, build in reversed(_BUILDERS.items())}


@lru_cache
def _option_names(build: Callable[..., Request]) -> list[str]:
    """The options that a convention takes by position, after the arrays."""
    found = list(inspect.signature(build).parameters.values())[2:]
    named = [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]
    return [n for n in named if n not in Epilogue._fields]


def _builder(function: Any) -> Callable[..., Request]:
    try:
        return _BUILDERS[function]
    except (KeyError, TypeError):
        names = ", ".join(f"mc.{f.__name__}" for f in _BUILDERS)
        raise TypeError(f"function: {function!r} has no plan, give one of {names}") from None


def _named(
    function: Callable[..., Any], more: tuple[Any, ...], options: dict[str, Any]
) -> dict[str, Any]:
    """A function's arguments after the first two, by name."""
    if not more:
        return options
    found = list(inspect.signature(function).parameters.values())[2:]
    names = [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(more) > len(names):
        raise TypeError(
            f"plan: {function.__name__} takes {2 + len(names)} arguments by position, "
            f"got {2 + len(more)}"
        )
    given = dict(zip(names, more, strict=False))
    for name in given.keys() & options.keys():
        raise TypeError(f"{name}: is given by position and by name")
    return given | options


def _shape_of(array: Any, name: str) -> ShapeDtype:
    if isinstance(array, ShapeDtype):
        return array
    array = _arrays.to_numpy(array, name)
    return ShapeDtype(array.shape, array.dtype)


def _layer(rank: int, x: Any, w: Any, bias: Any, *geometry: Any) -> Any:
    w = w if hasattr(w, "ndim") else _arrays.to_numpy(w, "weight")
    w_rank = w.ndim - 2
    if w_rank != rank:
        raise ValueError(
            f"weight: has {w_rank + 2} axes, conv{rank}d takes (out, in / groups) and {rank} "
            f"spatial ax{'is' if rank == 1 else 'es'}"
        )
    stride, padding, dilation, groups = geometry
    return conv(x, w, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


def _run(
    build: Callable[..., Request], x: Any, w: Any, options: tuple[Any, ...], epilogue: Epilogue,
    method: str, out: Any, names: tuple[str, str],
) -> Any:  # fmt: skip
    """A plan found by shapes, dtypes and options, then run."""
    bare = all(a is None for a in epilogue)
    if bare and type(x) is np.ndarray and type(w) is np.ndarray:
        arrays = (x.shape, x.dtype, w.shape, w.dtype, None, None, None)
        key = (build, arrays, method, options, kinds(options))
        try:
            found = _plans[key]
        except (KeyError, TypeError):
            pass
        else:
            if x.flags.aligned and w.flags.aligned:
                return found.run(x, w, epilogue, out)
    caller = _arrays.caller(x)
    if caller is not None:
        more = {n: a for n, a in epilogue._asdict().items() if a is not None}
        return caller(_FUNCTIONS[build], x, w, method=method, out=out, **more,
                      **dict(zip(_option_names(build), options, strict=True)))  # fmt: skip
    restore, given = _arrays.restorer(x), (x, w)
    x, w = _arrays.to_numpy(x, names[0]), _arrays.to_numpy(w, names[1])
    if not bare:
        named = epilogue._asdict().items()
        epilogue = Epilogue(**{n: _arrays.to_numpy(a, n) for n, a in named if a is not None})
    found = _plan_for(build, x, w, epilogue, method, _frozen(options))
    executable = found.executable
    if executable is not None:
        _core.keep_call(executable, found.out_shape, build, *given, *options, method, out)
    result = found.run(x, w, epilogue, out)
    return restore(result) if restore and out is None else result


def _plan_for(
    build: Callable[..., Request], x: Any, w: Any, epilogue: Epilogue, method: str,
    options: tuple[Any, ...],
) -> Plan:  # fmt: skip
    more = [None if a is None else ShapeDtype(a.shape, a.dtype) for a in epilogue]
    arrays = (x.shape, x.dtype, w.shape, w.dtype, *more)
    key = (build, arrays, method, options, kinds(options))
    try:
        return _plans[key]
    except (KeyError, TypeError):
        pass
    shapes = [ShapeDtype(a.shape, a.dtype) for a in (x, w)]
    if build in (_conventions.conv, _conventions.conv_transpose):
        shapes += more  # type: ignore[arg-type]
    request = build(*shapes, *options)
    request.check_memory()
    found = Plan(request, method)
    if len(_plans) >= _LARGEST_CACHE:
        _plans.clear()
    with contextlib.suppress(TypeError):  # a key that cannot be hashed is planned anew each time
        _plans[key] = found
    return found


def kinds(options: tuple[Any, ...]) -> tuple[Any, ...]:
    """The types of options: 1, 1.0 and True are equal, but not all allowed."""
    return tuple([kinds(o) if type(o) is tuple else type(o) for o in options])


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, (tuple, list)) else value
