"""The network: a small one learns digits, and each of its numbers can be traced back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

import numpy as np

from multiconv.studio._room import Cancelled, Message, Room

from . import _network_store as store
from ._network_code import programs
from ._network_digits import digits, seen
from ._network_layers import forward, probabilities, winners
from ._network_trace import Unit, trace
from ._network_training import MOST_STEPS, Recipe, State
from ._network_training import train as steps_of

room = Room("network")

PICTURE = 0.1  # seconds from one picture of the training to the next
PACES = (1, 5, 45)
SHOWN = 10


def _price(question: Message) -> float:
    """What is not trained yet takes most of the time."""
    recipe, step = Recipe.of(question.values), store.checked_step(question.values["steps"])
    return 0.01 + store.seconds(recipe, step)


def _price_of_training(question: Message) -> float:
    if question.values["pace"] not in PACES:
        raise ValueError(f"pace: give one of {PACES}, not {question.values['pace']!r}")
    pictures = MOST_STEPS / question.values["pace"]
    return _price(question) + pictures * PICTURE + store.seconds(Recipe.of(question.values), 0)


@room.action(_price)
def network(question: Message) -> Message:
    """Kernels and curves after so many steps."""
    return _shown(Recipe.of(question.values), _state(question))


@room.stream(_price_of_training)
def train(question: Message, cancelled: Cancelled) -> Iterator[Message]:
    """Train on, with so many steps a picture."""
    recipe, pace = Recipe.of(question.values), question.values["pace"]
    state = _state(question)
    steps = steps_of(state, recipe, digits())
    while state.step < MOST_STEPS and not cancelled():
        due = time.perf_counter() + PICTURE
        *_, state = islice(steps, min(pace, MOST_STEPS - state.step))
        store.keep(recipe, state)
        time.sleep(max(0.0, due - time.perf_counter()))
        yield _shown(recipe, state)


@room.action(_price)
def look(question: Message) -> Message:
    """What the network makes of one digit, and where one of its numbers comes from."""
    weights = _state(question).weights
    maps = forward(weights, _digit(question))
    arrays = {
        "digit": maps.digits[0, 0],
        "first": maps.first[0],
        "second": maps.second[0],
        "scores": maps.scores.ravel(),
        "probabilities": probabilities(maps.scores)[0],
        "first_winners": winners(maps.first)[0].astype(np.uint8),
        "second_winners": winners(maps.second)[0].astype(np.uint8),
    }
    likeliest = (3, int(maps.scores.argmax()), 0, 0)
    unit = Unit.of(question.values["unit"] or likeliest, len(weights.first))
    traced = trace(weights, maps, unit)
    parts = {
        "digit_parts": traced.digit[0, 0],
        "first_parts": traced.first[0],
        "second_parts": traced.second[0],
        "flows": traced.flows,
    }
    values = {
        "unit": unit,
        "value": traced.value,
        "biases": traced.biases,
        "digit_field": traced.digit_field,
        "first_field": traced.first_field,
    }
    return Message(values, arrays | parts)


@room.action(_price)
def samples(question: Message) -> Message:
    """Held-out digits: one of each class, or those that the network tells wrong."""
    data, values = digits(), question.values
    guesses = probabilities(forward(_state(question).weights, data.test).scores).argmax(1)
    if values["mistaken"]:
        chosen = np.flatnonzero(guesses != data.test_classes)
    else:
        places = [np.flatnonzero(data.test_classes == c) for c in range(SHOWN)]
        chosen = np.array([p[int(values["page"]) % len(p)] for p in places])
    shown = chosen[:SHOWN]
    return Message(
        {"wrong": int((guesses != data.test_classes).sum()), "of": len(guesses)},
        {
            "digits": data.test[shown, 0],
            "numbers": shown.astype(np.int32),
            "classes": data.test_classes[shown].astype(np.int32),
            "guesses": guesses[shown].astype(np.int32),
        },
    )


@room.action(_price)
def code(question: Message) -> Message:
    """The prediction in several libraries."""
    return Message(dict(programs(_state(question).weights, _digit(question)[0, 0])))


def _state(question: Message) -> State:
    recipe = Recipe.of(question.values)
    return store.at(recipe, store.checked_step(question.values["steps"]))


def _digit(question: Message) -> np.ndarray:
    """What was drawn, or a held-out digit by its number."""
    if "ink" in question.arrays:
        return seen(question.arrays["ink"])
    data, number = digits(), question.values["digit"]
    if not isinstance(number, int) or not 0 <= number < len(data.test):
        raise ValueError(f"digit: {number!r} is not allowed, give 0 to {len(data.test) - 1}")
    return data.test[number : number + 1]


def _shown(recipe: Recipe, state: State) -> Message:
    weights = state.weights
    return Message(
        {"step": state.step, "milliseconds": store.milliseconds(recipe)},
        {
            "losses": np.array(state.losses, np.float32),
            "accuracies": np.array(state.accuracies, np.float32),
            "first": weights.first[:, 0],
            "second": weights.second,
        },
    )
