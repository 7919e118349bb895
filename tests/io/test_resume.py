"""Runs that are stopped, by whatever: nothing is lost, and the same command goes on."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from multiconv import outofcore
from multiconv.outofcore._job import Entry, Task
from multiconv.outofcore._journal import Journal

TAPS = "[[1,2,-3],[4,0,5]]"
KILLS = int(os.environ.get("KILLS", "9"))
"""How often the runs are killed, all formats together."""


def numbers(*shape):
    return np.random.default_rng(5).integers(0, 60_000, shape).astype("uint16")


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".zarr"])
def test_killed_at_random_moments(tmp_path, pyramid, suffix):
    if suffix == ".zarr":
        pyramid(tmp_path / "source.zarr", numbers(2, 70, 80))
    elif suffix == ".npy":
        np.save(tmp_path / "source.npy", numbers(4, 130, 128))
    else:
        tifffile.imwrite(tmp_path / "source.tif", numbers(4, 130, 128), photometric="minisblack")
    script, share = str(Path(__file__).with_name("kills.py")), -(-KILLS // 3)
    done = subprocess.run([sys.executable, script, "1", str(share), suffix, str(tmp_path)],
                          text=True, capture_output=True, timeout=900, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= share


@pytest.fixture
def source(tmp_path, small_blocks):
    np.save(tmp_path / "a.npy", numbers(30, 40, 50))
    return tmp_path / "a.npy"


@pytest.fixture
def target(tmp_path):
    """An older result."""
    np.save(tmp_path / "b.npy", np.arange(3))
    return tmp_path / "b.npy"


def untouched(target):
    return np.load(target).tolist() == [0, 1, 2]


@pytest.fixture
def stopped(source, target, apply, monkeypatch, capsys):
    """Run until so many blocks are done, then let an error come; returns what was printed."""

    def run(count=5, error=KeyboardInterrupt, status=130, before=lambda: None):
        done, call = [], Task.__call__

        def counted(self, number):
            if len(done) >= count:
                before()
                raise error
            done.append(number)
            return call(self, number)

        with monkeypatch.context() as context:
            context.setattr(Task, "__call__", counted)
            assert apply(TAPS, source, target) == status
        assert untouched(target)
        return capsys.readouterr().err

    return run


@pytest.fixture
def whole(source, target, apply, tmp_path):
    """Checks that the same command goes on, and that the result is what it is without a stop."""

    def check(*options):
        assert apply(TAPS, source, target, *options) == 0
        assert apply(TAPS, source, tmp_path / "c.npy") == 0
        assert target.read_bytes() == (tmp_path / "c.npy").read_bytes()
        assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy", "c.npy"]

    return check


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(KeyboardInterrupt(), 130, "interrupted; "),
     (OSError(errno.ENOSPC, "full"), 2, "b.npy: cannot be used (No space left on device); "),
     (OSError(errno.EIO, "bad"), 2, "b.npy: cannot be used (Input/output error); "),
     (FileNotFoundError(errno.ENOENT, "gone", "x.npy"), 2, "x.npy: cannot be used (No such file")],
)  # fmt: skip
def test_the_same_command_goes_on(stopped, whole, capsys, error, status, words):
    err = stopped(5, error, status)
    assert err.startswith("multiconv: ")
    assert err.count("\n") == 1
    assert words in err
    assert "blocks are kept, and the same command goes on" in err
    kept = int(err.split("; ")[1].split()[0])
    assert kept == 5  # those that had begun are finished
    whole()
    assert f"note       {kept} of" in capsys.readouterr().out


def test_what_is_kept_is_not_computed_again(stopped, source, target, apply, monkeypatch):
    stopped(5)
    done, call = [], Task.__call__
    monkeypatch.setattr(Task, "__call__", lambda s, n: (done.append(n), call(s, n))[1])
    assert apply(TAPS, source, target) == 0
    first = len(done)
    assert apply(TAPS, source, target) == 0
    assert len(done) - 2 * first == 5


def test_nothing_is_left_of_a_run_that_has_done_nothing(stopped, tmp_path):
    assert "nothing was kept" in stopped(0)
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy"]


def test_a_kept_block_that_is_damaged_is_computed_again(stopped, whole, tmp_path):
    stopped(5)
    kept = tmp_path / ".b.npy.part/b.npy"
    content = bytearray(kept.read_bytes())
    content[200] ^= 1
    kept.write_bytes(content)
    whole()


def test_a_line_of_the_journal_that_was_cut(stopped, whole, tmp_path):
    stopped(5)
    journal = tmp_path / ".b.npy.part/journal"
    journal.write_bytes(journal.read_bytes()[:-7])
    whole()


def test_journals_keep_what_they_are_told(tmp_path):
    with Journal(str(tmp_path / "j")) as journal:
        journal.add((0, 3), Entry(7, (1, 2)))
    with open(tmp_path / "j", "ab") as file:
        file.write(b"[0, 4, 9")
    with Journal(str(tmp_path / "j")) as journal:
        assert journal.entries == {(0, 3): Entry(7, (1, 2))}
        journal.add((1, 0), Entry(8))
    with Journal(str(tmp_path / "j")) as journal:
        assert list(journal.entries) == [(0, 3), (1, 0)]


def test_another_job_does_not_go_on(stopped, source, target, apply, whole, capsys):
    stopped(5)
    assert apply("[[1,2,4]]", source, target, "--mode", "full") == 2
    err = capsys.readouterr().err
    assert "an unfinished run with another kernel and choice of options is kept in" in err
    assert "or --restart to begin anew" in err
    assert untouched(target)
    whole()


def test_a_changed_input_does_not_go_on(stopped, source, target, apply, whole, capsys):
    stopped(5)
    np.save(source, numbers(30, 40, 50) + np.uint16(1))
    assert apply(TAPS, source, target) == 2
    assert "an unfinished run with another input is kept" in capsys.readouterr().err
    assert untouched(target)
    whole("--restart")


def test_an_input_changed_while_it_is_read(source, target, apply, monkeypatch, capsys):
    call = Task.__call__

    def meddling(self, number):
        os.utime(source, ns=(1, 1))
        return call(self, number)

    monkeypatch.setattr(Task, "__call__", meddling)
    assert apply(TAPS, source, target) == 2
    assert "a.npy: was changed while it was read, --restart begins anew" in capsys.readouterr().err
    assert untouched(target)


def test_an_input_that_vanishes(source, target, apply, whole, monkeypatch, tmp_path, capsys):
    call = Task.__call__

    def vanishing(self, number):
        if number == 6 and source.exists():
            source.rename(tmp_path / "elsewhere")
        return call(self, number)

    with monkeypatch.context() as context:
        context.setattr(Task, "__call__", vanishing)
        assert apply(TAPS, source, target) == 2
    err = capsys.readouterr().err
    assert f"{source}: cannot be used (No such file or directory); " in err
    assert "blocks are kept, and the same command goes on" in err
    assert untouched(target)
    (tmp_path / "elsewhere").rename(source)
    whole()


def test_two_runs_at_one_target(source, target, apply, tmp_path, capsys):
    lock = tmp_path / ".b.npy.part/lock"
    with outofcore.locked(str(lock), str(target)):
        assert apply(TAPS, source, target) == 2
        assert "another run is writing it" in capsys.readouterr().err
    assert untouched(target)
    assert apply(TAPS, source, target) == 0


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".zarr"])
def test_a_disk_that_is_full(tmp_path, suffix):
    """The system refuses to let files grow, as a full disk does."""
    np.save(tmp_path / "a.npy", numbers(3, 200, 300))
    target = tmp_path / f"b{suffix}"
    code = f"""if True:
        import resource, signal, sys
        from multiconv.cli import _budget, main
        _budget.whole_bytes = lambda data: 2**62
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        sys.exit(main(["apply", "[[1,1]]", {str(tmp_path / "a.npy")!r}, {str(target)!r},
                       "--dtype", "uint16"]))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                          check=False)  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"{target}: cannot be " in done.stderr
    assert "(File too large)" in done.stderr
    assert os.listdir(tmp_path) == ["a.npy"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_leave_what_is_done(interrupt, source, target, number, status):
    code = f"""if True:
        import sys, time
        from multiconv.cli import _budget, main
        from multiconv.outofcore import _grid
        from multiconv.outofcore._journal import Journal
        _budget.whole_bytes, _grid.LARGEST, add = lambda data: 2**62, 4000, Journal.add
        def slow(self, key, entry):
            add(self, key, entry)
            if len(self.entries) == 2:
                print("ready", flush=True)
            time.sleep(0.05)
        Journal.add = slow
        sys.exit(main(["apply", {TAPS!r}, {str(source)!r}, {str(target)!r}]))
    """
    interrupt(code, number, status)
    assert untouched(target)
    assert (target.parent / ".b.npy.part/journal").stat().st_size > 0


def test_an_older_store_is_replaced_at_once(tmp_path, apply, pyramid, small_blocks, monkeypatch):
    pyramid(tmp_path / "a.zarr", numbers(2, 70, 80))
    pyramid(tmp_path / "b.zarr", numbers(1, 9, 8))
    assert apply("box", tmp_path / "a.zarr", tmp_path / "b.zarr") == 0
    expected = sorted(p.read_bytes() for p in (tmp_path / "b.zarr").rglob("*") if p.is_file())
    monkeypatch.setattr("multiconv.outofcore._place._exchanged", lambda path, target: False)
    assert apply("box", tmp_path / "a.zarr", tmp_path / "b.zarr") == 0
    found = sorted(p.read_bytes() for p in (tmp_path / "b.zarr").rglob("*") if p.is_file())
    assert found == expected
    assert sorted(os.listdir(tmp_path)) == ["a.zarr", "b.zarr"]
