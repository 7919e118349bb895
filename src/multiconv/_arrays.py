"""Other libraries' arrays in, the same out; NumPy inside.

No library is imported here: an array's own library is loaded already.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from multiconv._typing import Array

Restore = Callable[[Array], Any]

_KINDS = "biufc"
_EXTENSION_DTYPES = ("bfloat16",)


def to_numpy(array: Any, name: str) -> Array:
    """An array of any library as NumPy's, without a copy where it lies in the CPU's memory.

    Raises
    ------
    TypeError
        If it is no array of numbers.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: masked arrays are not allowed, fill the mask first (x.filled(0))")
    library = _library(array)
    if library in _TO_NUMPY:
        array = _TO_NUMPY[library](array, name)
    try:
        result = np.asarray(array)
    except ValueError:
        raise ValueError(f"{name}: rows differ in length, give a rectangular array") from None
    if result.dtype.kind not in _KINDS and result.dtype.name not in _EXTENSION_DTYPES:
        raise TypeError(f"{name}: dtype {result.dtype} is not allowed, give numbers")
    if not result.dtype.isnative:
        result = result.astype(result.dtype.newbyteorder("="))
    return result if result.flags.aligned else result.copy()


def restorer(array: Any) -> Restore | None:
    """What makes a NumPy result an array of the library that ``array`` is from, or None."""
    build = _RESTORE.get(_library(array))
    return build(array) if build else None


def caller(array: Any) -> Callable[..., Any] | None:
    """What calls a function for an array of a library with a module of ours, or None.

    It takes the function, the array and the function's other arguments.
    """
    name = _CALLERS.get(_library(array))
    if name is None:
        return None
    found: Callable[..., Any] = importlib.import_module(name).call
    return found


def _library(array: Any) -> str:
    return type(array).__module__.partition(".")[0]


def _from_torch(tensor: Any, name: str) -> Any:
    torch = sys.modules["torch"]
    if not isinstance(tensor, torch.Tensor):
        return tensor
    if tensor.requires_grad and torch.is_grad_enabled():
        raise TypeError(
            f"{name}: the tensor requires grad, which this function does not record; call "
            "it on tensor.detach() or under torch.no_grad()"
        )
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def _to_torch(like: Any) -> Restore | None:
    torch = sys.modules["torch"]
    if not isinstance(like, torch.Tensor):
        return None

    def restore(result: Array) -> Any:
        if result.dtype.kind == "V":  # bfloat16; its name is not quick to tell
            return torch.from_numpy(result.view(np.int16)).view(torch.bfloat16).to(like.device)
        return torch.from_numpy(result).to(like.device)

    return restore


def _to_jax(like: Any) -> Restore | None:
    jax = sys.modules["jax"]
    return jax.numpy.asarray if isinstance(like, jax.Array) else None


def _from_cupy(array: Any, name: str) -> Any:
    return sys.modules["cupy"].asnumpy(array)


def _to_cupy(like: Any) -> Restore:
    restore: Restore = sys.modules["cupy"].asarray
    return restore


def _from_dask(array: Any, name: str) -> Any:
    raise TypeError(f"{name}: lazy Dask arrays are not allowed, call compute() on it first")


_CALLERS = {"dask": "multiconv.dask", "xarray": "multiconv.xarray"}
_TO_NUMPY: dict[str, Callable[[Any, str], Any]] = {
    "torch": _from_torch,
    "cupy": _from_cupy,
    "dask": _from_dask,
}
_RESTORE: dict[str, Callable[[Any], Restore | None]] = {
    "torch": _to_torch,
    "jax": _to_jax,
    "jaxlib": _to_jax,
    "cupy": _to_cupy,
}
