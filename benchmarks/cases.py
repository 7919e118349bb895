"""The cases that are timed, each with the calls that other libraries' users would make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.signal
import torch

import multiconv as mc

Contestants = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Case:
    """A signal or image ``x`` and a kernel, both random; ``mode`` as for `multiconv.convolve`."""

    name: str
    x: tuple[int, ...]
    h: tuple[int, ...]
    mode: str = "same"
    dtype: str = "float32"

    def contestants(self) -> tuple[Contestants, mc.Plan]:
        rng = np.random.default_rng(7)
        x, h = rng.random(self.x).astype(self.dtype), rng.random(self.h).astype(self.dtype)
        calls: Contestants = {
            "multiconv": lambda: mc.convolve(x, h, self.mode),
            "scipy fft": lambda: scipy.signal.oaconvolve(x, h, self.mode),
        }
        if x.ndim == 1:
            calls["numpy"] = lambda: np.convolve(x, h, self.mode)
        if self.mode == "same" and h.size < 2000:
            calls["ndimage"] = lambda: scipy.ndimage.convolve(x, h, mode="constant")
        return calls, mc.plan(mc.convolve, x, h, mode=self.mode)


@dataclass(frozen=True)
class Layer(Case):
    """A layer with ``x (N, C, *size)`` and kernel ``(O, C / groups, *size)``."""

    stride: int = 1
    padding: int = 0
    groups: int = 1

    def contestants(self) -> tuple[Contestants, mc.Plan]:
        torch.set_num_threads(mc.get_num_threads())
        rng = np.random.default_rng(7)
        x, w = rng.random(self.x).astype(self.dtype), rng.random(self.h).astype(self.dtype)
        geometry = {"stride": self.stride, "padding": self.padding, "groups": self.groups}
        plan = mc.plan(mc.conv, x, w, **geometry)
        tx, tw = torch.from_numpy(x), torch.from_numpy(w)
        call = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}[x.ndim - 2]
        last = {2: torch.channels_last, 3: torch.channels_last_3d}.get(x.ndim - 2)
        calls: Contestants = {
            "multiconv": lambda: plan(x),
            "torch": lambda: call(tx, tw, **geometry),
        }
        if last is not None:
            lx, lw = tx.to(memory_format=last), tw.to(memory_format=last)
            calls["torch channels last"] = lambda: call(lx, lw, **geometry)
        return calls, plan


CASES = [
    Case("tiny call, 5 by 3", (5,), (3,), "full", "float64"),
    Case("short signal, 100 by 11", (100,), (11,), "full", "float64"),
    Case("tiny image, 16x16 by 3x3", (16, 16), (3, 3)),
    Case("signal 10^6, 9 taps", (10**6,), (9,)),
    Case("signal 10^6, 101 taps", (10**6,), (101,)),
    Case("signal 10^6, 1001 taps", (10**6,), (1001,)),
    Case("image 2048^2, 3x3", (2048, 2048), (3, 3)),
    Case("image 2048^2, 7x7", (2048, 2048), (7, 7)),
    Case("image 2048^2, 31x31", (2048, 2048), (31, 31)),
    Case("volume 128^3, 3^3", (128, 128, 128), (3, 3, 3)),
    Case("volume 128^3, 9^3", (128, 128, 128), (9, 9, 9)),
    Layer("layer 3x3, 64->64, 56^2", (1, 64, 56, 56), (64, 64, 3, 3), padding=1),
    Layer("layer 3x3, 256->256, 56^2", (1, 256, 56, 56), (256, 256, 3, 3), padding=1),
    Layer("layer 1x1, 256->64, 56^2", (1, 256, 56, 56), (64, 256, 1, 1)),
    Layer("layer 7x7 stride 2, 3->64, 224^2", (1, 3, 224, 224), (64, 3, 7, 7), stride=2, padding=3),
    Layer("depthwise 3x3, 144 ch, 56^2", (1, 144, 56, 56), (144, 1, 3, 3), padding=1, groups=144),
    Layer("3-D 3^3, 32->32, 32^3", (1, 32, 32, 32, 32), (32, 32, 3, 3, 3), padding=1),
]
