"""Interleaved timings against other libraries: `python benchmarks/run.py [--rounds N]`.

Every contestant runs once in each round, so that a machine whose speed drifts drifts for all; the
ratio of minima counts. Results are compared before anything is timed. Lost cases come first.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from cases import CASES, Case

import multiconv as mc


@dataclass
class Result:
    case: str
    problem: str
    algorithm: str
    seconds: dict[str, float]

    @property
    def best_peer(self) -> str:
        return min((n for n in self.seconds if n != "multiconv"), key=self.seconds.__getitem__)

    @property
    def ratio(self) -> float:
        return self.seconds[self.best_peer] / self.seconds["multiconv"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--json", help="also write the figures here")
    options = parser.parse_args()
    results = [measure(c, options.rounds) for c in CASES if options.only in c.name]
    results.sort(key=lambda r: r.ratio)
    print(f"{'case':<34} {'multiconv':>11} {'best peer':>11} {'ratio':>6}  algorithm, peer")
    for r in results:
        print(f"{r.case:<34} {_time(r.seconds['multiconv'])} {_time(r.seconds[r.best_peer])} "
              f"{r.ratio:>6.2f}  {r.algorithm}, {r.best_peer}")  # fmt: skip
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([asdict(r) | {"ratio": r.ratio} for r in results], file, indent=1)


def measure(case: Case, rounds: int) -> Result:
    contestants, plan = case.contestants()
    reference = np.asarray(contestants["multiconv"]())
    scale = np.abs(reference).max()
    for name, run in contestants.items():
        error = np.abs(np.asarray(run()) - reference).max() / scale
        assert error < 1e-4, f"{case.name}: {name} differs by {error}"
    repeat = {n: max(1, int(2e-4 / _once(f))) for n, f in contestants.items()}
    seconds = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            for _ in range(repeat[name]):
                run()
            took = (time.perf_counter() - start) / repeat[name]
            seconds[name] = min(seconds[name], took)
    return Result(case.name, str(plan.problem), plan.algorithm, seconds)


def _once(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:>8.2f} us" if seconds < 1e-3 else f"{seconds * 1e3:>8.2f} ms"


if __name__ == "__main__":
    assert mc.get_num_threads() >= 1
    main()
