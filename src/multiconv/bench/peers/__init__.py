"""Other libraries: what each can run of a case, at its best setting.

One file a library, each with its `DISTRIBUTION`, ``threads(n)`` and ``offers(case)``.
Whatever can be made ready beforehand is made ready in ``offers``, outside the time that counts.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from importlib import metadata
from types import ModuleType

from .._case import Case
from ._offer import Offer

_FILES = ("numpy", "scipy_signal", "scipy_ndimage", "torch", "opencv", "onnxruntime",
          "openvino", "jax")  # fmt: skip


class Peers:
    """The libraries that are installed.

    Attributes
    ----------
    versions : dict of str to str
        ``"not installed"`` for those that are missing.
    """

    def __init__(self) -> None:
        self._modules: list[ModuleType] = []
        self.versions: dict[str, str] = {}
        for name in _FILES:
            try:
                module = importlib.import_module(f".{name}", __name__)
            except ImportError:
                self.versions.setdefault(name, "not installed")
                continue
            self._modules.append(module)
            self.versions[module.DISTRIBUTION] = metadata.version(module.DISTRIBUTION)

    def threads(self, n: int) -> AbstractContextManager[object]:
        """Give every library ``n`` threads inside a ``with`` block."""
        stack = ExitStack()
        for module in self._modules:
            stack.enter_context(module.threads(n))
        return stack

    def offers(self, case: Case) -> Iterator[Offer]:
        """The calls by which the libraries would do what ``case`` says."""
        for module in self._modules:
            yield from module.offers(case)


__all__ = ["Offer", "Peers"]
