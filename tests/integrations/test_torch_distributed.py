"""Layers on the engine in several processes: data-parallel training, workers that load data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader, Dataset  # noqa: E402

import multiconv  # noqa: E402
import multiconv.torch as ours  # noqa: E402

TRAINING = Path(__file__).with_name("distributed_training.py")


def losses(processes, folder):
    done = subprocess.run(
        [sys.executable, str(TRAINING), str(processes), str(folder)],
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_processes_lose_what_one_loses(tmp_path, capsys):
    one, two = losses(1, tmp_path), losses(2, tmp_path)
    assert len(one) == 5
    assert one == pytest.approx(two, abs=1e-6)
    assert one[-1] < one[0]
    with capsys.disabled():
        for name, values in (("one process", one), ("two processes", two)):
            print(f"\n{name:>13}: " + " ".join(f"{value:.7f}" for value in values), end="")


class Filtered(Dataset):
    """Images that the worker filters."""

    weight = torch.arange(24.0).reshape(2, 3, 2, 2) - 9

    def __len__(self):
        return 12

    def __getitem__(self, number):
        image = torch.arange(3 * 40 * 50.0).reshape(3, 40, 50) % (number + 5)
        return ours.conv2d(image, self.weight, padding=1), multiconv.get_num_threads()


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_filter_after_their_parent_did(persistent):
    data = Filtered()
    with multiconv.num_threads(2):
        expected = torch.stack([data[n][0] for n in range(len(data))])
        assert torch.equal(
            expected[3],
            torch.nn.functional.conv2d(
                torch.arange(3 * 40 * 50.0).reshape(3, 40, 50) % 8, data.weight, padding=1
            ),
        )
        loader = DataLoader(
            data, batch_size=5, num_workers=2, multiprocessing_context="fork",
            persistent_workers=persistent, timeout=60,
        )  # fmt: skip
        for _ in range(1 + persistent):
            images, threads = zip(*loader, strict=True)
            assert torch.equal(torch.cat(images), expected)
            assert set(torch.cat(threads).tolist()) == {2}
        assert torch.equal(torch.stack([data[n][0] for n in range(len(data))]), expected)


class Trained(Dataset):
    """Layers in the worker, one of them kept prepared."""

    def __init__(self):
        torch.manual_seed(3)
        self.layer = ours.Conv2d(3, 4, (3, 2)).eval()

    def __len__(self):
        return 8

    def __getitem__(self, number):
        with torch.no_grad():
            return self.layer(torch.full((3, 8, 9), number + 0.5))


def test_workers_run_layers_that_their_parent_prepared():
    data = Trained()
    expected = torch.stack([data[n] for n in range(len(data))])
    assert data.layer._packed.prepared_bytes > 0
    loader = DataLoader(
        data, batch_size=3, num_workers=2, multiprocessing_context="fork", timeout=60
    )
    assert torch.equal(torch.cat(list(loader)), expected)
