"""A layer as a program, for several libraries."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from multiconv._typing import Array

from ._activation_code import JAX, KERAS, NUMPY, TORCH, activated
from ._channels_layer import Layer


def programs(layer: Layer) -> dict[str, str]:
    """A program for each library; ``result`` is ``(filters, *size)`` in all of them."""
    makers: dict[str, Callable[[Layer], str]] = {
        "multiconv": _multiconv, "SciPy": _scipy, "PyTorch": _torch, "Keras": _keras, "JAX": _jax,
    }  # fmt: skip
    return {name: make(layer) for name, make in makers.items()}


def _multiconv(layer: Layer) -> str:
    options = {**_changed(layer), "activation": layer.activation}
    words = [f", {n}={v!r}" for n, v in options.items() if v is not None]
    head = "import multiconv as mc\nimport numpy as np\n"
    return f"{head}\n{_data(layer, 'float')}\nresult = mc.conv(x, w, bias{''.join(words)})\n"


def _scipy(layer: Layer) -> str:
    rank, (filters, seen) = layer.x.ndim - 1, layer.w.shape[:2]
    spread = ", ".join([f"::{layer.dilation}"] * rank)
    window = [(n - 1) * layer.dilation + 1 for n in layer.w.shape[2:]]
    every = ", ".join([f"::{layer.stride}"] * rank)
    around = [(0, 0)] + [(layer.padding,) * 2] * rank
    return f"""\
import numpy as np
from scipy.signal import correlate

{_data(layer, "float")}
padded = np.pad(x, {around})
wide = np.zeros({(filters, seen, *window)})
wide[:, :, {spread}] = w


def filtered(o):
    first = o // {filters // layer.groups} * {seen}
    images = [correlate(padded[first + c], wide[o, c], "valid") for c in range({seen})]
    return sum(images)[{every}] + bias[o]


result = np.stack([filtered(o) for o in range({filters})])
{activated(NUMPY, layer.activation)}"""


def _torch(layer: Layer) -> str:
    words = "".join(f", {n}={v}" for n, v in _changed(layer).items())
    return f"""\
import numpy as np
import torch

{_data(layer, "np.float32")}
x, w, bias = map(torch.from_numpy, (x, w, bias))
result = torch.nn.functional.conv{layer.x.ndim - 1}d(x[None], w, bias{words})[0]
{activated(TORCH, layer.activation)}result = result.numpy()
"""


def _keras(layer: Layer) -> str:
    rank = layer.x.ndim - 1
    both = layer.stride > 1 and layer.dilation > 1
    every = ", ".join([f"::{layer.stride}"] * rank)
    thinned = f"# Keras allows no stride next to a dilation.\nresult = result[:, {every}]\n"
    pad = [(0, 0)] + [(layer.padding,) * 2] * rank
    return f"""\
import keras
import numpy as np

{_data(layer, "np.float32")}
x = np.moveaxis(np.pad(x, {pad}), 0, -1)  # channels last
w = np.moveaxis(w, (0, 1), (-1, -2))
result = keras.ops.conv(
    x[None], w, strides={1 if both else layer.stride}, dilation_rate={layer.dilation},
    padding="valid", data_format="channels_last",
)
result = keras.ops.add(result, bias)
{thinned if both else ""}{activated(KERAS, layer.activation)}\
result = np.moveaxis(keras.ops.convert_to_numpy(result)[0], -1, 0)
"""


def _jax(layer: Layer) -> str:
    rank = layer.x.ndim - 1
    axes = ", ".join([":", *["None"] * rank])
    return f"""\
import jax
import numpy as np

{_data(layer, "np.float32")}
result = jax.lax.conv_general_dilated(
    x[None], w, {(layer.stride,) * rank}, {[(layer.padding,) * 2] * rank},
    rhs_dilation={(layer.dilation,) * rank}, feature_group_count={layer.groups},
)[0] + bias[{axes}]
{activated(JAX, layer.activation)}result = np.asarray(result)
"""


def _changed(layer: Layer) -> dict[str, int]:
    """The options that are not the usual ones."""
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    return {name: value for name, n in usual.items() if (value := getattr(layer, name)) != n}


def _data(layer: Layer, dtype: str) -> str:
    arrays = (("x", layer.x), ("w", layer.w), ("bias", layer.bias))
    return "".join(_array(name, array, dtype) for name, array in arrays)


def _array(name: str, array: Array, dtype: str) -> str:
    start = f"{name} = np.array("
    text = np.array2string(
        array, separator=", ", prefix=start, max_line_width=96, threshold=sys.maxsize,
        formatter={"float_kind": _exact},
    )  # fmt: skip
    return f"{start}{text}, {dtype})\n"


def _exact(value: np.floating[Any]) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
