"""``torch.compile(model, backend="multiconv")``: what is fused, what is left, what it costs."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import multiconv.torch
from multiconv.torch import _packed
from multiconv.torch._compile import _step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

ACTIVATIONS = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "hard_swish": functional.hardswish,
    "leaky_relu:0.2": lambda x: functional.leaky_relu(x, 0.2),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    torch.manual_seed(7)


@pytest.fixture
def steps(monkeypatch):
    """The steps that compiled graphs are made of, as they are built."""
    built = []
    build = _step.Step.__init__

    def record(step, *args, **kwargs):
        build(step, *args, **kwargs)
        built.append(step)

    monkeypatch.setattr(_step.Step, "__init__", record)
    return built


class Residual(nn.Module):
    """Two normalised layers, their sum, an activation."""

    def __init__(self, activation=functional.relu):
        super().__init__()
        self.main = nn.Conv2d(5, 8, (3, 2), padding=(1, 0), bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.side = nn.Conv2d(5, 8, (1, 2))
        self.side_norm = nn.BatchNorm2d(8)
        self.activation = activation
        for norm in (self.norm, self.side_norm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)

    def forward(self, x):
        return self.activation(self.norm(self.main(x)) + self.side_norm(self.side(x)))


def close(a, b, within=1e-5):
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    assert a.stride() == b.stride()
    assert (a - b).abs().max() <= within * b.abs().max()


def compiled(model):
    return torch.compile(model, backend="multiconv", fullgraph=True)


@pytest.mark.parametrize("word", ACTIVATIONS)
def test_layer_norm_sum_and_activation_are_one_step(word, steps):
    model = Residual(ACTIVATIONS[word]).eval()
    x = torch.randn(2, 5, 7, 9)
    with torch.no_grad():
        close(compiled(model)(x), model(x))
    main, side = steps
    assert main.options["activation"] == word
    assert side.options["activation"] is None
    assert main.packed is not None


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_results_have_the_strides_that_torch_gives(memory_format):
    model = Residual().eval().to(memory_format=memory_format)
    x = torch.randn(2, 5, 7, 9).to(memory_format=memory_format)
    with torch.no_grad():
        close(compiled(model)(x), model(x))


def test_views_between_layers_survive_another_format():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(4, 16, 3), nn.Conv2d(16, 16, 3, padding=1)
            self.head = nn.Linear(16 * 3 * 2, 3)

        def forward(self, x):
            y = functional.max_pool2d(self.second(functional.relu(self.first(x))), 2)
            return self.head(y.view(y.shape[0], -1)), y, y.permute(0, 2, 3, 1)

    model, x = Net().eval(), torch.randn(3, 4, 8, 6)
    with torch.no_grad():
        for mine, theirs in zip(compiled(model)(x), model(x), strict=True):
            close(mine, theirs)


@pytest.mark.parametrize("rank", [1, 3])
def test_other_ranks_and_transposed_layers(rank):
    conv = {1: nn.Conv1d, 3: nn.Conv3d}[rank]
    transposed = {1: nn.ConvTranspose1d, 3: nn.ConvTranspose3d}[rank]
    norm = {1: nn.BatchNorm1d, 3: nn.BatchNorm3d}[rank]
    model = nn.Sequential(
        conv(3, 8, 3, padding=1, stride=2), norm(8), nn.ReLU(),
        transposed(8, 4, 3, stride=2, padding=1, output_padding=1, groups=2), norm(4), nn.SiLU(),
    ).eval()  # fmt: skip
    x = torch.randn(2, 3, *(10, 8, 6)[:rank])
    with torch.no_grad():
        close(compiled(model)(x), model(x))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_scale_of_a_norm_is_a_factor_of_the_kernel(transposed, groups, memory_format):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    norm = nn.BatchNorm2d(6)
    norm.running_var.uniform_(0.1, 9)
    model = nn.Sequential(kind(4, 6, (3, 2), groups=groups), norm, nn.ReLU6()).eval()
    x = torch.randn(2, 4, 7, 9).to(memory_format=memory_format)
    fast = compiled(model.to(memory_format=memory_format))
    with torch.no_grad():
        close(fast(x), model(x))
        norm.weight.mul_(-3)  # prepared anew
        close(fast(x), model(x))


@pytest.mark.parametrize("size", [1e-38, 1e38])
def test_a_scale_that_would_cost_digits_stays_by_itself(size):
    kernel = np.full((3, 2, 2), 1e-3 if size < 1 else 1e3, "float32")
    scale = np.array([1, size, 1], "float32")
    same, kept = _packed._scaled(kernel, scale, 0)
    assert same is kernel
    assert kept is scale
    scaled, none = _packed._scaled(kernel, np.array([1, 2, 4], "float32"), 0)
    assert none is None
    np.testing.assert_array_equal(scaled, kernel * [[[1]], [[2]], [[4]]])


def test_kernels_that_change_are_prepared_again():
    model = Residual().eval()
    run, x = compiled(model), torch.randn(2, 5, 7, 9)
    with torch.no_grad():
        run(x)
        model.main.weight.mul_(-2)
        close(run(x), model(x))
        model.norm.running_mean.add_(3)
        close(run(x), model(x))
        model.side.weight.data.mul_(0.5)
        close(run(x), model(x))
        model.load_state_dict(Residual().state_dict())
        close(run(x), model(x))


def test_this_packages_layers_are_fused_too(steps):
    model = nn.Sequential(
        multiconv.torch.Conv2d(3, 4, 3, padding="same", padding_mode="circular"), nn.GELU()
    ).eval()
    x = torch.randn(1, 3, 6, 8)
    with torch.no_grad():
        close(compiled(model)(x), model(x))
    (step,) = steps
    assert step.options["activation"] == "gelu"
    assert step.options["padding_mode"] == "circular"


def test_what_does_not_fit_is_left_to_torch(steps):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            y = self.conv(x)
            y = torch.relu(y) + y.mean() + torch.add(self.conv(y), x, alpha=2)
            return functional.pixel_shuffle(torch.cat([y, y, y, x], 1), 2), y.argmax()

    model, x = Net().eval(), torch.randn(2, 3, 6, 8)
    with torch.no_grad():
        for mine, theirs in zip(compiled(model)(x), model(x), strict=True):
            close(mine.double(), theirs.double())
    assert [step.options["activation"] for step in steps] == [None, None]


def test_half_precision_is_left_to_torch(steps):
    model, x = Residual().eval().bfloat16(), torch.randn(2, 5, 7, 9).bfloat16()
    with torch.no_grad():
        close(compiled(model)(x), model(x), 2e-2)
    assert not steps


def test_dynamic_sizes():
    model = Residual().eval()
    run = torch.compile(model, backend="multiconv", dynamic=True, fullgraph=True)
    with torch.no_grad():
        for n, height, width in ((2, 7, 9), (3, 11, 6), (1, 5, 13)):
            x = torch.randn(n, 5, height, width)
            close(run(x), model(x))


def test_inference_mode():
    model, x = Residual().eval(), torch.randn(2, 5, 7, 9)
    with torch.inference_mode():
        close(compiled(model)(x), model(x))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_training_gives_torchs_gradients(memory_format):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Residual()
            self.up = nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
            self.deep = nn.Conv2d(6, 6, 3, padding=1, groups=6)

        def forward(self, x):
            y = functional.max_pool2d(self.block(x), 2)
            return functional.avg_pool2d(functional.gelu(self.deep(self.up(y))), 2)

    theirs = Net().to(memory_format=memory_format)
    ours = copy.deepcopy(theirs)
    run = compiled(ours)
    optimisers = [torch.optim.SGD(net.parameters(), lr=0.05) for net in (theirs, ours)]
    for _ in range(3):
        x = torch.randn(4, 5, 8, 9).to(memory_format=memory_format).requires_grad_()
        mine = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        losses = []
        for net, given, optimiser in ((theirs, x, optimisers[0]), (run, mine, optimisers[1])):
            optimiser.zero_grad()
            loss = net(given).square().mean()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        assert losses[1] == pytest.approx(losses[0], rel=1e-5)
        close(mine.grad, x.grad, 1e-4)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_joined_tensors(memory_format):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(11, 5, 3, padding=1)

        def forward(self, x):
            y = self.second(torch.cat([self.first(x), x], 1))
            return torch.cat([y, y[:1]]), torch.cat([y, x[:, :, 2:]], -2) if y.shape[1] == 3 else y

    model, x = Net().eval(), torch.randn(2, 3, 6, 8).to(memory_format=memory_format)
    with torch.no_grad():
        run = compiled(model)
        for _ in range(2):
            for mine, theirs in zip(run(x), model(x), strict=True):
                close(mine, theirs)


def test_layers_off_the_cpu_are_left_to_torch(steps):
    model = nn.Conv2d(3, 4, 3).to("meta").eval()
    with torch.no_grad():
        assert compiled(model)(torch.empty(1, 3, 6, 8, device="meta")).shape == (1, 4, 4, 6)
    assert not steps


class Mixing(nn.Module):
    """Linear layers over positions, as transformers and ConvNeXt have them."""

    def __init__(self, bias=True):
        super().__init__()
        self.norm = nn.LayerNorm(6)
        self.wide, self.narrow = nn.Linear(6, 20, bias), nn.Linear(20, 6, bias)

    def forward(self, x):
        return x + self.narrow(functional.gelu(self.wide(self.norm(x))))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_linear_layers_over_positions_are_layers(steps, bias, dtype):
    model, x = Mixing(bias).eval().to(dtype), torch.randn(2, 7, 5, 6, dtype=dtype)
    with torch.no_grad():
        run = compiled(model)
        close(run(x), model(x))
        assert [step.options["activation"] for step in steps] == ["gelu", None]
        assert all(step.packed for step in steps)
        model.wide.weight += 1
        close(run(x), model(x))


def test_linear_layers_of_few_positions_are_left_to_torch(steps):
    model, x = nn.Linear(6, 20).eval(), torch.randn(3, 6)
    with torch.no_grad():
        close(compiled(model)(x), model(x))
    assert not steps


def test_an_activation_is_not_taken_past_what_else_uses_the_sums(steps):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 8)

        def forward(self, x):
            y = self.layer(x).reshape(5, 2, 4, 8)
            return functional.gelu(y), y.sum()

    model, x = Net().eval(), torch.randn(5, 8, 6)
    with torch.no_grad():
        for mine, theirs in zip(compiled(model)(x), model(x), strict=True):
            close(mine, theirs)
    assert [step.options["activation"] for step in steps] == [None]


def test_deep_callers_do_not_matter():
    model = nn.Sequential(*[nn.Conv2d(3, 3, 1) for _ in range(30)]).eval()
    x = torch.randn(1, 3, 4, 5)

    def below(depth):
        return run(x) if depth == 0 else below(depth - 1)

    with torch.no_grad():
        run = compiled(model)
        close(below(50), model(x))


class Branches(nn.Module):
    """Layers whose results are read twice, added, and handed out from the middle."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 5, 1)
        self.third, self.fourth = nn.Conv2d(5, 8, (1, 3), padding=(0, 1)), nn.Conv2d(8, 4, 2)

    def forward(self, x):
        a = torch.relu(self.first(x))
        b = self.second(a)
        return self.fourth(torch.relu(self.third(b) + a)), b


def test_neighbours_run_as_one_and_keep_nothing_of_each_other(steps):
    model, run = Branches().eval(), None
    batches = [torch.randn(2, 3, 9, 11) for _ in range(3)]
    with torch.no_grad():
        run = compiled(model)
        found = [run(x) for x in batches]
        for x, results in zip(batches, found, strict=True):
            for mine, theirs in zip(results, model(x), strict=True):
                close(mine, theirs)
        model.third.weight.mul_(2)
        for mine, theirs in zip(run(batches[0]), model(batches[0]), strict=True):
            close(mine, theirs)
    assert len(steps) == 4


def test_threads_share_a_compiled_model():
    model = Branches().eval()
    batches = [torch.randn(2, 3, 40, 41) for _ in range(8)]
    with torch.no_grad():
        run = compiled(model)
        run(batches[0])

    def work(x):
        with torch.no_grad():
            return [run(x) for _ in range(6)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, batches))
    with torch.no_grad():
        for x, many in zip(batches, found, strict=True):
            for results in many:
                for mine, theirs in zip(results, model(x), strict=True):
                    close(mine, theirs)
