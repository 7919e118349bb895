"""The sum as a program for each library."""

from __future__ import annotations

from typing import Any

from multiconv._geometry import mode_padding


def programs(f: list[Any], g: list[Any], mode: str, correlate: bool) -> dict[str, str]:
    """Programs that end in ``result``, by library."""
    name = "correlate" if correlate else "convolve"
    lists = f"f = {f}\ng = {g}\n"
    return {
        "multiconv": f"import multiconv as mc\n\n{lists}result = mc.{name}(f, g, {mode!r})\n",
        "SciPy": f"from scipy import signal\n\n{lists}result = signal.{name}(f, g, {mode!r})\n",
        "PyTorch": _torch(lists, correlate) + _counted(len(f), len(g), mode),
        "Keras": _keras(lists, correlate) + _counted(len(f), len(g), mode),
        "JAX": f"import jax.numpy as jnp\n\n{lists}"
        f"full = jnp.{name}(jnp.array(f), jnp.array(g), 'full')\n" + _counted(len(f), len(g), mode),
    }


def _torch(lists: str, correlate: bool) -> str:
    kernel = "kernel" if correlate else "kernel.flip(-1)"
    return (
        f"import torch\n\n{lists}"
        "signal = torch.tensor([[f]], dtype=torch.float64)\n"
        "kernel = torch.tensor([[g]], dtype=torch.float64)\n"
        + _remark("conv1d", correlate)
        + f"full = torch.nn.functional.conv1d(signal, {kernel}, padding=len(g) - 1)[0, 0]\n"
    )


def _keras(lists: str, correlate: bool) -> str:
    kernel = "kernel" if correlate else "kernel[::-1]"
    return (
        f"import keras\nimport numpy as np\n\n{lists}"
        "signal = np.pad(np.array(f, 'float32'), len(g) - 1)[None, :, None]\n"
        "kernel = np.array(g, 'float32')[:, None, None]\n"
        + _remark("keras.ops.conv", correlate)
        + f"full = keras.ops.conv(signal, {kernel}.copy())[0, :, 0]\n"
    )


def _remark(function: str, correlate: bool) -> str:
    return "" if correlate else f"# {function} correlates: flipped, the kernel convolves.\n"


def _counted(f_size: int, g_size: int, mode: str) -> str:
    """The line that takes the positions of a mode out of all."""
    if mode == "full":
        return "result = full\n"
    low, high = mode_padding(mode, g_size)
    start, stop = g_size - 1 - low, f_size + high
    return f"result = full[{start}:{stop}]  # the positions that {mode!r} counts\n"
