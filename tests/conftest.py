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


def pytest_collection_modifyitems(config, items):
    if config.getoption("-m"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes or much memory: run -m slow"))


def pytest_unconfigure():
    shutil.rmtree(SCRATCH, ignore_errors=True)


@pytest.fixture
def rng():
    return np.random.default_rng(20260)


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
