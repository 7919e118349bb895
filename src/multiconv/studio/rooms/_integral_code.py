"""The integral, or the sum in its place, as a program for each library."""

from __future__ import annotations

from multiconv.studio.rooms._integral_functions import Curve

FINE_STEP = 200
"""Samples a unit where a library has no integrals."""


def programs(f: Curve, g: Curve, t: float, count: int, rule: str) -> dict[str, str]:
    """Programs that end in ``result``, by library: a number for count 0, else the sums."""
    functions = _function("f", f) + _function("g", g)
    if count:
        whole = {
            "multiconv": _multiconv_sums(f, g, count, rule),
            "NumPy": _samples(f, g, count, rule) + "result = step * np.convolve(a, b)\n",
        }
        ending, note = "result = sums\n", ""
    else:
        whole = {"multiconv": _multiconv_integral(f, g, t), "SciPy": _scipy_integral(f, g, t)}
        ending = f"result = sums[{_index(f, g, t)}]  # the sum at t = {t:g}\n"
        note = f"# No integral here; a sum with a step of 1/{FINE_STEP} comes close.\n"
    samples = note + _samples(f, g, count or FINE_STEP, rule if count else "midpoint")
    listed = {library: (PREAMBLES[library], body) for library, body in whole.items()} | {
        library: (PREAMBLES[library], samples + body + ending) for library, body in SUMS.items()
    }
    return {library: f"{top}\n{functions}{body}" for library, (top, body) in listed.items()}


PREAMBLES = {
    "multiconv": "import numpy as np\n\nimport multiconv as mc\n",
    "NumPy": "import numpy as np\n",
    "SciPy": "import numpy as np\nfrom scipy.integrate import quad\n",
    "PyTorch": "import numpy as np\nimport torch\n",
    "Keras": "import keras\nimport numpy as np\n",
    "JAX": "import jax.numpy as jnp\nimport numpy as np\n",
}

SUMS = {
    "PyTorch": "signal = torch.from_numpy(a)[None, None]\n"
    "kernel = torch.from_numpy(b).flip(0)[None, None]  # conv1d does not flip\n"
    "sums = step * torch.nn.functional.conv1d(signal, kernel, padding=len(b) - 1)[0, 0]\n",
    "Keras": "signal = np.pad(a, len(b) - 1)[None, :, None].astype('float32')\n"
    "kernel = b[::-1, None, None].astype('float32')  # keras.ops.conv does not flip\n"
    "sums = step * keras.ops.conv(signal, kernel)[0, :, 0]\n",
    "JAX": "sums = step * jnp.convolve(a, b)\n",
}


def _function(name: str, curve: Curve) -> str:
    return f"{curve.constants}\ndef {name}(t):\n    return {curve.text}\n\n"


def _multiconv_integral(f: Curve, g: Curve, t: float) -> str:
    kinks = "".join(
        f"    breakpoints_{name}={list(h.breakpoints)},\n"
        for name, h in (("f", f), ("g", g)) if h.breakpoints
    )  # fmt: skip
    return (
        "convolution = mc.continuous.convolve(\n"
        f"    f, g, support_f={f.support}, support_g={g.support},\n{kinks})\n"
        f"result = convolution({t:g})\n"
    )


def _multiconv_sums(f: Curve, g: Curve, count: int, rule: str) -> str:
    return (
        "grid, result = mc.continuous.discrete(\n"
        f"    f, g, {f.support}, {g.support}, step=1 / {count}, rule={rule!r}\n)\n"
    )


def _scipy_integral(f: Curve, g: Curve, t: float) -> str:
    low, high = max(f.low, t - g.high), min(f.high, t - g.low)
    if low >= high:
        return f"result = 0.0  # at t = {t:g} nothing overlaps\n"
    kinks = sorted({*f.breakpoints, *(round(t - b, 9) for b in g.breakpoints)})
    points = [k for k in kinks if low < k < high]
    given = f", points={points}, limit={50 + 2 * len(points)}" if points else ""
    return (
        f"t = {t:g}\nresult = quad(lambda tau: f(tau) * g(t - tau), {low:g}, {high:g}{given})[0]\n"
    )


def _samples(f: Curve, g: Curve, count: int, rule: str) -> str:
    offset = "" if rule == "left" else " + 0.5"
    return f"step = 1 / {count}\n" + "".join(
        f"{letter} = {name}({h.low} + step * (np.arange({(h.high - h.low) * count}){offset}))\n"
        for letter, name, h in (("a", "f", f), ("b", "g", g))
    )


def _index(f: Curve, g: Curve, t: float) -> int:
    """Where the fine sums, at midpoints, hold their value for t."""
    count = (f.high - f.low + g.high - g.low) * FINE_STEP - 1
    return min(max(round((t - f.low - g.low) * FINE_STEP) - 1, 0), count - 1)
