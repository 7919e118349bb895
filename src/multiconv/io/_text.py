"""Numbers as text, separated by white space or commas, one row a line."""

from __future__ import annotations

import warnings
from typing import Any, BinaryIO

import numpy as np

from ._data import Data, FileError
from ._limits import Limits


def read(path: str, limits: Limits, member: str | None) -> Data:
    """Rows and columns of real numbers; ``#`` starts a comment."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split("#")[0].replace(",", " ") for line in file]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        array: Any = np.loadtxt(rows, dtype=np.float64, ndmin=1)
    return Data(array)


def check(path: str, data: Data) -> None:
    """Refuse complex numbers and more than two axes."""
    if data.array.ndim not in (1, 2) or data.array.dtype.kind not in "biuf":
        raise FileError(
            f"{path}: text files hold real numbers with 1 or 2 axes, not {data.array.dtype.name} "
            f"with {data.array.ndim}; write .npy instead"
        )


def write(file: BinaryIO, path: str, data: Data) -> None:
    """Enough digits for every number to be read back as it was."""
    digits = "%d" if data.array.dtype.kind in "biu" else "%.17g"
    delimiter = "," if path.lower().endswith(".csv") else " "
    np.savetxt(file, data.array, fmt=digits, delimiter=delimiter)
