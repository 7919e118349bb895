"""The networks that learn: a short form of each, what they leave, and that nothing leaks."""

import ctypes.util
import importlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

EXAMPLES = Path(__file__).parent.parent / "examples"
ENGINES = ("multiconv", "torch")
# A thread that waits gives its core to the other tests.
CALM = {**os.environ, "OMP_WAIT_POLICY": "passive", "COLUMNS": "80"}


def run(*words):
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, env=CALM, capture_output=True, encoding="utf-8", timeout=300)


@pytest.fixture
def examples(monkeypatch):
    """The folder, for scripts that import each other."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(EXAMPLES)):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["digits", "speech", "text", "volumes"])
def test_a_short_form_learns_on_both_engines(name, tmp_path):
    done = run(EXAMPLES / f"{name}.py", "--quick", "--out", tmp_path / "made" / name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    assert {p.name for p in (tmp_path / "made" / name).iterdir()} == {
        f"{name}-light.png", f"{name}-dark.png", "multiconv.safetensors", "torch.safetensors"
    }  # fmt: skip
    assert done.stdout.count("% held out, identical") == 2
    assert max(map(len, done.stdout.splitlines())) <= max(80, len(str(tmp_path)) + 60)
    result = done.stdout[done.stdout.index("Result") :]
    first, last = re.search(r"\n +1 +([\d.]+).*\n +2 +([\d.]+)", done.stdout).groups()
    assert float(last) < float(first)
    for engine in ENGINES:
        row = re.search(rf"{engine} +([\d.]+) % +([\d.]+) s +[\d.]+ s +\d+ ms", result)
        assert 0 <= float(row[1]) <= 100
        assert float(row[2]) > 0
    for kind, papers in (("light", (255, 255)), ("dark", (0, 40))):
        with Image.open(tmp_path / "made" / name / f"{name}-{kind}.png") as picture:
            greys = np.asarray(picture.convert("L"))
        assert greys.shape[1] > 1000
        assert np.ptp(greys) > 200
        assert papers[0] <= np.median(greys) <= papers[1]


def test_one_seed_is_one_result_and_another_seed_another(examples):
    import _training
    import digits
    from _command import Options

    few = _training.Data(*(part[:96] for part in vars(digits.data(1)).values()))
    recipe = _training.Recipe(batch=32, rate=0.01, augment=digits.augment)
    weights = []
    for seed in (3, 3, 4):
        asked = Options("digits", ("multiconv",), 2, True, Path(), seed)
        console = Console(file=io.StringIO())
        (learner,) = _training.learn(asked, digits.network, few, recipe, console)
        weights.append(learner.model[0].weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_missed_goal_is_said_and_is_a_failure(tmp_path):
    done = run(EXAMPLES / "digits.py", "--engine", "torch", "--epochs", "1", "--out", tmp_path)
    assert done.returncode == 1
    assert re.search(r"torch missed the 98\.5 % asked: [\d.]+ % of those held out", done.stdout)


@pytest.mark.parametrize(("option", "value", "sentence"), [
    ("--epochs", "0", "'0' is no number of passes; 1 or more is allowed"),
    ("--epochs", "2.5", "'2.5' is no number of passes; 1 or more is allowed"),
    ("--engine", "abacus", "abacus"),
])  # fmt: skip
def test_bad_input_is_refused(examples, monkeypatch, capsys, option, value, sentence):
    from _command import options

    monkeypatch.setattr(sys, "argv", ["volumes.py", option, value])
    with pytest.raises(SystemExit, match="2"):
        options("volumes", "", epochs=3, quick_epochs=2)
    said = capsys.readouterr().err
    assert option in said
    assert sentence in said


@pytest.mark.parametrize(("name", "missing", "cure"), [
    ("speech", "espeakng_loader", "pip install espeakng-loader"),
    ("text", "plone", "pip install plone.app.locales"),
])  # fmt: skip
def test_who_lacks_the_data_is_told_how_to_get_it(
    examples, monkeypatch, capsys, tmp_path, name, missing, cure
):
    from _command import Options

    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    monkeypatch.setitem(sys.modules, missing, None)
    asked = Options(name, ENGINES, 1, True, tmp_path / "none", 0)
    assert importlib.import_module(name).main(asked) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert cure in said
    assert not (tmp_path / "none").exists()


def test_a_voice_of_the_test_is_never_in_training(examples, monkeypatch):
    import _voices
    import speech

    heard = []
    real = _voices.say
    monkeypatch.setattr(_voices, "say", lambda *a: heard.append(a[2]) or real(*a))
    data = speech.data(5, 8, 1)
    known, strange = set(heard[: len(data.train)]), set(heard[len(data.train) :])
    assert (len(known), len(strange)) == (6, 2)
    assert not known & strange
    assert data.train_labels.bincount().tolist() == [6] * 10
    assert data.test_labels.bincount().tolist() == [2] * 10


def test_a_line_of_the_test_is_never_in_training(examples):
    import text

    data, alphabet = text.data(5, 300)
    known, strange = ({tuple(row) for row in part.tolist()} for part in (data.train, data.test))
    assert not known & strange
    assert len(strange) == len(data.test) > 200
    assert {"a", "ç", " "} <= set(alphabet)
    assert set(data.test_labels.tolist()) == set(range(len(text.LANGUAGES)))


def test_solids_turn_without_changing_size(examples):
    import volumes

    torch.manual_seed(2)
    turns = volumes.rotations(50).double()
    assert torch.allclose(turns @ turns.mT, torch.eye(3, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(torch.linalg.det(turns), torch.ones(50, dtype=torch.float64), atol=1e-5)
    # The sphere's radius is the root of 0.62 before it is resized by 0.85 to 1.15.
    filled = volumes.blocks(volumes.SOLIDS["sphere"], 200).mean((1, 2, 3, 4))
    share = 4 / 3 * torch.pi * (0.62**0.5 / 2.5) ** 3
    assert 0.8 * share < filled.mean() < 1.2 * share
