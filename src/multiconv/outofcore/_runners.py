"""Who computes blocks: the threads of this process, or the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, Protocol

from multiconv._errors import MissingExtraError

from ._job import Entry

Done = Generator[tuple[int, Entry], None, None]
QUEUED = 4
"""Blocks that each worker has to do, so that none waits for the next."""
PATIENCE = 10
"""Seconds in which a scheduler must answer."""


class Runner(Protocol):
    """Calls a task with each number, in any order, several at once."""

    def __call__(self, task: Callable[[int], Entry], numbers: Sequence[int]) -> Done:
        """Yield the numbers that are done, and what the calls gave."""


def on_threads(count: int) -> Runner:
    """A runner on ``count`` threads: while one reads or writes, another computes.

    None waits for what is done with the blocks that are yielded. Where one fails, those that have
    begun are finished and yielded first.
    """

    def run(task: Callable[[int], Entry], numbers: Sequence[int]) -> Done:
        waiting = iter(numbers)
        pool = ThreadPoolExecutor(count)
        try:
            running: dict[Future[Entry], int] = {}
            while True:
                for number in islice(waiting, QUEUED * count - len(running)):
                    running[pool.submit(task, number)] = number
                if not running:
                    return
                done = wait(running, return_when=FIRST_COMPLETED).done
                if any(map(_failed, done)):
                    done = wait([f for f in running if not f.cancel()]).done
                for future in sorted(done, key=_failed):
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    return run


def _failed(future: Future[Entry]) -> bool:
    return future.exception() is not None


def on_cluster(address: str) -> Runner:
    """A runner on the workers of a `dask.distributed` scheduler, which see the same files."""
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            "scheduler: a cluster needs distributed: pip install 'multiconv[dask]'"
        ) from error

    def run(task: Callable[[int], Entry], numbers: Sequence[int]) -> Done:
        waiting = iter(numbers)
        with _connected(distributed, address) as client:
            shared = client.scatter(task, broadcast=True, hash=False)
            room = QUEUED * max(1, sum(client.nthreads().values()))
            running: dict[Any, int] = {}
            done = distributed.as_completed(loop=client.loop)
            while True:
                for number in islice(waiting, room - len(running)):
                    future = client.submit(_call, shared, number, pure=False)
                    running[future] = number
                    done.add(future)
                if not running:
                    return
                future = next(done)
                yield running.pop(future), Entry(*future.result())

    return run


def _connected(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"scheduler: {address!r} cannot be reached ({error})") from None


def _call(task: Callable[[int], Entry], number: int) -> Entry:
    return task(number)
