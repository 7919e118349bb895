"""
Eight languages
===============

In which of eight languages a line is written. One-dimensional convolution on characters. The lines
are the messages of Plone, a web server, as people translated them; a message is held out in every
language or in none.
"""

# %%
# .. image:: /images/text-light.png
#    :alt: Eight languages: loss, accuracy, confusion, the first layer's kernels and feature maps

# sphinx_gallery_thumbnail_path = "images/text-light.png"

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional

import _panels as panels
from _catalogues import NoTextError, messages
from _command import Options, options
from _page import Sheet, sheet
from _report import report
from _training import Data, Learner, Recipe, learn

GOAL = 95.0
LANGUAGES = {
    "Catalan": "ca", "Danish": "da", "Dutch": "nl", "French": "fr", "German": "de", "Italian": "it",
    "Portuguese": "pt", "Spanish": "es",
}  # fmt: skip
SHORTEST, LONGEST = 20, 80
"""Characters in a line."""


def data(seed: int, most: int) -> tuple[Data, str]:
    """A fifth of so many messages held out; also the alphabet, frequent letters first."""
    texts = [messages(code, SHORTEST, LONGEST) for code in LANGUAGES.values()]
    languages = Counter(line for found in texts for line in set(found.values()))
    keys = sorted({key for found in texts for key in found})
    chosen = np.random.default_rng(seed).permutation(len(keys))[:most]
    learned, held_out = {}, {}
    for place, number in enumerate(chosen):
        part = learned if place % 5 else held_out
        for label, found in enumerate(texts):
            line = found.get(keys[number])
            # What two languages share is of neither.
            if languages[line] == 1:
                part[line] = label
    held_out = {line: label for line, label in held_out.items() if line not in learned}
    counts = Counter("".join(learned))
    alphabet = "".join(letter for letter, count in counts.most_common() if count >= 20)
    parts = [
        torch.tensor(values)
        for part in (learned, held_out)
        for values in (encode(part, alphabet), list(part.values()))
    ]
    return Data(*parts, list(LANGUAGES)), alphabet


def encode(lines: Iterable[str], alphabet: str) -> list[list[int]]:
    """A number for each character: 0 after the end, 1 for what is rare."""
    numbers = {"\0": 0} | {letter: i for i, letter in enumerate(alphabet, 2)}
    return [[numbers.get(letter, 1) for letter in line.ljust(LONGEST, "\0")] for line in lines]


class OneHot(nn.Module):
    """A channel for each letter of the alphabet."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.letters = letters

    def forward(self, lines: Tensor) -> Tensor:
        """From (batch, places) to (batch, letters, places)."""
        channels = functional.one_hot(lines, self.letters + 2)[..., 2:]
        return channels.transpose(1, 2).float().contiguous()


class Strongest(nn.Module):
    """What each feature reaches anywhere in the line."""

    def forward(self, x: Tensor) -> Tensor:
        """From (batch, features, places) to (batch, features)."""
        return x.amax(2)


def network(letters: int, layers: SimpleNamespace) -> nn.Module:
    """Five letters, then some twenty, then the line."""

    def block(channels: int, features: int, size: int) -> list[nn.Module]:
        kernel = layers.Conv1d(channels, features, size, padding=size // 2, bias=False)
        return [kernel, nn.BatchNorm1d(features), nn.ReLU()]

    return nn.Sequential(
        OneHot(letters), *block(letters, 64, 5), layers.MaxPool1d(2), nn.Dropout(0.2),
        *block(64, 96, 5), layers.MaxPool1d(2), nn.Dropout(0.2), *block(96, 96, 3),
        Strongest(), nn.Dropout(0.4), nn.Linear(96, len(LANGUAGES)),
    )  # fmt: skip


def favourites(model: nn.Module, lines: Tensor, letters: str) -> list[list[panels.Snippet]]:
    """For each kernel the three snippets of these lines that excite it most."""
    kernels = model[1].weight.detach()
    with torch.inference_mode():
        found = model[1](model[0](lines)).transpose(0, 1).flatten(1).argsort(1, descending=True)
    padded = functional.pad(lines, (2, 2))
    liked = []
    for kernel, places in zip(functional.pad(kernels, (0, 0, 2, 0)), found[:, :300], strict=True):
        seen = {}
        for place in places.tolist():
            snippet = padded[place // LONGEST, place % LONGEST :][:5]
            likes = kernel[snippet, torch.arange(5)] / kernel.max()
            seen.setdefault("".join(letters[i] for i in snippet), likes.tolist())
        liked.append(list(seen.items())[:3])
    return liked


def draw(alphabet: str, learners: list[Learner]) -> Sheet:
    """The letters that excite the first layer, what the network answers to a line, and why."""
    first, letters = learners[0], f" *{alphabet}"
    names, labels, lines = first.data.classes, first.data.test_labels, first.data.test
    shown = int((labels == names.index("Portuguese")).nonzero()[2])
    model, line = first.model.eval(), lines[shown : shown + 1, :40]
    with torch.inference_mode():
        maps = model[:4](line)[0]
        answers = model(lines[shown : shown + 1])[0].softmax(0)
    excited = maps.amax(1).argsort(descending=True)[:12].tolist()
    liked = favourites(model, lines[:1000], letters)
    liked = [liked[kernel] for kernel in excited]
    page = sheet(
        learners, GOAL, "Eight languages",
        "messages of a web server, one-dimensional convolution on characters", (3.4, 2.2, 5.3),
    )  # fmt: skip
    panels.snippets(page.kernels, liked, columns=4)
    panels.title(page.kernels, "First layer", "the letters that excite 12 of its 64 kernels")
    panels.bars(page.sample, answers, names)
    panels.title(page.sample, f"A {names[labels[shown]]} line", "and the network's answer",
                   panels.LABELS)  # fmt: skip
    written = "".join(letters[i] for i in line[0])
    panels.rows(page.maps, maps[excited], [best[0][0] for best in liked], written)
    panels.title(page.maps, "Feature maps", "where these 12 kernels find their letters in it",
                   panels.LABELS)  # fmt: skip
    return page


def main(asked: Options) -> int:
    """Learn, show, judge."""
    console = Console(highlight=False)
    try:
        lines, alphabet = data(asked.seed, 300 if asked.quick else 3000)
    except NoTextError as error:
        console.print(f"text.py: {error}", style="red", soft_wrap=True)
        return 1
    recipe = Recipe(batch=128, rate=0.01)
    learners = learn(asked, partial(network, len(alphabet)), lines, recipe, console)
    return report(asked, learners, partial(draw, alphabet), GOAL, console)


if __name__ == "__main__":
    sys.exit(main(options("text", __doc__, epochs=6, quick_epochs=2)))
