"""The result on screen as a program for each library."""

from __future__ import annotations

import numpy as np

from multiconv._typing import Array
from multiconv.studio._room import Message

from . import _image_kernels
from ._image_pictures import LUMA, PHOTOS
from ._image_question import Question

DRAWN = {
    "checker": "y, x = np.indices((256, 320))\n"
               "image = (255 * ((y // 16 + x // 32) % 2)).astype(np.uint8)",
    "edges": "y, x = np.indices((256, 320))\n"
             "image = np.where(np.hypot(y - 128, x - 160) < 90, 230, x // 2).astype(np.uint8)",
    "impulse": "y, x = np.indices((49, 65))\n"
               "image = (255 * ((y == 24) & (x == 32))).astype(np.uint8)",
}  # fmt: skip

TORCH = {"constant": "constant", "edge": "replicate", "reflect": "reflect", "wrap": "circular"}
KERAS = {"constant": "constant", "reflect": "reflect"}
"""Without ``symmetric``, which Keras has on some backends; on torch it repeats the edge."""

SCIPY = {"constant": "constant", "edge": "nearest", "symmetric": "reflect", "reflect": "mirror",
         "wrap": "wrap"}  # fmt: skip


def programs(asked: Question, question: Message) -> dict[str, str]:
    """Programs by library, each of which ends in ``result``."""
    key = str(question.values["picture"])
    spelled = _image_kernels.spelled(question)
    writers = {"multiconv": _multiconv, "NumPy": _numpy, "SciPy": _scipy, "PyTorch": _torch,
               "Keras": _keras, "JAX": _jax}  # fmt: skip
    return {
        name: "\n\n".join([
            *_imports(key, name, _colour(asked)),
            _image(asked, key),
            f"kernel = {spelled if spelled and name == 'multiconv' else listed(asked.kernel)}",
            write(asked) + _shown(asked),
        ]) + "\n"
        for name, write in writers.items()
    }  # fmt: skip


def listed(kernel: Array) -> str:
    """A kernel as NumPy code; what comes apart into a column and a row as these."""
    if kernel.size > 49 and np.linalg.matrix_rank(kernel) == 1:
        y, x = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
        column, row = kernel[:, x], kernel[y] / kernel[y, x]
        return f"np.outer({_numbers(column)},\n                  {_numbers(row)})"
    lines = ",\n    ".join(_numbers(row) for row in kernel)
    return f"np.array([\n    {lines},\n])"


def _numbers(row: Array) -> str:
    return "[" + ", ".join(f"{value:.9g}" for value in row.tolist()) + "]"


def _imports(key: str, library: str, colour: bool) -> list[str]:
    own = {"multiconv": "import multiconv as mc", "SciPy": "from scipy import ndimage",
           "PyTorch": "import torch\nimport torch.nn.functional as F", "Keras": "import keras",
           "JAX": "import jax\nimport jax.numpy as jnp", "NumPy": ""}[library]  # fmt: skip
    source = "from skimage import data" if key in PHOTOS else ""
    source = "from PIL import Image" if key.startswith("own-") else source
    return ["\n".join(line for line in ("import numpy as np", own, source) if line)]


def _colour(asked: Question) -> bool:
    return asked.x.ndim == 3


def _image(asked: Question, key: str) -> str:
    if key in DRAWN:
        return DRAWN[key]
    image = f"data.{key}()"
    if key.startswith("own-"):
        mode = "RGB" if asked.picture.pixels.ndim == 3 else "L"
        image = f'np.asarray(Image.open("picture.png").convert("{mode}"))'
    if asked.picture.pixels.ndim == 3 and not _colour(asked):
        return f"image = np.rint({image} @ {list(LUMA)}).astype(np.uint8)"
    return f"image = {image}"


def _shown(asked: Question) -> str:
    if asked.view == "signed":
        return ""
    return "\nresult = np.clip(np.rint(result), 0, 255).astype(np.uint8)"


def _multiconv(asked: Question) -> str:
    kernel, axes = ("kernel[..., None]", ", axes=(0, 1)") if _colour(asked) else ("kernel", "")
    more = f'"same"{axes}, boundary="{asked.boundary}"'
    return f"result = mc.{asked.operation}(image, {kernel}, {more})"


def _scipy(asked: Question) -> str:
    kernel = "kernel[..., None]" if _colour(asked) else "kernel"
    word = SCIPY[asked.boundary]
    return f'result = ndimage.{asked.operation}(image.astype(float), {kernel}, mode="{word}")'


def _numpy(asked: Question) -> str:
    return (
        f"{_padded(asked)}"
        "windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape, (0, 1))\n"
        f'result = np.einsum("yx...ij,ij->yx...", windows, {_laid(asked)})'
    )


def _torch(asked: Question) -> str:
    (down, across), word = asked.reach, TORCH.get(asked.boundary)
    planes = "np.moveaxis(image, -1, 0)[:, None]" if _colour(asked) else "image[None, None]"
    back = "[:, 0].permute(1, 2, 0)" if _colour(asked) else "[0, 0]"
    weight = f"torch.tensor({_laid(asked, copied=True)}).double()[None, None]"
    if word is None:
        start = _padded(asked, f"PyTorch has no mode for {asked.boundary!r}, NumPy pads.")
        lines = f"x = torch.tensor({planes.replace('image', 'padded')}).double()\n"
    else:
        start = ""
        lines = (
            f"x = torch.tensor({planes}).double()\n"
            f'x = F.pad(x, ({across}, {across}, {down}, {down}), mode="{word}")\n'
        )
    return f"{start}{lines}result = F.conv2d(x, {weight}){back}.numpy()"


def _keras(asked: Question) -> str:
    (down, across), word = asked.reach, KERAS.get(asked.boundary)
    planes = "np.moveaxis(image, -1, 0)[..., None]" if _colour(asked) else "image[None, ..., None]"
    back = "np.moveaxis(result[..., 0], 0, -1)" if _colour(asked) else "result[0, ..., 0]"
    if word is None:
        start = _padded(asked, f"Not every backend of Keras has {asked.boundary!r}, NumPy pads.")
        x = f'x = keras.ops.convert_to_tensor({planes.replace("image", "padded")}, "float32")\n'
    else:
        start = ""
        widths = f"[(0, 0), ({down}, {down}), ({across}, {across}), (0, 0)]"
        x = (
            f'x = keras.ops.convert_to_tensor({planes}, "float32")\n'
            f'x = keras.ops.pad(x, {widths}, mode="{word}")\n'
        )
    weight = f'{_laid(asked)}[..., None, None].astype("float32")'
    return (
        f"{start}{x}"
        f"result = keras.ops.convert_to_numpy(keras.ops.conv(x, {weight}, padding=\"valid\"))\n"
        f"result = {back}"
    )  # fmt: skip


def _jax(asked: Question) -> str:
    planes = "jnp.moveaxis(padded, -1, 0)[:, None]" if _colour(asked) else "padded[None, None]"
    back = "np.moveaxis(np.asarray(result[:, 0]), 0, -1)"
    back = back if _colour(asked) else "np.asarray(result[0, 0])"
    return (
        f"{_padded(asked, library='jnp')}"
        f"result = jax.lax.conv({planes}.astype(jnp.float32), "
        f"jnp.asarray({_laid(asked)}[None, None], jnp.float32), (1, 1), \"VALID\")\n"
        f"result = {back}"
    )  # fmt: skip


def _padded(asked: Question, why: str = "", library: str = "np") -> str:
    down, across = asked.reach
    widths = [(down, down), (across, across), *([(0, 0)] if _colour(asked) else [])]
    comment = f"# {why}\n" if why else ""
    return f'{comment}padded = {library}.pad(image, {widths}, mode="{asked.boundary}")\n'


def _laid(asked: Question, copied: bool = False) -> str:
    """The kernel as a sliding product wants it."""
    if asked.operation == "correlate":
        return "kernel"
    return "kernel[::-1, ::-1].copy()" if copied else "kernel[::-1, ::-1]"
