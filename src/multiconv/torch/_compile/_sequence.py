"""Steps run one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from torch import Tensor, nn

from multiconv.torch import _views as views
from multiconv.torch._compile._program import Part, Program, UnfitError, data_from_outside
from multiconv.torch._threads import threads


@dataclass(frozen=True)
class Format:
    """How data from outside lie."""

    place: int
    shape: tuple[int, ...]
    last: bool


class Sequence(nn.Module):
    """Steps that follow one another.

    They are bound to memory once and then called without a look between them. A second thread that
    comes meanwhile takes them one by one, and so does who brings data that cannot be bound.

    Parameters
    ----------
    parts : list of Part
        In order.
    outside : int
        How many tensors come from outside.
    results : list of int
        Which values are handed out.
    """

    def __init__(self, parts: list[Part], outside: int, results: list[int]) -> None:
        super().__init__()
        self.parts, self.results = parts, results
        self.data = data_from_outside(parts, outside)
        self._lock = Lock()
        self._program: Program | None = None
        self._formats: tuple[Format, ...] = ()
        self._unfit: tuple[Format, ...] = ()

    def held(self) -> Held | None:
        """What computes the same as in the last call from now on, if it can."""
        return None if self._program is None else Held(self._program, self.data)

    def forward(self, *outer: Tensor) -> list[Tensor]:
        """What is handed out, in order."""
        if self._lock.acquire(blocking=False):
            try:
                with threads():
                    program = self._current(outer)
                    if program is not None:
                        return program.run(outer)
            finally:
                self._lock.release()
        return self._one_by_one(outer)

    def _current(self, outer: tuple[Tensor, ...]) -> Program | None:
        """The program for these tensors, made anew where kernels or formats have changed."""
        formats = tuple(Format(i, outer[i].shape, views.is_last(outer[i])) for i in self.data)
        if formats == self._unfit:
            return None
        if self._program is None or formats != self._formats or not self._program.is_still(outer):
            self._program = None
            try:
                self._program = Program(self.parts, self.results, outer)
                self._formats = formats
            except UnfitError:
                self._unfit = formats
        return self._program

    def _one_by_one(self, outer: tuple[Tensor, ...]) -> list[Tensor]:
        values = list(outer)
        for part in self.parts:
            residual = None if part.residual is None else values[part.residual]
            weights = (None if i is None else values[i] for i in part.weights)
            values.append(part.step(residual, values[part.x], *weights))
        return [values[i] for i in self.results]


class Held(nn.Module):
    """A program that stays as it is: it takes the data alone.

    A second thread waits: both would share the same processors.
    """

    def __init__(self, program: Program, places: list[int]) -> None:
        super().__init__()
        self._program, self._places = program, places
        self._lock = Lock()

    def forward(self, *data: Tensor) -> list[Tensor]:
        """What is handed out, in order."""
        with self._lock, threads():
            return self._program.run(dict(zip(self._places, data, strict=True)))
