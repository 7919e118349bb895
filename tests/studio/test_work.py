"""Work is priced before it starts, waits its turn, and ends when nobody listens."""

import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

pytest.importorskip("starlette")
from multiconv.studio import Message
from multiconv.studio._room import Action
from multiconv.studio._work import (
    MAX_SECONDS,
    STREAMS,
    WAITING,
    BusyError,
    TooDearError,
    Work,
)


def run(scenario, *arguments):
    """In a thread of its own: a browser's tests may hold this one's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, scenario, *arguments).result()


def answering(answer):
    return Action(lambda question: 0.0, answer)


def test_what_is_too_dear_does_not_start():
    begun = []
    dear = Action(lambda question: 3 * MAX_SECONDS, begun.append)
    with pytest.raises(TooDearError, match=r"this would take 6\.0 s, 2 s are allowed"):
        run(Work().answer, dear, Message())
    assert not begun


def test_few_run_at_a_time_and_not_all_may_wait():
    async def scenario():
        work, go, refused, done = Work(), threading.Event(), [], []

        async def one():
            try:
                await work.answer(answering(lambda question: go.wait(10) and question), Message())
                done.append(1)
            except BusyError:
                refused.append(1)

        async with anyio.create_task_group() as group:
            for _ in range(WAITING + 5):
                group.start_soon(one)
            await anyio.sleep(0.2)
            go.set()
        return len(refused), len(done)

    assert run(scenario) == (5, WAITING)


def test_who_leaves_before_his_turn_costs_nothing():
    async def scenario():
        work, go, begun = Work(), threading.Event(), []
        holding = answering(lambda question: go.wait(10) and question)
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(work.answer, holding, Message())
            await anyio.sleep(0.1)
            async with anyio.create_task_group() as leaving:
                leaving.start_soon(work.answer, answering(begun.append), Message())
                await anyio.sleep(0.1)
                leaving.cancel_scope.cancel()
            go.set()
        return begun

    assert run(scenario) == []


def test_a_stream_ends_when_nobody_listens():
    told = []

    def count(question, cancelled):
        number = 0
        while not cancelled():
            yield Message({"number": (number := number + 1)})
        told.append("gone")

    endless = Action(lambda question: 1.0, answers=count)

    async def scenario():
        work = Work()
        answers = work.answers(endless, Message())
        first = [(await anext(answers)).values["number"] for _ in range(3)]
        await answers.aclose()
        held = [work.answers(endless, Message()) for _ in range(STREAMS)]
        for one in held:
            await anext(one)
        with pytest.raises(BusyError, match="run already"):
            await anext(work.answers(endless, Message()))
        for one in held:
            await one.aclose()
        return first

    assert run(scenario) == [1, 2, 3]
