"""What all tests share: a cache directory of their own, settings, a fresh interpreter."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import configuration

SCRATCH = Path(tempfile.mkdtemp(prefix="multiconv-tests-"))
os.environ["MULTICONV_CACHE_DIR"] = str(SCRATCH / "cache")
os.environ["KERAS_HOME"] = str(SCRATCH / "keras")
os.environ["KERAS_BACKEND"] = "torch"

configuration.set_hypothesis_home_dir(SCRATCH / "hypothesis")
hypothesis.settings.register_profile(
    "repeatable", deadline=None, derandomize=True, max_examples=60, print_blob=False,
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
hypothesis.settings.register_profile(
    "campaign", hypothesis.settings.get_profile("repeatable"), derandomize=False,
    max_examples=int(os.environ.get("EXAMPLES", "2000")),
)  # fmt: skip
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_sessionstart(session):
    """Have plans made for one machine, wherever and beside whatever tests run."""
    from multiconv import _core, _machine

    measure = _core.measure_machine

    def typical(target):
        lanes = measure(target)["lanes"]
        return {"flops32": 15e9 * lanes, "flops64": 7.5e9 * lanes, "mixed32": 15e9 * lanes,
                "bandwidth": 29e9, "bandwidth1": 23e9, "cache": 2**21, "wake": 1e-6,
                "lanes": lanes}  # fmt: skip

    _core.measure_machine = typical
    for target in _core.targets():
        _machine._machine(target)  # kept for processes that tests start, too
    _core.measure_machine = measure


def pytest_collection_modifyitems(config, items):
    if config.getoption("-m"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes or much memory: run -m slow"))


def pytest_unconfigure():
    shutil.rmtree(SCRATCH, ignore_errors=True)


@pytest.fixture(autouse=True)
def _seeded():
    """The same numbers from torch, too, in whichever order tests run."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(20260)


@pytest.fixture
def rng():
    return np.random.default_rng(20260)


@pytest.fixture
def layer(rng):
    """Draw a layer's data and its results' gradient, whole numbers; the kernel's shape, options."""
    import multiconv as mc

    def draw(shape, outputs, kernel, padding, dilation, groups, stride=1,
             data_format="channels_first", dtype=float):  # fmt: skip
        options = {"padding": [(p, p) for p in padding], "stride": stride, "dilation": dilation,
                   "groups": groups}  # fmt: skip
        w_shape = (outputs, shape[1] // groups, *kernel)
        x, w = mc.ShapeDtype(shape, dtype), mc.ShapeDtype(w_shape, dtype)
        sizes = mc.plan(mc.conv, x, w, **options).out_shape
        x, grad = (rng.integers(-8, 9, size).astype(dtype) for size in (shape, sizes))
        if data_format == "channels_last":
            x, grad = (np.ascontiguousarray(np.moveaxis(a, 1, -1)) for a in (x, grad))
            w_shape = (*kernel, shape[1] // groups, outputs)
        return x, grad, w_shape, options | {"data_format": data_format}

    return draw


@pytest.fixture
def python():
    """Run code in a fresh interpreter; returns what it did. Variables set to None are removed."""

    def run(code, timeout=120, **environment):
        kept = {k: v for k, v in {**os.environ, **environment}.items() if v is not None}
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code], env=kept, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def interrupt():
    """Send a program that says when it is ready a signal; it is to end without a traceback."""

    def run(code, number, status):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as running:  # fmt: skip
            assert running.stdout.readline() == "ready\n"
            running.send_signal(number)
            _, err = running.communicate(timeout=30)
        assert running.returncode == status
        assert "Traceback" not in err

    return run
