"""KERNEL as people write it: a name with parameters, a literal, or a file."""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from multiconv import kernels
from multiconv.io import Data, FileError, format_of, read

LONGEST = 100_000  # characters; more belongs into a file
WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Kernel:
    """A kernel and where it came from.

    Attributes
    ----------
    array : ndarray
        The taps, all finite.
    label : str
        How to call it.
    data : Data or None
        The file it was read from.
    """

    array: NDArray[Any]
    label: str
    data: Data | None = None


def parse(text: str, *, ndim: int | None = None) -> Kernel:
    """Read a KERNEL argument.

    Parameters
    ----------
    text : str
        A name with parameters, ``'gaussian:sigma=2,truncate=3'``; a literal,
        ``'[[0, 1, 0], [1, -4, 1], [0, 1, 0]]'``; or a file that `multiconv.io.read` takes. The
        mean of a picture's channels, scaled to sum to one, is its kernel.
    ndim : int, optional
        The rank for named kernels that have any, where the parameters do not say.

    Returns
    -------
    Kernel
        The taps.

    Raises
    ------
    ValueError, TypeError, OSError
        If it is none of these; the message says why.
    """
    if len(text) > LONGEST:
        raise ValueError(
            f"kernel: {len(text)} characters are too many, a longer kernel than {LONGEST} "
            "belongs into a file"
        )
    name = text.partition(":")[0].strip()
    if text.lstrip()[:1] in ("[", "("):
        kernel = Kernel(_literal(text), text if len(text) <= 40 else "literal")
    elif name in kernels.names():
        kernel = Kernel(_named(text, ndim), text)
    elif os.path.exists(text) or _has_known_suffix(text):
        kernel = _from_file(text)
    else:
        kernels.info(name)  # says what the name is close to
        raise AssertionError
    return _checked(kernel)


def _checked(kernel: Kernel) -> Kernel:
    if kernel.array.size == 0 or kernel.array.ndim == 0:
        raise ValueError(f"kernel: {kernel.label} has no taps, give at least one, as [1]")
    if not np.isfinite(kernel.array).all():
        raise ValueError(f"kernel: {kernel.label} holds NaN or infinity, give finite numbers")
    return kernel


def _named(text: str, ndim: int | None) -> NDArray[np.float64]:
    name, _, written = text.partition(":")
    try:
        call = ast.parse(f"f({written})", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError
        args = [_value(a) for a in call.args]
        parameters = {str(k.arg): _value(k.value) for k in call.keywords}
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise ValueError(
            f"kernel: {written!r} are no parameters, write them as gaussian:sigma=2,truncate=3"
        ) from None
    name = name.strip()
    ranked = any(isinstance(v, Sequence) for v in [*args, *parameters.values()])
    if ndim is not None and not ranked and "ndim" in kernels.info(name).parameters:
        parameters.setdefault("ndim", ndim)
    return kernels.get(name, *args, **parameters)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return WORDS.get(node.id, node.id)
    return ast.literal_eval(node)


def _literal(text: str) -> NDArray[Any]:
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise ValueError(
            "kernel: the literal cannot be read, write numbers in brackets as [[0,1,0],[1,-4,1]]"
        ) from None
    _check_regular(value, "the literal")
    array = np.array(value)
    if array.dtype.kind not in "iufc":
        raise ValueError("kernel: a number of the literal is too large, 64 bits are allowed")
    return array


def _check_regular(value: Any, where: str) -> tuple[int, ...]:
    """The shape of nested brackets; rows that differ are refused."""
    if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
        return ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"kernel: {where} holds {value!r}, allowed are numbers in brackets")
    shapes = [_check_regular(v, f"row {i} of {where}" if isinstance(v, (list, tuple)) else where)
              for i, v in enumerate(value)]  # fmt: skip
    for i, found in enumerate(shapes):
        if found != shapes[0]:
            raise ValueError(
                f"kernel: {where} is ragged, entry {i} has {_words(found)} and entry 0 has "
                f"{_words(shapes[0])}; all must have the same"
            )
    return (len(value), *(shapes[0] if shapes else ()))


def _words(sizes: tuple[int, ...]) -> str:
    if not sizes:
        return "no brackets"
    return f"{'x'.join(str(n) for n in sizes)} value{'s' if sizes != (1,) else ''}"


def _has_known_suffix(text: str) -> bool:
    try:
        format_of(text)
    except FileError:
        return False
    return True


def _from_file(path: str) -> Kernel:
    data = read(path)
    label = os.path.basename(path)
    if data.kind != "image":
        return Kernel(data.array, label, data)
    colours = data.array.astype(np.float64)
    if data.alpha:
        colours = colours[..., :-1]
    grey = colours if data.channel_axis is None else colours.mean(data.channel_axis)
    total = grey.sum()
    if not total > 0:
        raise ValueError(f"kernel: {path} is black, a picture needs light to be a kernel")
    return Kernel(grey / total, label, data)
