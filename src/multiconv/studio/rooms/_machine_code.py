"""The problem of the page as a program, for several libraries."""

from __future__ import annotations

from collections.abc import Callable

from ._activation_code import JAX, KERAS, NUMPY, TORCH, activated
from ._machine_problem import Asked

MODES = {"constant": "zeros", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric",
         "wrap": "wrap"}  # fmt: skip


def programs(asked: Asked) -> dict[str, str]:
    """A program for each library; ``result`` is ``(batch, filters, *size)`` in all of them.

    Raises
    ------
    ValueError
        For what these libraries' functions do not spell alike.
    """
    p = asked.problem
    odd = [*(["zeros between samples"] if max(p.in_dilation) > 1 else []),
           *(["a value outside"] if p.cval != 0 else []),
           *(["a scale or a residual"] if p.scale or p.residual else []),
           *([p.activation] if p.activation and p.activation not in NUMPY else []),
           *(["different dtypes"] if len({p.x_dtype, p.w_dtype, p.out_dtype}) > 1 else []),
           *(["one boundary an axis"] if len(set(p.boundary)) > 1 else [])]  # fmt: skip
    if odd:
        raise ValueError(f"code: not every library spells a problem with {', '.join(odd)}")
    makers: dict[str, Callable[[Asked], str]] = {"multiconv": _multiconv, "SciPy": _scipy}
    if p.x_dtype.kind == "f":
        # Integers and complex numbers are not what the others' layers take.
        makers |= {"PyTorch": _torch, "Keras": _keras, "JAX": _jax}
    return {name: make(asked) for name, make in makers.items()}


def _data(asked: Asked) -> str:
    p = asked.problem
    shape = (p.batch, p.in_channels, *p.in_size)
    numbers = "integers(0, 4, {})" if p.x_dtype.kind in "iu" else "standard_normal({})"
    x = f"rng.{numbers.format(shape)}.astype({p.x_dtype.name!r})\n"
    bias = f"rng.{numbers.format(p.out_channels)}.astype({p.acc_dtype.name!r})\n"
    more = f"bias = {bias}" if p.bias else ""
    return f"rng = np.random.default_rng(0)\nx = {x}{more}{_kernel(asked)}"


def _finished(asked: Asked, words: dict[str, str], bias: str) -> str:
    """The lines that make the result of the sums."""
    added = f"result = {bias}\n" if asked.problem.bias else ""
    return added + activated(words, asked.problem.activation)


def _added(asked: Asked) -> str:
    return f"result + bias[:{', None' * asked.problem.rank}]"


def _kernel(asked: Asked) -> str:
    p = asked.problem
    shape, name = (p.out_channels, p.group_in, *p.kernel), repr(p.w_dtype.name)
    whole = p.w_dtype.kind in "iu"
    if asked.kernel == "random":
        numbers = f"integers(0, 4, {shape})" if whole else f"standard_normal({shape})"
        return f"w = np.random.default_rng(1).{numbers}.astype({name})\n"
    if asked.kernel == "box":
        return f"w = np.ones({shape}, {name})\n"
    scaled = "np.rint(4 * line)" if whole else "line / line.sum()"
    return f"""

def bell(n):
    line = np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / max(n / 6, 0.5)) ** 2)
    return {scaled}


w = np.ones({p.kernel})
for axis, n in enumerate(w.shape):
    w = w * bell(n).reshape([-1 if a == axis else 1 for a in range(w.ndim)])
w = np.broadcast_to(w, {shape}).astype({name})
"""


def _multiconv(asked: Asked) -> str:
    p = asked.problem
    words = {
        "stride": p.stride if max(p.stride) > 1 else None,
        "padding": p.padding if any(map(any, p.padding)) else None,
        "dilation": p.dilation if max(p.dilation) > 1 else None,
        "groups": p.groups if p.groups > 1 else None,
        "padding_mode": MODES[p.boundary[0]] if p.boundary[0] != "constant" else None,
        "flip": p.flip or None,
        "activation": p.activation,
        "precision": p.precision if p.precision != "default" else None,
    }
    options = "".join(f", {n}={v!r}" for n, v in words.items() if v is not None)
    return f"""\
import multiconv as mc
import numpy as np

{_data(asked)}
plan = mc.plan(mc.conv, x, w{", bias" if p.bias else ""}{options})
print(plan.explain())
result = plan(x)
"""


def _plain(asked: Asked) -> str:
    """Data padded and the kernel flipped, so that what is left is a plain layer."""
    p = asked.problem
    lines = _data(asked)
    if any(map(any, p.padding)):
        lines += f"x = np.pad(x, {[(0, 0), (0, 0), *p.padding]}, {p.boundary[0]!r})\n"
    if p.flip:
        lines += f"w = w[:, :{', ::-1' * p.rank}].copy()\n"
    return lines


def _scipy(asked: Asked) -> str:
    p = asked.problem
    window = [(k - 1) * d + 1 for k, d in zip(p.kernel, p.dilation, strict=True)]
    spread, every = (", ".join(f"::{n}" for n in steps) for steps in (p.dilation, p.stride))
    return f"""\
import numpy as np
from scipy.signal import correlate

{_plain(asked)}
wide = np.zeros({(p.out_channels, p.group_in, *window)}, w.dtype)
wide[:, :, {spread}] = w


def filtered(image, o):
    first = o // {p.group_out} * {p.group_in}
    return sum(correlate(image[first + c], wide[o, c], "valid") for c in range({p.group_in}))


result = np.stack([[filtered(image, o) for o in range({p.out_channels})] for image in x])
result = result[:, :, {every}]
{_finished(asked, NUMPY, _added(asked))}"""


def _torch(asked: Asked) -> str:
    p = asked.problem
    return f"""\
import numpy as np
import torch

{_plain(asked)}
result = torch.nn.functional.conv{p.rank}d(
    torch.from_numpy(x), torch.from_numpy(w), stride={p.stride}, dilation={p.dilation},
    groups={p.groups},{" bias=torch.from_numpy(bias)," if p.bias else ""}
)
{activated(TORCH, p.activation)}result = result.numpy()
"""


def _keras(asked: Asked) -> str:
    p = asked.problem
    both = max(p.stride) > 1 and max(p.dilation) > 1
    every = ", ".join(f"::{n}" for n in p.stride)
    thinned = f"# Keras allows no stride next to a dilation.\nresult = result[:, {every}]\n"
    return f"""\
import keras
import numpy as np

{_plain(asked)}
x = np.moveaxis(x, 1, -1)  # channels last
w = np.moveaxis(w, (0, 1), (-1, -2))
result = keras.ops.conv(
    x, w, strides={(1,) * p.rank if both else p.stride}, dilation_rate={p.dilation},
    padding="valid", data_format="channels_last",
)
{thinned if both else ""}{_finished(asked, KERAS, "keras.ops.add(result, bias)")}\
result = np.moveaxis(keras.ops.convert_to_numpy(result), -1, 1)
"""


def _jax(asked: Asked) -> str:
    p = asked.problem
    return f"""\
import jax
import numpy as np

{_plain(asked)}
result = jax.lax.conv_general_dilated(
    x, w, {p.stride}, "VALID", rhs_dilation={p.dilation}, feature_group_count={p.groups},
)
{_finished(asked, JAX, _added(asked))}result = np.asarray(result)
"""
