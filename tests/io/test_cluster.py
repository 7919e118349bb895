"""Blocks on a cluster: a real one of processes, and the model beside a simulated one."""

import heapq
import itertools
import os
import re
import signal

import numpy as np
import pytest
import zarr

import multiconv as mc
from multiconv.cli import main
from multiconv.outofcore import Cluster, Load, predict
from multiconv.outofcore._journal import Journal

distributed = pytest.importorskip("distributed")


def simulated(load, cluster, in_work=2):
    """Seconds until the last block is written, event by event.

    The scheduler, the store, every worker's connection and every worker's processors each serve one
    block after the other, in the order in which they ask.
    """
    free = {"scheduler": 0.0, "store": 0.0}
    order = itertools.count()
    events = [(0.0, next(order), "ask", worker) for worker in range(cluster.workers)
              for _ in range(in_work)]  # fmt: skip
    heapq.heapify(events)
    left, end = load.blocks, 0.0

    def served(what, now, seconds):
        free[what] = max(free.get(what, 0.0), now) + seconds
        return free[what]

    def moved(worker, now, size):
        start = now + cluster.latency
        return max(served(("network", worker), start, size / cluster.network),
                   served("store", start, size / cluster.store))  # fmt: skip

    def next_event(now, kind, worker):
        heapq.heappush(events, (now, next(order), kind, worker))

    while events:
        now, _, kind, worker = heapq.heappop(events)
        if kind == "ask" and left:
            left -= 1
            next_event(served("scheduler", now, cluster.dispatch), "read", worker)
        elif kind == "read":
            next_event(moved(worker, now, load.read), "compute", worker)
        elif kind == "compute":
            next_event(served(("cpu", worker), now, load.seconds), "write", worker)
        elif kind == "write":
            next_event(moved(worker, now, load.written), "written", worker)
        elif kind == "written":
            end = max(end, now)
            next_event(now, "ask", worker)
    return end


def cases():
    """Loads and clusters with every kind of bound."""
    for workers, seconds, network, store, dispatch, latency in itertools.product(
        [1, 7, 30], [0.01, 0.5], [1e8, 5e9], [1e9, 1e12], [1e-4, 5e-3], [2e-3, 0.4]
    ):
        yield (Load(blocks=40 * workers + 3, read=4e7, written=6e7, seconds=seconds),
               Cluster(workers, network, store, latency, dispatch))  # fmt: skip


def test_the_model_agrees_with_a_simulated_cluster():
    bounds, ratios = set(), []
    for load, cluster in cases():
        prediction = predict(load, cluster)
        bounds.add(prediction.bound)
        ratios.append(prediction.seconds / simulated(load, cluster))
    assert bounds == {"computing", "the network", "the store", "the scheduler", "waiting"}
    assert min(ratios) > 0.8
    assert max(ratios) < 1.2
    assert 0.95 < np.median(ratios) < 1.05


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True,
                                  dashboard_address=None, memory_limit=0) as made:  # fmt: skip
        yield made


@pytest.fixture
def volume(tmp_path):
    array = np.random.default_rng(1).integers(0, 900, (24, 37, 50)).astype("int16")
    zarr.create_array(tmp_path / "a.zarr", shape=array.shape, chunks=(8, 16, 16),
                      dtype="int16")[:] = array  # fmt: skip
    return mc.convolve(array, np.array([[[1, 2, -3]], [[4, 0, 1]]]), "same", boundary="wrap")


WORDS = "[[[1,2,-3]],[[4,0,1]]]", "--boundary", "wrap"


@pytest.mark.parametrize("suffix", [".zarr", ".npy"])
def test_blocks_on_a_cluster_of_processes(tmp_path, apply, volume, cluster, small_blocks, suffix):
    target = tmp_path / f"b{suffix}"
    assert apply(*WORDS, tmp_path / "a.zarr", target, "--scheduler", cluster.scheduler_address) == 0
    found = np.load(target) if suffix == ".npy" else zarr.open(target)[:]
    np.testing.assert_array_equal(found, volume)


def test_a_worker_that_is_killed_changes_nothing(
    tmp_path, apply, volume, cluster, small_blocks, monkeypatch
):
    worker, added, keep = cluster.workers[0].pid, [], Journal.add

    def killing(self, key, entry):
        keep(self, key, entry)
        added.append(key)
        if len(added) == 3:
            os.kill(worker, signal.SIGKILL)

    monkeypatch.setattr(Journal, "add", killing)
    assert apply(*WORDS, tmp_path / "a.zarr", tmp_path / "b.zarr",
                 "--scheduler", cluster.scheduler_address) == 0  # fmt: skip
    np.testing.assert_array_equal(zarr.open(tmp_path / "b.zarr")[:], volume)
    assert len(added) > 10


def test_a_scheduler_that_is_not_there(tmp_path, apply, volume, capsys, monkeypatch):
    monkeypatch.setattr("multiconv.outofcore._runners.PATIENCE", 0.5)
    assert apply(*WORDS, tmp_path / "a.zarr", tmp_path / "b.zarr",
                 "--scheduler", "tcp://127.0.0.1:1") == 2  # fmt: skip
    assert "scheduler: 'tcp://127.0.0.1:1' cannot be reached" in capsys.readouterr().err
    assert not (tmp_path / "b.zarr").exists()


def test_explain_predicts_a_run(capsys):
    words = ["explain", "convolve", "10000x10000x10000", "gaussian:sigma=2,ndim=3", "--mode",
             "same", "--dtype", "uint16"]  # fmt: skip
    assert main([*words, "--cluster", "1000", "--store", "100GB"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert list(lines) == ["blocks", "read", "written", "a", "time", "alone"]
    assert lines["written"] == "8.00 TB"
    assert "on 1,000 workers like this machine; what is busiest: the store" in lines["time"]
    blocks, block, reading = re.match(r"([\d,]+) of (.*) samples, which read (.*)",
                                      lines["blocks"]).groups()  # fmt: skip
    sizes, read = (np.array(text.split(" x "), int) for text in (block, reading))
    assert (read - sizes == 16).all()
    assert int(blocks.replace(",", "")) == np.prod(-(-10_000 // sizes))
    assert main([*words, "--cluster", "0"]) == 2
    assert "cluster: 0 machines are too few" in capsys.readouterr().err
    assert main(["explain", "conv", "1x1x9x9", "1x1x3x3", "--cluster", "2"]) == 2
    assert "cluster: 'conv' is not allowed" in capsys.readouterr().err
