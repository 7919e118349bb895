"""What came of a whole model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from multiconv._units import ratio

from ._comparison import OURS, Comparison


@dataclass(kw_only=True)
class ModelResult(Comparison):
    """A network's time in one form of use.

    Attributes
    ----------
    form, shape : str
        Inference or training and the batch size; the input's sizes.
    over : str
        How the names of the peers begin that `must` is meant for; all unless given.
    differences : dict of str to float
        How far each contestant's result is from plain torch's, over the largest value.
    """

    thing: ClassVar[str] = "model"
    form: str
    shape: str
    over: str = ""
    differences: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}, {self.form}"

    @property
    def judged(self) -> float | None:
        """The ratio to the best of those it is meant for."""
        return self.ratio_of(self.best_of(self.over))

    @property
    def remarks(self) -> dict[str, str]:
        """Which of our ways is quickest, the ratio to plain torch, our error."""
        eager, best = self.ratio_of(self.best_of("torch")), self.best_of_ours
        return {
            "way": best.removeprefix(OURS).strip(), "eager": "" if eager is None else ratio(eager),
            "differs": f"{self.differences.get(best, 0.0):.0e}",
        }  # fmt: skip
