"""The list of kernels by name, filled by the `kernel` decorator."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Kernel = NDArray[np.float64]
KernelFunction = Callable[..., Kernel]
F = TypeVar("F", bound=KernelFunction)

_functions: dict[str, KernelFunction] = {}


@dataclass(frozen=True)
class KernelInfo:
    """What is known of a kernel by name.

    Attributes
    ----------
    name : str
        Its name, as `get` takes it.
    function : callable
        The function that makes the array.
    parameters : dict
        Its parameters and their defaults, in order.
    summary : str
        One line that says what it is.
    """

    name: str
    function: KernelFunction
    parameters: dict[str, Any]
    summary: str


def kernel(function: F) -> F:
    """Put ``function`` on the list."""
    _functions[function.__name__] = function
    return function


def names() -> tuple[str, ...]:
    """Names of all kernels, sorted.

    Examples
    --------
    >>> import multiconv as mc
    >>> "gaussian" in mc.kernels.names()
    True
    """
    return tuple(sorted(_functions))


def info(name: str) -> KernelInfo:
    """Function, parameters and summary of one kernel.

    Raises
    ------
    ValueError
        If there is no kernel of this name.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.info("box").parameters
    {'size': 3, 'ndim': None}
    """
    if name not in _functions:
        near = difflib.get_close_matches(name, _functions, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(names())}"
        raise ValueError(f"kernel: {name!r} is no kernel's name, {hint}")
    function = _functions[name]
    parameters = {p.name: p.default for p in inspect.signature(function).parameters.values()}
    return KernelInfo(name, function, parameters, (function.__doc__ or "").partition("\n")[0])


def get(name: str, /, *args: Any, **parameters: Any) -> Kernel:
    """Make a kernel by its name.

    Parameters
    ----------
    name : str
        One of `names`.
    *args, **parameters
        Passed to the kernel's function.

    Returns
    -------
    ndarray of float64
        The kernel.

    Raises
    ------
    ValueError
        If there is no such kernel, or a parameter is out of its range.
    TypeError
        If a parameter does not exist or has the wrong type.

    Examples
    --------
    >>> import multiconv as mc
    >>> mc.kernels.get("sobel", axis=0)
    array([[ 1.,  2.,  1.],
           [ 0.,  0.,  0.],
           [-1., -2., -1.]])
    """
    known = info(name)
    try:
        inspect.signature(known.function).bind(*args, **parameters)
    except TypeError as error:
        allowed = ", ".join(known.parameters)
        raise TypeError(f"{name}: {error}, the parameters are {allowed}") from None
    return known.function(*args, **parameters)
