"""Streams against the clock: how much of the time that a block lasts is taken to convolve it.

    python benchmarks/streaming.py            # a room of two seconds, stereo, at 48 kHz
    python benchmarks/streaming.py --soak     # a hundred million samples: memory and drift

Everyone gets the same blocks in turns, from silence in each round. A block's time is the least of
all rounds, for what interrupts a round strikes another block in the next; `worst` is the worst
block by that. `seen` is the median of the rounds' worst blocks, interruptions and all.
"""

from __future__ import annotations

import argparse
import collections
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import signal

import multiconv as mc
from multiconv.streaming import Stream

RATE = 48_000
SECONDS = 2
BLOCKS = (64, 256, 1024)
CLOSE = 1e-4
"""Of the loudest sample, by how much results may differ."""

Start = Callable[[np.ndarray, int], Callable[[np.ndarray], np.ndarray]]


def multiconv_late(room: np.ndarray, block: int) -> Callable[[np.ndarray], np.ndarray]:
    """The stream as it is, a block late."""
    return Stream(room.T, block).process


def multiconv_at_once(room: np.ndarray, block: int) -> Callable[[np.ndarray], np.ndarray]:
    """The stream without latency."""
    return Stream(room.T, block, latency=0).process


def scipy_oaconvolve(room: np.ndarray, block: int) -> Callable[[np.ndarray], np.ndarray]:
    """Each block through the whole room, what is to come added up."""
    coming = np.zeros((len(room) + block - 1, room.shape[1]), room.dtype)

    def process(samples: np.ndarray) -> np.ndarray:
        np.add(coming, signal.oaconvolve(samples, room, axes=0), out=coming)
        result = coming[:block].copy()
        coming[:-block] = coming[block:].copy()
        coming[-block:] = 0
        return result

    return process


def pedalboard_convolution(room: np.ndarray, block: int) -> Callable[[np.ndarray], np.ndarray]:
    """JUCE's convolution, which has no latency and scales the room to its own loudness."""
    import pedalboard

    effect = pedalboard.Convolution(np.ascontiguousarray(room.T), 1.0, RATE)
    return lambda x: effect.process(x, RATE, buffer_size=block, reset=False)


class Contestant(NamedTuple):
    """Who is timed, and how."""

    name: str
    start: Start
    ours: bool = False
    late: bool = False
    rows: bool = False
    """Whether a block's channels are its rows."""
    most: int = 512
    """Blocks of a round; who is slow gets fewer."""

    def blocks(self, blocks: np.ndarray) -> np.ndarray:
        """Blocks as this contestant takes them."""
        return np.ascontiguousarray(blocks.swapaxes(1, 2)) if self.rows else blocks


CONTESTANTS = (
    Contestant("multiconv", multiconv_late, ours=True, late=True),
    Contestant("multiconv, latency 0", multiconv_at_once, ours=True),
    Contestant("pedalboard", pedalboard_convolution, rows=True),
    Contestant("scipy oaconvolve", scipy_oaconvolve, most=24),
)


class Times(NamedTuple):
    """Shares of a block's own duration."""

    mean: float
    median: float
    worst: float
    seen: float


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--soak", action="store_true", help="memory and drift, not time")
    parser.add_argument("--samples", type=float, default=1e8, help="of the soak")
    asked = parser.parse_args()
    if asked.soak:
        return report_soak(soak(int(asked.samples)))
    room = impulse_response()
    found = {block: race(room, block, asked.rounds) for block in BLOCKS}
    return report(found)


def impulse_response() -> np.ndarray:
    """Noise that fades by 60 dB, another in each ear."""
    rng = np.random.default_rng(1)
    count = SECONDS * RATE
    decay = 10 ** (-3 * np.arange(count) / count)
    return (rng.standard_normal((count, 2)) * decay[:, None]).astype(np.float32)


def race(room: np.ndarray, block: int, rounds: int) -> dict[str, Times]:
    """Everyone's times, by name; who gives other samples raises."""
    rng = np.random.default_rng(2)
    blocks = rng.standard_normal((512, block, 2)).astype(np.float32)
    present = [c for c in CONTESTANTS if is_there(c)]
    check(present, room, blocks)
    taken: dict[str, list[np.ndarray]] = {c.name: [] for c in present}
    for turn in range(rounds):
        for contestant in present[turn % len(present) :] + present[: turn % len(present)]:
            taken[contestant.name].append(timed(contestant, room, blocks))
    duration = block / RATE
    return {name: times(np.array(runs) / duration) for name, runs in taken.items()}


def is_there(contestant: Contestant) -> bool:
    """Whether a contestant's library is installed."""
    try:
        contestant.start(np.ones((8, 2), np.float32), 4)
    except ImportError as missing:
        print(f"{contestant.name}: left out, {missing.name} is not installed", file=sys.stderr)
        return False
    return True


def check(present: list[Contestant], room: np.ndarray, blocks: np.ndarray) -> None:
    """Raise unless everyone gives the samples of one long convolution, but for their scale."""
    some = blocks[:24]
    expected = mc.convolve(some.reshape(-1, 2), room, axes=0)[: some.size // 2]
    for contestant in present:
        process = contestant.start(room, blocks.shape[1])
        given = np.stack([process(b) for b in contestant.blocks(some)])
        found = (given.swapaxes(1, 2) if contestant.rows else given).reshape(-1, 2)
        late = blocks.shape[1] if contestant.late else 0
        found, wanted = found[late:], expected[: len(expected) - late]
        gain = np.vdot(wanted, found) / np.vdot(wanted, wanted)
        error = np.abs(found - gain * wanted).max() / np.abs(gain * wanted).max()
        if not error < CLOSE:
            raise SystemExit(f"{contestant.name}: differs by {error:.1e} of the loudest sample")


def timed(contestant: Contestant, room: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Seconds of each block, from silence."""
    process, clock = contestant.start(room, blocks.shape[1]), time.perf_counter
    blocks = contestant.blocks(blocks)
    process(blocks[0])
    seconds = np.empty(min(contestant.most, len(blocks)))
    for i in range(len(seconds)):
        begin = clock()
        process(blocks[i])
        seconds[i] = clock() - begin
    return seconds


def times(runs: np.ndarray) -> Times:
    """What ``(rounds, blocks)`` shares come to."""
    least = runs.min(axis=0)
    seen = statistics.median(runs.max(axis=1))
    return Times(least.mean(), float(np.median(runs)), least.max(), seen)


def report(found: dict[int, dict[str, Times]]) -> int:
    """Print a table, what is lost first; the exit status says whether anything is."""
    ours = {c.name for c in CONTESTANTS if c.ours}
    rows = []
    for block, contest in found.items():
        peers = [t for name, t in contest.items() if name not in ours]
        for name in ours & contest.keys():
            mine = contest[name]
            mean = min(p.mean for p in peers) / mine.mean
            worst = min(p.worst for p in peers) / mine.worst
            rows.append((min(mean, worst), f"{block:>6}  {name:<22}{mean:>8.2f}{worst:>8.2f}"))
    print("the best peer's time over ours: above 1 we are ahead\n")
    print(f"{'block':>6}  {'':<22}{'mean':>8}{'worst':>8}")
    for ratio, row in sorted(rows):
        print(row + ("  lost" if ratio < 1 else ""))
    print("\nshare of a block's duration: below 100 % keeps up\n")
    print(f"{'block':>6}  {'':<22}" + "".join(f"{n:>10}" for n in Times._fields))
    for block, contest in found.items():
        for name, row in contest.items():
            print(f"{block:>6}  {name:<22}" + "".join(f"{value:>10.2%}" for value in row))
    return int(any(ratio < 1 for ratio, _ in rows))


class Soaked(NamedTuple):
    """What became of a long signal.

    Attributes
    ----------
    error : float
        Of the last block, by direct summation, as a share of the kernel's norm.
    early : float
        The same after the first kernel's length.
    growth : float
        Bytes of memory gained since a tenth of the signal; NaN where it cannot be told.
    """

    error: float
    early: float
    growth: float
    seconds: float


def soak(samples: int, taps: int = 20_000, block: int = 1024) -> Soaked:
    """Send noise through a stream, block by block, and compare its end with direct summation."""
    rng = np.random.default_rng(3)
    h = rng.standard_normal(taps, np.float32)
    stream = Stream(h, block)
    recent: collections.deque[np.ndarray] = collections.deque(maxlen=taps // block + 3)
    count, early, before = max(samples // block, recent.maxlen or 0), 0.0, 0.0
    begin = time.perf_counter()
    for turn in range(count):
        recent.append(rng.standard_normal(block, np.float32))
        result: Any = stream.process(recent[-1])
        if turn + 1 == recent.maxlen:
            early = error_of(result, recent, h)
        if turn == count // 10:
            before = resident()
    seconds, growth = time.perf_counter() - begin, resident() - before
    return Soaked(error_of(result, recent, h), early, growth, seconds)


def error_of(result: np.ndarray, recent: collections.deque[np.ndarray], h: np.ndarray) -> float:
    """How far the latest block is off, which is the one before the latest that went in."""
    x = np.concatenate(recent).astype(np.float64)[: -len(result)]
    window = x[-(len(h) + len(result) - 1) :]
    exact = mc.convolve(window, h.astype(np.float64), "valid", precision="highest")
    return float(np.abs(result - exact).max() / np.linalg.norm(h))


def resident() -> float:
    """Bytes of memory that the process has."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return float("nan")
    return 4096.0 * int(pages)


def report_soak(found: Soaked) -> int:
    """Print what a long signal came to."""
    print(f"error   {found.error:.2e} of the kernel's norm at the end, {found.early:.2e} early on")
    print(f"memory  {found.growth / 2**20:+.2f} MiB since a tenth of it")
    print(f"time    {found.seconds:.1f} s")
    return int(found.error > 2 * found.early or found.growth > 4 * 2**20)


if __name__ == "__main__":
    sys.exit(main())
