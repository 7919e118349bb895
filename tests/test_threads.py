"""How many threads, and that it never shows in a result."""

import multiprocessing
import os
import threading

import numpy as np
import pytest

import multiconv as mc
from multiconv._geometry import out_size
from multiconv._planner import planner
from multiconv._registry import registered
from multiconv._traits import look
from multiconv.algorithms._base import Epilogue

COUNTS = (1, 2, 3, 7)
PROBLEMS = {
    "stencil": "mb1 in400x300 k5x7 p2:3 float32",
    "layer": "mb2 ic16 oc24 in40x50 k3x2 p1:1 float32 bias act=gelu",
    "block": "mb2 ic16 oc24 in40x50 k3x2 p1:1 float32 scale bias res act=silu",
    "depthwise": "mb2 ic24 oc24 g24 in60x50 k3x5 s2x1 float64 scale res",
    "large kernel": "mb3 in20000 k501 p250:250 b=reflect float32",
    "volume": "mb1 in40x50x60 k5x4x6 p2:2 complex64",
    "integers": "mb1 ic3 oc5 in200x100 k4x5 int16",
}


@pytest.fixture(autouse=True)
def keep_the_setting():
    before = mc.get_num_threads()
    yield
    mc.set_num_threads(before)


def data(problem, rng):
    def draw(shape, dtype):
        values = rng.standard_normal(shape) * 10
        return (values + 1j * values[::-1] if dtype.kind == "c" else values).astype(dtype)

    x = draw((problem.batch, problem.groups, problem.group_in, *problem.in_size), problem.x_dtype)
    lead = (problem.groups, problem.group_out, problem.group_in)
    w = draw((*lead, *problem.kernel), problem.w_dtype)
    per_channel = (problem.out_channels,)
    return (
        x,
        w,
        Epilogue(
            draw(per_channel, problem.acc_dtype) if problem.bias else None,
            draw(per_channel, problem.acc_dtype) if problem.scale else None,
            draw(out_shape(problem), problem.out_dtype) if problem.residual else None,
        ),
    )


def out_shape(problem):
    return (problem.batch, problem.groups, problem.group_out, *out_size(problem))


@pytest.mark.parametrize("text", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("rank_one", [False, True])
def test_any_number_of_threads_gives_the_same_bits(text, rank_one, rng):
    problem = mc.Problem.parse(text)
    x, w, epilogue = data(problem, rng)
    if rank_one:
        w[...] = np.arange(1, w.shape[-1] + 1)
    traits = look(w, problem.rank)
    able = [a for a in registered().values() if a.accepts(problem, traits) is None]
    assert len(able) >= 2
    for algorithm in able:
        results = set()
        for count in COUNTS:
            with mc.num_threads(count):
                out = np.empty(out_shape(problem), problem.out_dtype)
                algorithm.run(algorithm.prepare(problem, w, traits, planner), x, epilogue, out)
                results.add(out.tobytes())
        assert len(results) == 1, algorithm.name


def test_the_choice_does_not_depend_on_the_number_of_threads():
    found = []
    for count in COUNTS:
        planner.forget()
        with mc.num_threads(count):
            shapes = [mc.ShapeDtype(s, "float32") for s in ((1, 8, 90, 80), (8, 8, 3, 3))]
            found.append(mc.plan(mc.conv, *shapes).algorithm)
    assert len(set(found)) == 1


def test_setting_and_restoring():
    mc.set_num_threads(3)
    assert mc.get_num_threads() == 3
    with mc.num_threads(2), mc.num_threads(5):
        assert mc.get_num_threads() == 5
    assert mc.get_num_threads() == 3
    with pytest.raises(RuntimeError), mc.num_threads(1):
        raise RuntimeError
    assert mc.get_num_threads() == 3


@pytest.mark.parametrize("n", [0, -1, 1025, 2**40])
def test_numbers_out_of_range(n):
    with pytest.raises(ValueError, match=f"n: {n} .* 1 to 1024"):
        mc.set_num_threads(n)


@pytest.mark.parametrize("n", [1.5, "2", None])
def test_no_numbers(n):
    with pytest.raises(TypeError, match=r"n: .* 1 to 1024"):
        mc.set_num_threads(n)


@pytest.mark.parametrize(("value", "count"), [("3", 3), ("1", 1)])
def test_the_environment_sets_the_number(python, value, count):
    code = "import multiconv; print(multiconv.get_num_threads())"
    assert int(python(code, MULTICONV_NUM_THREADS=value).stdout) == count


@pytest.mark.parametrize("value", ["", "zero", "-3", "0", "99999999999999999999", "2.5"])
def test_nonsense_in_the_environment_is_ignored(python, value):
    code = "import multiconv; print(multiconv.get_num_threads())"
    done = python(code, MULTICONV_NUM_THREADS=value)
    assert int(done.stdout) == int(python(code, MULTICONV_NUM_THREADS=None).stdout)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_affinity_limits_the_number(python):
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "import multiconv; print(multiconv.get_num_threads())"
    )
    assert int(python(code, MULTICONV_NUM_THREADS=None).stdout) == 1


def work(seed):
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, 8, 60, 50)), rng.standard_normal((12, 8, 3, 3))
    return mc.conv(x, w, padding=1)


def all_at_once(count, rounds=6):
    """Many Python threads convolve different things; returns what went wrong."""
    expected = [work(seed) for seed in range(count)]
    wrong = []

    def hammer(seed):
        for _ in range(rounds):
            if not np.array_equal(work(seed), expected[seed]):
                wrong.append(seed)

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
        assert not t.is_alive()
    return wrong


def test_many_threads_at_once():
    assert all_at_once(12) == []


def test_one_plan_shared_by_many_threads(rng):
    w = rng.standard_normal((12, 8, 3, 3))
    plan = mc.plan(mc.conv, mc.ShapeDtype((2, 8, 60, 50)), w, padding=1)
    inputs = [rng.standard_normal((2, 8, 60, 50)) for _ in range(8)]
    expected = [plan(x) for x in inputs]
    got = [None] * len(inputs)

    def run(i):
        for _ in range(5):
            got[i] = plan(inputs[i])

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(inputs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_number_may_change_while_others_work():
    stop = threading.Event()

    def change():
        while not stop.is_set():
            for n in COUNTS:
                mc.set_num_threads(n)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        assert all_at_once(4) == []
    finally:
        stop.set()
        changer.join()


def in_child(function):
    """Run a function after fork; returns whether it came back in time, and true."""
    pid = os.fork()
    if pid == 0:
        ok = 1
        try:
            ok = 0 if function() else 1
        finally:
            os._exit(ok)
    for _ in range(600):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        threading.Event().wait(0.05)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return False


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
forks_with_threads = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@needs_fork
@forks_with_threads
def test_a_forked_child_computes_the_same():
    mc.set_num_threads(4)
    expected = work(1)
    assert in_child(lambda: np.array_equal(work(1), expected) and mc.get_num_threads() == 4)
    assert in_child(lambda: in_child(lambda: np.array_equal(work(1), expected)))
    np.testing.assert_array_equal(work(1), expected)


@needs_fork
@forks_with_threads
def test_forking_while_other_threads_work_and_plan():
    mc.set_num_threads(3)
    expected, stop = work(1), threading.Event()

    def keep_busy(seed):
        n = 0
        while not stop.is_set():
            work(seed)
            n += 1
            mc.convolve(np.ones(40 + (n * 7 + seed) % 5000), np.ones(3))

    threads = [threading.Thread(target=keep_busy, args=(seed,)) for seed in range(3)]
    for t in threads:
        t.start()
    try:
        for n in range(25):
            new = np.ones(6000 + n)
            assert in_child(
                lambda new=new: (
                    np.array_equal(work(1), expected)
                    and mc.convolve(new, np.ones(3)).size == new.size + 2
                )
            )
    finally:
        stop.set()
        for t in threads:
            t.join()


@needs_fork
@forks_with_threads
def test_a_pool_of_forked_processes():
    expected = [work(seed) for seed in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        got = pool.map(work, range(4))
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_interpreters_end_while_threads_sleep_or_work(python):
    code = """
import threading, numpy as np, multiconv as mc
mc.set_num_threads(8)
x, h = np.ones((900, 900)), np.ones((5, 5))
mc.convolve(x, h)
def forever():
    while True:
        mc.convolve(x, h)
threading.Thread(target=forever, daemon=True).start()
mc.convolve(x, h)
print("end")
"""
    done = python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
