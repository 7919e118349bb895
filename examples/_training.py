"""Training a network that tells classes apart, on one engine or on both by turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor, nn

from _command import Options
from _layers import layers

Network = Callable[[SimpleNamespace], nn.Module]


@dataclass(frozen=True)
class Data:
    """Samples to learn from, samples held out, and the names of the classes."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    classes: list[str]


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    batch: int
    rate: float
    augment: Callable[[Tensor], Tensor] = lambda samples: samples
    decay: float = 0.01
    smoothing: float = 0.05


@dataclass
class Learner:
    """One network on one engine, and what became of it epoch by epoch."""

    engine: str
    network: Network
    data: Data
    recipe: Recipe
    epochs: int
    seed: int
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        self.model = self.network(layers(self.engine))
        self.steps = max(len(self.data.train) // self.recipe.batch, 1)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), weight_decay=self.recipe.decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, self.recipe.rate, total_steps=self.epochs * self.steps
        )
        self.loss = nn.CrossEntropyLoss(label_smoothing=self.recipe.smoothing)

    def epoch(self) -> None:
        """See every training sample once, then look at those held out."""
        # Every engine meets the same order, augmentation and dropout.
        torch.manual_seed(self.seed * 1000 + len(self.losses))
        self.model.train()
        start, total = time.perf_counter(), 0.0
        for chosen in torch.randperm(len(self.data.train)).chunk(self.steps):
            samples = self.recipe.augment(self.data.train[chosen])
            loss = self.loss(self.model(samples), self.data.train_labels[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            total += loss.item() / self.steps
        self.seconds += time.perf_counter() - start
        self.losses.append(total)
        self.accuracies.append(self.accuracy(self.predictions()))

    def predictions(self, model: nn.Module | None = None) -> Tensor:
        """The class of every held-out sample, by this network or another."""
        model = (model or self.model).eval()
        with torch.inference_mode():
            return torch.cat([model(part).argmax(1) for part in self.data.test.split(256)])

    def accuracy(self, predictions: Tensor) -> float:
        """In percent."""
        return 100 * (predictions == self.data.test_labels).double().mean().item()

    def confusion(self) -> Tensor:
        """Counts: a row for each true class, a column for each predicted one."""
        n = len(self.data.classes)
        pairs = self.data.test_labels * n + self.predictions()
        return pairs.bincount(minlength=n * n).reshape(n, n)


def learn(asked: Options, network: Network, data: Data, recipe: Recipe,
          console: Console) -> list[Learner]:  # fmt: skip
    """Train on every engine by turns, so that their times are of the same minutes."""
    console.print(
        f"{asked.name}: {len(data.train):,} samples to learn from, {len(data.test):,} held out, "
        f"{len(data.classes)} classes, seed {asked.seed}\n"
    )
    bars = Progress(
        TextColumn("{task.description:9}"), BarColumn(20), MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:5.3f}  held out {task.fields[accuracy]:6.2f} %"),
        TimeElapsedColumn(), console=console,
    )  # fmt: skip
    learners = [
        Learner(engine, network, data, recipe, asked.epochs, asked.seed) for engine in asked.engines
    ]
    with bars:
        for learner in learners:
            bars.add_task(learner.engine, total=asked.epochs, loss=0, accuracy=0)
        for _ in range(asked.epochs):
            for bar, learner in enumerate(learners):
                learner.epoch()
                bars.update(bar, advance=1, loss=learner.losses[-1],
                            accuracy=learner.accuracies[-1])  # fmt: skip
    return learners
