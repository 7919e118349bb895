"""Replays every problem that once went wrong; a new one is a new line in regressions.txt."""

from pathlib import Path

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing
from multiconv._registry import registered

TEXT = Path(__file__).with_name("regressions.txt").read_text(encoding="utf-8")
PROBLEMS = [line.partition("#")[0].strip() for line in TEXT.splitlines()]


@pytest.mark.parametrize("text", [p for p in PROBLEMS if p])
def test_stays_right(text):
    for seed in range(10):
        trial = testing.Trial(mc.Problem.parse(text), np.random.default_rng(seed))
        for name in registered():
            for target in testing.targets():
                trial.check(name, target)
