"""Steps of a network that are computed together, a few rows at a time: which, and how well."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import multiconv
import multiconv.torch
from multiconv.torch._compile import _cascades, _program


class Inverted(nn.Module):
    """A wide depthwise layer between two of single positions, as MobileNetV2 has them."""

    def __init__(self, channels, results, stride=1, kernel=3):
        super().__init__()
        wide = 3 * channels
        self.adds = stride == 1 and channels == results
        self.layers = nn.Sequential(
            nn.Conv2d(channels, wide, 1), nn.ReLU6(),
            nn.Conv2d(wide, wide, kernel, stride, padding=kernel // 2, groups=wide), nn.ReLU6(),
            nn.Conv2d(wide, results, 1),
        )  # fmt: skip

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def network():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 18, 3, 2, padding=1), nn.ReLU(), Inverted(18, 20, 2), Inverted(20, 20),
        Inverted(20, 17, 1, 5), Inverted(17, 40),
    ).eval()  # fmt: skip


@pytest.fixture
def machine(monkeypatch):
    """Makes the machine another one for programs."""

    def make(**facts):
        other = dataclasses.replace(_program.machine(), **facts)
        monkeypatch.setattr(_program, "machine", lambda: other)

    return make


def spans(program):
    return [(cascade.begin, cascade.end) for cascade in program._cascades]


@pytest.mark.parametrize(("batch", "size"), [(1, (61, 50)), (3, (16, 75))])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("cache", [10_000, 2**22])
def test_results_are_those_of_the_steps_alone(batch, size, threads, cache, programs, machine):
    model, x = network(), torch.randn(batch, 3, *size)
    before = multiconv.get_num_threads()
    multiconv.set_num_threads(threads)
    try:
        machine(wake=0.0, threads=threads, bandwidth=1e18)
        alone = multiconv.torch.freeze(model, x)
        machine(wake=1.0, threads=threads, cache=cache)  # to wait costs a second
        together = multiconv.torch.freeze(model, x)
        for values in (x, torch.randn(batch, 3, *size), x):
            assert torch.equal(together(values), alone(values))
            torch.testing.assert_close(together(values), model(values), rtol=1e-4, atol=1e-5)
    finally:
        multiconv.set_num_threads(before)
    assert len(spans(programs[1])) >= (1 if cache < 2**20 else 2)


def test_compiled_networks_see_new_weights(programs, machine):
    machine(wake=1.0)
    torch._dynamo.reset()
    model, x = network(), torch.randn(2, 3, 40, 33)
    with torch.no_grad():
        run = torch.compile(model, backend="multiconv")
        for _ in range(2):
            torch.testing.assert_close(run(x), model(x), rtol=1e-4, atol=1e-5)
            for parameter in model.parameters():
                parameter.mul_(1.1)
    assert all(map(spans, programs))


def test_what_others_read_is_not_kept_between_steps(programs, machine):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.three, self.four = (nn.Conv2d(16, 16, 1) for _ in range(4))
            self.five = nn.Conv2d(16, 16, 3, padding=1, groups=16)

        def forward(self, x):
            one = self.one(x)
            two = self.two(one)
            three = self.three(two)
            four = self.four(functional.relu(three)) + one
            return self.five(four) + four, two

    machine(wake=1.0)
    model = Net().eval()
    x = torch.randn(1, 16, 24, 20).to(memory_format=torch.channels_last)
    frozen = multiconv.torch.freeze(model, x)
    for _ in range(2):
        for mine, theirs in zip(frozen(x), model(x), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    # The first is read twice, the second handed out, the fourth read as a residual, too.
    assert spans(programs[0]) == []


def stage(**sizes):
    """A layer of single positions, or another."""
    given = {"in_size": (56, 56), "kernel": (1, 1), "in_channels": 24, "out_channels": 144, **sizes}
    dtypes = dict.fromkeys(("x_dtype", "w_dtype", "acc_dtype", "out_dtype"), np.dtype("float32"))
    problem = multiconv.Problem(**given, **dtypes, data_format="channels_last")
    return _cascades.Stage(problem, 50e-6)


def inverted(kernel=3, batch=1):
    """The stages of an inverted residual."""
    deep = stage(in_channels=144, out_channels=144, groups=144, kernel=(kernel, kernel),
                 padding=((kernel // 2,) * 2,) * 2, batch=batch)  # fmt: skip
    return [stage(batch=batch), deep, stage(in_channels=144, out_channels=24, batch=batch)]


def test_bands_are_as_high_as_the_cache_allows():
    machine = dataclasses.replace(_program.machine(), threads=2, cache=2**20)
    row = 56 * 144 * 4
    assert _cascades.band_of(inverted(), machine) == 7
    assert ((7 + 2) + 7) * row <= 2**19 < ((8 + 2) + 8) * row
    assert _cascades.band_of(inverted(), dataclasses.replace(machine, cache=row)) == 0
    assert _cascades.band_of(inverted(), dataclasses.replace(machine, cache=2**30)) == 28


def test_rows_that_two_threads_compute_are_paid_for():
    machine = dataclasses.replace(_program.machine(), threads=2, cache=2**20, wake=1e-6)
    small, large = (_cascades.saving(inverted(kernel), 7, machine) for kernel in (3, 9))
    assert small > large
    # With two images each thread has one, and nothing is cut.
    alike = [_cascades.saving(inverted(kernel, batch=2), 7, machine) for kernel in (3, 9)]
    assert small - large > 2 * (alike[0] - alike[1])
