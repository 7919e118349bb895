"""Which networks are run, in which forms, and what they are to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import nn

from .._problems import NOT_BEHIND, Family
from . import networks


@dataclass(frozen=True)
class Target:
    """Ratios of the best peer's time to ours, over those peers whose names begin so."""

    must: float
    aim: float = 0.0
    over: str = ""


NEAR = Target(NOT_BEHIND, 1.1)
AS_EAGER = Target(1.0, over="torch")
"""No slower to train than with torch's own layers."""


@dataclass(frozen=True)
class Network:
    """One architecture.

    Attributes
    ----------
    name : str
    build : callable
    shape : tuple of int
        Of an input without its batch: channels and sizes.
    inference, training : Target
    training_batch : int
    """

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    inference: Target = NEAR
    training: Target = AS_EAGER
    training_batch: int = 8


@dataclass(frozen=True)
class Form:
    """A way to use a network; ``batch`` 0 is the network's own."""

    key: str
    title: str
    batch: int = 0

    @property
    def training(self) -> bool:
        """Whether weights change."""
        return self.batch == 0


@dataclass(frozen=True)
class Entry:
    """A network in one form."""

    network: Network
    form: Form

    def __str__(self) -> str:
        return f"{self.network.name}, {self.words}"

    @property
    def batch(self) -> int:
        """Inputs at a time."""
        return self.form.batch or self.network.training_batch

    @property
    def words(self) -> str:
        """The form in full."""
        return f"{'training, ' if self.form.training else ''}batch {self.batch}"

    @property
    def target(self) -> Target:
        """What is to be reached."""
        return self.network.training if self.form.training else self.network.inference


NETWORKS = (
    Network("MobileNetV2", networks.MobileNetV2, (3, 224, 224)),
    Network("ResNet-50", networks.ResNet50, (3, 224, 224), Target(1.1, 1.35)),
    Network("ConvNeXt-Tiny", networks.ConvNeXtTiny, (3, 224, 224)),
    Network("VGG-16", networks.VGG16, (3, 224, 224), Target(1.7, 2.1)),
    Network("2-D U-Net", networks.unet_2d, (3, 256, 256), Target(1.5, 2.5)),
    Network("3-D U-Net", networks.unet_3d, (1, 64, 96, 96), Target(1.5, 2.5), Target(1.3, 2.0),
            training_batch=1),
    Network("raw audio", networks.RawAudio, (1, 16_000), Target(10, 50), training_batch=1),
)  # fmt: skip
"""The least work first."""
FORMS = (
    Form("batch1", "Inference, one input", 1),
    Form("batch8", "Inference, eight inputs", 8),
    Form("training", "One training step: forward, backward, SGD"),
)


def select(only: str = "", family: str = "", batch: int | None = None) -> list[Entry]:
    """The entries whose name contains ``only``, of the forms named and of one batch size.

    Raises
    ------
    ValueError
        If a form is unknown or nothing is left.
    """
    keys = [key for key in family.split(",") if key]
    known = [form.key for form in FORMS]
    for key in keys:
        if key not in known:
            raise ValueError(f"family: {key!r} is not allowed, give some of {', '.join(known)}")
    chosen = [e for e in _entries(keys or known) if only in str(e) and batch in (None, e.batch)]
    if not chosen:
        sized = "" if batch is None else f" at batch {batch}"
        raise ValueError(f"only: no model's name contains {only!r}{sized}")
    return chosen


def _entries(keys: list[str]) -> list[Entry]:
    return [Entry(n, form) for form in FORMS if form.key in keys for n in NETWORKS]


def lightest(entries: Iterable[Entry]) -> list[Entry]:
    """The one with the least work of each form."""
    first: dict[Form, Entry] = {}
    for entry in entries:
        first.setdefault(entry.form, entry)
    return list(first.values())


def families(entries: Iterable[Entry]) -> list[Family]:
    """The forms that entries have, as a report keeps them."""
    return [Family(form.key, form.title) for form in dict.fromkeys(e.form for e in entries)]
