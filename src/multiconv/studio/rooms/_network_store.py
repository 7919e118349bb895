"""Networks that were trained lately, so that none is trained twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from itertools import islice
from statistics import median

from ._network_digits import digits
from ._network_training import MOST_STEPS, SECONDS_A_STEP, TRAINERS, Recipe, State, begin, train

HELD = 64
"""A few dozen kilobytes each."""

_held: OrderedDict[tuple[Recipe, int], State] = OrderedDict()
_lock = threading.Lock()  # short: prices are asked for while others train
_training = threading.Lock()


def keep(recipe: Recipe, state: State) -> None:
    """Hold a network, and give up the one that nobody asked for longest."""
    with _lock:
        _held[recipe, state.step] = state
        _held.move_to_end((recipe, state.step))
        while len(_held) > HELD:
            _held.popitem(last=False)


def at(recipe: Recipe, step: int) -> State:
    """The network after so many steps; what is missing is trained, once for all who ask."""
    with _training:
        state = _before(recipe, step) or begin(recipe, digits())
        if state.step < step:
            *_, state = islice(train(state, recipe, digits()), step - state.step)
        keep(recipe, state)
        return state


def seconds(recipe: Recipe, step: int) -> float:
    """How long `at` will take."""
    held = _before(recipe, step)
    return SECONDS_A_STEP[recipe.trainer] * (step - held.step if held else step)


def milliseconds(recipe: Recipe) -> dict[str, float | None]:
    """What loss and gradients of one step take by each trainer, where that was measured."""
    held = {t: _before(replace(recipe, trainer=t), MOST_STEPS) for t in TRAINERS}
    return {t: 1e3 * median(s.seconds) if s and s.seconds else None for t, s in held.items()}


def checked_step(step: object) -> int:
    """A number of steps that may be asked for."""
    if not isinstance(step, int) or not 0 <= step <= MOST_STEPS:
        raise ValueError(f"steps: {step!r} is not allowed, give 0 to {MOST_STEPS}")
    return step


def _before(recipe: Recipe, step: int) -> State | None:
    """The network held that lacks the fewest steps."""
    with _lock:
        steps = [n for held, n in _held if held == recipe and n <= step]
        return _held[recipe, max(steps)] if steps else None
