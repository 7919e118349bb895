"""Runs one command over and over, killed at random moments.

    python kills.py SEED KILLS SUFFIX FOLDER

The runs are forks of this process, so that none spends its time on imports. Prints how many were
killed before they had ended.
"""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from multiconv.cli import _budget, main
from multiconv.outofcore import _grid


def content(path):
    """The bytes of a file, or of all files of a folder."""
    if path.is_file():
        return path.read_bytes()
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def started(source, target):
    """A fork that runs the command."""
    process = os.fork()
    if process:
        return process
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    status = 1
    try:
        status = main(["apply", "gaussian:sigma=1,ndim=2 | [[1,2,0]]", str(source), str(target)])
    finally:
        os._exit(status)


def finish(source, target):
    """Run the command to its end; returns how long it took."""
    start = time.perf_counter()
    _, status = os.waitpid(started(source, target), 0)
    assert status == 0, status
    return time.perf_counter() - start


def run(seed, kills, suffix, folder):
    """Kill as often as said, and compare what is there each time and at the end."""
    moments = random.Random(seed)
    source, target = folder / f"source{suffix}", folder / f"target{suffix}"
    finish(source, folder / f"whole{suffix}")
    seconds = finish(source, target)
    expected = content(target)
    assert expected == content(folder / f"whole{suffix}")
    killed = 0
    while killed < kills:
        process = started(source, target)
        time.sleep(moments.uniform(0, 1.2 * seconds))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        killed += os.WIFSIGNALED(status)
        assert content(target) == expected
        if not os.WIFSIGNALED(status):  # it was done: begin anew, without an older result
            shutil.rmtree(target, ignore_errors=True)
            target.unlink(missing_ok=True)
            process = started(source, target)
            time.sleep(moments.uniform(0, seconds))
            os.kill(process, signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(process, 0)[1])
            assert not target.exists() or content(target) == expected
            finish(source, target)
            assert content(target) == expected
    finish(source, target)
    assert content(target) == expected
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        p.name for p in (source, target, folder / f"whole{suffix}")
    )
    print(killed)


if __name__ == "__main__":
    _budget.whole_bytes = lambda data: 2**62
    _grid.LARGEST = 4000
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
