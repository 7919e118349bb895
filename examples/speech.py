"""
Spoken digits
=============

Which digit is said by a voice never heard before. One-dimensional convolution on raw sound.
espeak-ng speaks in 48 voices, five accents, many speeds and pitches; a quarter of the voices is
held out.
"""

# %%
# .. image:: /images/speech-light.png
#    :alt: Spoken digits: loss, accuracy, confusion, the first layer's kernels and feature maps

# sphinx_gallery_thumbnail_path = "images/speech-light.png"

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional

import _panels as panels
import _voices as voices
import multiconv as mc
from _command import Options, options
from _page import Sheet, sheet
from _report import report
from _training import Data, Learner, Recipe, learn

GOAL = 95.0
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
LENGTH, RATE = 10_240, 11_025
"""Of a sound in samples, and of those in a second."""
BANDS, TAPS, HOP = 40, 256, 128
"""Of the first layer: pairs of kernels, their size and their stride."""
LOW_PASS = (np.sinc((np.arange(31) - 15) / 2.2) * np.hanning(33)[1:-1] / 2.2).astype(np.float32)


def sounds(speakers: list[str], takes: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Every word so often by every speaker, at half of espeak-ng's rate and at one loudness."""
    labels = np.tile(np.arange(len(WORDS)), len(speakers) * takes)
    waves = np.zeros((len(labels), 2 * LENGTH), np.float32)
    for i, (wave, label) in enumerate(zip(waves, labels, strict=True)):
        accent = voices.ACCENTS[random.integers(len(voices.ACCENTS))]
        speed, pitch = int(random.integers(130, 230)), int(random.integers(20, 80))
        speaker = speakers[i * len(speakers) // len(labels)]
        said = voices.say(WORDS[label], accent, speaker, speed, pitch)[: 2 * LENGTH]
        start = random.integers(2 * LENGTH - len(said) + 1)
        wave[start : start + len(said)] = 0.1 * said / said.std()
    waves = mc.convolve(waves, LOW_PASS, "same", stride=2)
    return torch.from_numpy(waves)[:, None], torch.from_numpy(labels)


def data(seed: int, speakers: int, takes: int) -> Data:
    """Three speakers in four to learn from, the others held out."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(voices.SPEAKERS)[:speakers].tolist()
    known, strange = chosen[: 3 * speakers // 4], chosen[3 * speakers // 4 :]
    train, test = sounds(known, takes, random), sounds(strange, takes, random)
    return Data(*train, *test, WORDS)


def augment(waves: Tensor) -> Tensor:
    """Faster or slower, so lighter or darker, sooner or later, with some noise."""
    size = int(LENGTH * (0.85 + 0.3 * torch.rand(())))
    waves = functional.interpolate(waves, size, mode="linear")
    waves = functional.pad(waves, (0, max(LENGTH - size, 0)))[..., :LENGTH]
    waves = waves.roll(int(torch.randint(-1000, 1000, ())), 2)
    return waves + 0.01 * torch.rand(len(waves), 1, 1) * torch.randn_like(waves)


class Ear(nn.Module):
    """Pairs of kernels that begin as tones, spaced as by the ear; the logarithm of their power."""

    def __init__(self, layers: SimpleNamespace) -> None:
        super().__init__()
        self.tones = layers.Conv1d(1, 2 * BANDS, TAPS, stride=HOP, padding=HOP, bias=False)
        mels = torch.linspace(100, 2400, BANDS)  # the last at 5,200 Hz, below half the rate
        phases = 2 * torch.pi * 700 * (10 ** (mels / 2595) - 1)[:, None] * torch.arange(TAPS) / RATE
        both = torch.cat([phases.cos(), phases.sin()]) * torch.hann_window(TAPS)
        self.tones.weight.data = both[:, None] / TAPS**0.5

    def forward(self, waves: Tensor) -> Tensor:
        """From (batch, 1, samples) to (batch, bands, times)."""
        cosine, sine = self.tones(waves).chunk(2, 1)
        return (cosine**2 + sine**2 + 1e-4).log()


def network(layers: SimpleNamespace) -> nn.Module:
    """A spectrogram that is learned too, then four convolutions along time."""

    def block(channels: int, features: int, size: int) -> list[nn.Module]:
        kernel = layers.Conv1d(channels, features, size, padding=size // 2, bias=False)
        return [kernel, nn.BatchNorm1d(features), nn.ReLU()]

    return nn.Sequential(
        Ear(layers), nn.BatchNorm1d(BANDS),
        *block(BANDS, 64, 5), *block(64, 64, 5), layers.MaxPool1d(2), nn.Dropout(0.1),
        *block(64, 96, 5), layers.MaxPool1d(2), *block(96, 96, 5), layers.MaxPool1d(2),
        nn.Flatten(), nn.Dropout(0.4), nn.Linear(96 * 10, len(WORDS)),
    )  # fmt: skip


def draw(learners: list[Learner]) -> Sheet:
    """The first layer's kernels, and what they make of one word."""
    first = learners[0]
    shown = int((first.data.test_labels == 7).nonzero()[0])
    model, wave = first.model.eval(), first.data.test[shown : shown + 1]
    with torch.inference_mode():
        spectrogram = model[0](wave)[0]
        features = model[:5](wave)[0]
    page = sheet(
        learners, GOAL, "Spoken digits",
        "voices never heard before, one-dimensional convolution on raw sound", (3.9, 2.4, 4.6),
    )  # fmt: skip
    kernels = model[0].tones.weight[:BANDS:2, 0].detach()
    panels.waves(page.kernels, kernels, columns=4)
    panels.title(page.kernels, "First layer", "every other pair: the first kernel, of 256 taps")
    panels.waves(page.sample, wave[0], columns=1)
    panels.title(page.sample, f"“{WORDS[7]}”", "held out: 0.93 s of sound")
    panels.heats(page.maps, {
        "first layer: power by band": spectrogram.flip(0),
        "next layer: 64 features": features[features.argmax(1).argsort()],
    })  # fmt: skip
    panels.title(page.maps, "Feature maps", "of this word, along time")
    return page


def main(asked: Options) -> int:
    """Learn, show, judge."""
    console = Console(highlight=False)
    try:
        spoken = data(asked.seed, *((8, 2) if asked.quick else (48, 6)))
    except voices.NoSpeechError as error:
        console.print(f"speech.py: {error}", style="red", soft_wrap=True)
        return 1
    recipe = Recipe(batch=48, rate=0.006, augment=augment)
    learners = learn(asked, network, spoken, recipe, console)
    return report(asked, learners, draw, GOAL, console)


if __name__ == "__main__":
    sys.exit(main(options("speech", __doc__, epochs=20, quick_epochs=2)))
