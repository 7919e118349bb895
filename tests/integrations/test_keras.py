"""Keras' layers on the engine, once for each backend: Keras reads its backend once a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("keras_cases.py")
ROOT = Path(__file__).parents[2]
QUICK = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}  # the cases are many and small


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_every_case(backend, capsys):
    pytest.importorskip("jax")  # Keras' NumPy backend needs it too
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "--noconftest", "-q", "-p", "no:cacheprovider",
         str(CASES)],
        env={**os.environ, **QUICK, "KERAS_BACKEND": backend}, cwd=ROOT, capture_output=True,
        text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with capsys.disabled():
        print(f" {backend}: {done.stdout.strip().splitlines()[-1]}")


# What Keras itself warns of: its variables under NumPy 2, and how the tutorial gives a shape.
PREAMBLE = """
import warnings
warnings.filterwarnings("ignore", message="__array__ implementation")
warnings.filterwarnings("ignore", message="Do not pass an `input_shape`")
"""

TUTORIAL = """
import numpy as np
x = np.ones((2, 5, 5, 5, 3))

from keras.models import Sequential
from multiconv.keras import Conv3D
model = Sequential()
model.add(Conv3D(filters=64, kernel_size=(3,3,3), input_shape=(5,5,5,3)))
print(model.predict(x).shape)
"""


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_the_program_of_the_tutorial(python, backend):
    pytest.importorskip("jax" if backend == "numpy" else backend)
    done = python(PREAMBLE + TUTORIAL, KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("(2, 3, 3, 3, 64)\n")


OTHER_BACKEND = """
import keras, multiconv.keras, numpy as np

def model(layers):
    return keras.Sequential([layers.Conv2D(4, 3, activation="relu"),
                             layers.Conv2DTranspose(3, 2, strides=2),
                             layers.SeparableConv2D(2, 3)])

x = np.random.default_rng(0).standard_normal((2, 7, 8, 3)).astype("float32")
ours, theirs = model(multiconv.keras), model(keras.layers)
ours.build(x.shape)
theirs.build(x.shape)
theirs.set_weights(ours.get_weights())
np.testing.assert_array_equal(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
"""


def test_other_backends_keep_keras_own_operators(python):
    pytest.importorskip("openvino")
    done = python(PREAMBLE + OTHER_BACKEND, KERAS_BACKEND="openvino")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("code", "message"), [
    ("import sys; sys.modules['keras'] = None; import multiconv.keras", "needs Keras 3"),
    ("import sys, types; sys.modules['keras'] = types.ModuleType('keras'); "
     "sys.modules['keras'].__version__ = '2.15.0'; import multiconv.keras", "not 2.15.0"),
])  # fmt: skip
def test_says_what_to_install(python, code, message):
    done = python(code)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "MissingExtraError" in last
    assert message in last
    assert "pip install 'multiconv[keras]'" in last


def test_nothing_else_imports_keras(python):
    done = python("import sys, multiconv, multiconv.cli; print('keras' in sys.modules)")
    assert done.stdout == "False\n", done.stderr
