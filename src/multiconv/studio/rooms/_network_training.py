"""Training by Adam. The weights after so many steps follow from the recipe alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from multiconv._typing import Array

from ._network_digits import Digits
from ._network_layers import Weights, forward, initial, probabilities, weight_gradients

BATCH, TESTED = 32, 15
"""Digits a step; steps from one test to the next."""

MOST_STEPS = 3000
FILTERS, SIZES = (1, 2, 4, 8), (1, 3, 5, 7)
RATES = (1e-4, 0.1)
ENGINE = "engine"
TRAINERS = (ENGINE, *(["multiconv.torch", "torch"] if find_spec("torch") else []))
"""What can compute the gradients here."""

SECONDS_A_STEP = {ENGINE: 5e-4, "multiconv.torch": 2e-3, "torch": 1e-3}
_DECAY, _SQUARES, _LEAST = 0.9, 0.999, 1e-8  # Adam's own


@dataclass(frozen=True)
class Recipe:
    """What decides how a network turns out."""

    filters: int
    size: int
    rate: float
    trainer: str = ENGINE

    @classmethod
    def of(cls, values: dict[str, Any]) -> Recipe:
        """The recipe that a question names."""
        filters, size, rate, trainer = (
            values[name] for name in ("filters", "size", "rate", "trainer")
        )
        for name, value, allowed in (
            ("filters", filters, FILTERS), ("size", size, SIZES), ("trainer", trainer, TRAINERS),
        ):  # fmt: skip
            if value not in allowed:
                raise ValueError(f"{name}: {value!r} is not allowed, give one of {allowed}")
        if not isinstance(rate, int | float) or not RATES[0] <= rate <= RATES[1]:
            raise ValueError(f"rate: {rate!r} is not allowed, give {RATES[0]} to {RATES[1]}")
        return cls(filters, size, float(rate), trainer)


@dataclass(frozen=True)
class State:
    """A network in training: its weights, Adam's moments, what was measured on the way."""

    step: int
    weights: Weights
    means: Weights
    squares: Weights
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()


def begin(recipe: Recipe, data: Digits) -> State:
    """Before the first step."""
    weights = initial(recipe.filters, recipe.size)
    zeros = Weights(*(np.zeros_like(a) for a in weights))
    return State(0, weights, zeros, zeros, (), (accuracy(weights, data),))


def train(state: State, recipe: Recipe, data: Digits) -> Iterator[State]:
    """Step by step, each with one batch."""
    loss_of = _loss_by(recipe.trainer)
    while True:
        batch = _batch(state.step, len(data.train))
        digits, classes, began = data.train[batch], data.train_classes[batch], time.perf_counter()
        loss, gradient = loss_of(state.weights, digits, classes)
        seconds = (*state.seconds, time.perf_counter() - began)
        state = replace(_adam(state, recipe.rate, gradient, loss), seconds=seconds)
        if state.step % TESTED == 0:
            tested = (*state.accuracies, accuracy(state.weights, data))
            state = replace(state, accuracies=tested)
        yield state


def accuracy(weights: Weights, data: Digits) -> float:
    """The share of the held-out digits that are told right."""
    scores = forward(weights, data.test).scores
    return float((scores.reshape(len(scores), -1).argmax(1) == data.test_classes).mean())


def _batch(step: int, count: int) -> Array:
    """Every digit once a pass, in an order of its own each time."""
    passes, place = divmod(step, count // BATCH)
    order = np.random.default_rng((1, passes)).permutation(count)
    return order[place * BATCH : (place + 1) * BATCH]


def _loss_by(trainer: str) -> Callable[[Weights, Array, Array], tuple[float, Weights]]:
    if trainer == ENGINE:
        return _loss
    from ._network_torch import loss_by  # torch takes seconds to import

    return loss_by(trainer)


def _loss(weights: Weights, digits: Array, classes: Array) -> tuple[float, Weights]:
    """Mean cross-entropy, and its gradient in the weights."""
    maps = forward(weights, digits)
    shares, each = probabilities(maps.scores), np.arange(len(classes))
    loss = -np.log(np.maximum(shares[each, classes], 1e-300)).mean()
    shares[each, classes] -= 1
    scores = (shares / len(classes)).astype(np.float32).reshape(maps.scores.shape)
    return float(loss), weight_gradients(weights, maps, scores)


def _adam(state: State, rate: float, gradient: Weights, loss: float) -> State:
    """Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1."""
    step = state.step + 1
    pace = np.float32(rate * math.sqrt(1 - _SQUARES**step) / (1 - _DECAY**step))
    means = [_DECAY * m + (1 - _DECAY) * g for m, g in zip(state.means, gradient, strict=True)]
    squares = [
        _SQUARES * s + (1 - _SQUARES) * g * g for s, g in zip(state.squares, gradient, strict=True)
    ]
    weights = [
        w - pace * m / (np.sqrt(s) + _LEAST)
        for w, m, s in zip(state.weights, means, squares, strict=True)
    ]
    return State(
        step, Weights(*weights), Weights(*means), Weights(*squares),
        (*state.losses, loss), state.accuracies,
    )  # fmt: skip
