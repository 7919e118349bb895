"""The machine: every algorithm for one problem, predicted and measured, and why it was refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import multiconv as mc
from multiconv._planner import Step
from multiconv.studio._room import Cancelled, Message, Room, at_once

from ._machine_code import programs
from ._machine_curve import curve_of, curve_seconds
from ._machine_measure import measured, measuring_seconds
from ._machine_numbers import numbers_of
from ._machine_problem import Asked

room = Room("machine")


@room.action(at_once)
def plan(question: Message) -> Message:
    """The planner's verdict on every algorithm, and the plan."""
    asked = Asked.of(question.values)
    step, summaries = asked.step(), mc.algorithms()
    rows = [{**asdict(row), "summary": summaries[row.algorithm]} for row in step.rows]
    return Message({
        "problem": str(asked.problem), "form": asked.form(), "rows": rows, "tree": _tree(step),
    })  # fmt: skip


@room.stream(lambda question: measuring_seconds(Asked.of(question.values)))
def measure(question: Message, cancelled: Cancelled) -> Iterator[Message]:
    """Time and error of the accepted algorithms, one after the other."""
    for one in measured(Asked.of(question.values), cancelled):
        yield Message(one)


@room.action(lambda question: curve_seconds(Asked.of(question.values)))
def curve(question: Message) -> Message:
    """Predicted times against the kernel's size."""
    return Message(curve_of(Asked.of(question.values)))


@room.action(at_once)
def numbers(question: Message) -> Message:
    """A small convolution in every dtype, with what was lost."""
    return Message(numbers_of(question.values))


@room.action(at_once)
def code(question: Message) -> Message:
    """The problem in several libraries."""
    return Message(dict(programs(Asked.of(question.values))))


def _tree(step: Step) -> dict[str, Any]:
    return {
        "algorithm": step.algorithm.name, "problem": str(step.problem),
        "seconds": step.cost.seconds, "children": [_tree(child) for child in step.children()],
    }  # fmt: skip
