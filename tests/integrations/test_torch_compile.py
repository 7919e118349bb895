"""``torch.compile(model, backend="multiconv")``: what is fused, what is left, what it costs."""

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import multiconv.torch
from multiconv.torch import _packed
from multiconv.torch._compile import _program, _step

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


class Pooled(nn.Module):
    """Every kind of pooling between layers, and a linear layer behind the last."""

    def __init__(self, keeps):
        super().__init__()
        self.keeps = keeps
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), nn.Conv2d(16, 18, (1, 2)),
            nn.AvgPool2d((2, 3), 1, padding=(1, 0), count_include_pad=False),
            nn.Conv2d(18, 20, 3), nn.AvgPool2d(2, 1, padding=1), nn.MaxPool2d((1, 2), dilation=2),
        )  # fmt: skip
        self.head = nn.Linear(20, 7)

    def forward(self, x):
        x = self.layers(x)
        return self.head(torch.flatten(x.mean((-1, -2), keepdim=self.keeps), 1)), x


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("batch", [9, 1])
def test_pooling_is_a_part_of_the_program(keeps, dtype, memory_format, batch, programs):
    model = Pooled(keeps).eval().to(dtype)
    x = torch.randn(batch, 3, 20, 27, dtype=dtype).to(memory_format=memory_format)
    with torch.no_grad():
        run = compiled(model)
        for _ in range(2):
            for mine, theirs in zip(run(x), model(x), strict=True):
                close(mine, theirs)
    assert [len(program._parts) for program in programs] == [9 if batch == 9 else 8]


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


class Block(nn.Module):
    """ConvNeXt's: a layer per channel, a perceptron over channels, a factor for each channel."""

    def __init__(self, rank=2, factor=(5,), last=False):
        super().__init__()
        layer = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[rank]
        self.filter = layer(5, 5, 3, padding=1, groups=5)
        self.norm = nn.LayerNorm(5, eps=1e-3)
        self.wide, self.narrow = nn.Linear(5, 12), nn.Linear(12, 5)
        self.factor = nn.Parameter(torch.randn(factor))
        self.last = last
        for parameter in (self.norm.weight, self.norm.bias):
            nn.init.normal_(parameter)

    def forward(self, x):
        y = self.norm(self.filter(x).movedim(1, -1))
        y = self.narrow(functional.gelu(self.wide(y)))
        if self.last:
            return x + (self.factor * y).movedim(-1, 1)
        return y.movedim(-1, 1) * self.factor + x


def parts_of(monkeypatch):
    """The numbers of parts of the programs that are made from now on."""
    numbers, build = [], _program.Program.__init__

    def record(program, parts, *rest):
        numbers.append(len(parts))
        build(program, parts, *rest)

    monkeypatch.setattr(_program.Program, "__init__", record)
    return numbers


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("factor", "last"), [((5,), True), ((5, 1, 1), False),
                                              ((1, 5, 1, 1), False)])  # fmt: skip
def test_a_block_with_norm_and_factor_is_one_program(factor, last, memory_format, monkeypatch):
    numbers = parts_of(monkeypatch)
    model = nn.Sequential(Block(2, factor, last), Block(2, factor, last)).eval()
    x = torch.randn(2, 5, 7, 9).to(memory_format=memory_format)
    with torch.no_grad():
        run = compiled(model)
        close(run(x), model(x))
        assert numbers == [8]
        for parameter in model.parameters():
            parameter.add_(0.1)
        close(run(x), model(x))
        model[0].norm.weight.data = torch.randn(5)
        close(run(x), model(x))


@pytest.mark.parametrize("rank", [1, 3])
def test_blocks_of_other_ranks(rank, monkeypatch):
    numbers = parts_of(monkeypatch)
    model, x = Block(rank, last=True).eval(), torch.randn(2, 5, *(7, 9, 6)[:rank])
    with torch.no_grad():
        close(compiled(model)(x), model(x))
    assert numbers == [4]


@pytest.mark.parametrize(("sizes", "axis"), [((6, 3, 3), 1), ((6, 1, 3), 2), ((6, 1, 3), -1)])
def test_kernels_with_an_axis_added(sizes, axis):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.filter, self.factor = (
                nn.Parameter(torch.randn(sizes)),
                nn.Parameter(torch.randn(6)),
            )

        def forward(self, x):
            y = functional.conv2d(x, self.filter.unsqueeze(axis), padding=1, groups=6)
            return y * self.factor[None, :, None, None]

    model, x = Net().eval(), torch.randn(2, 6, 7, 9)
    with torch.no_grad():
        close(compiled(model)(x), model(x))


def test_a_factor_that_is_data_stays_a_product(steps):
    class Squeeze(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.gate = nn.Conv2d(5, 5, 3, padding=1), nn.Conv2d(5, 5, 1)

        def forward(self, x):
            gate = torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
            return self.layer(x) * gate

    model, x = Squeeze().eval(), torch.randn(1, 5, 7, 9)
    with torch.no_grad():
        run = compiled(model)
        for scale in (1, 3):
            close(run(scale * x), model(scale * x))
    assert all(step.packed for step in steps)


def test_norms_without_layers_and_without_weights_are_torchs():
    model = nn.Sequential(nn.LayerNorm(6), nn.LayerNorm((5, 6)), nn.LayerNorm(6, bias=False),
                          nn.LayerNorm(6, elementwise_affine=False)).eval()  # fmt: skip
    x = torch.randn(2, 7, 5, 6)
    with torch.no_grad():
        close(compiled(model)(x), model(x))


@pytest.mark.parametrize("heads", [1, 2])
def test_a_transformer_runs(heads):
    layer = nn.TransformerEncoderLayer(12, heads, 20, activation="gelu", batch_first=True)
    model, x = (
        nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval(),
        torch.randn(3, 9, 12),
    )
    with torch.no_grad():
        close(torch.compile(model, backend="multiconv")(x), model(x))


def test_sums_and_factors_of_turned_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 8), nn.Linear(6, 8)
            self.factor = nn.Parameter(torch.randn(8))

        def forward(self, x, y):
            a, b = self.a(x), self.b(x)
            return (
                a * 2 + b * self.factor,
                torch.add(a, b, alpha=3),
                y + a,
                (b + 1).transpose(1, 3),
                functional.leaky_relu(a * self.factor, 0.3) * y,
            )

    model, x, y = Net().eval(), torch.randn(2, 5, 3, 6), torch.randn(3, 8)
    with torch.no_grad():
        for mine, theirs in zip(compiled(model)(x, y), model(x, y), strict=True):
            close(mine, theirs)


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


@pytest.mark.parametrize("small", [False, True])
def test_kernels_that_come_from_memory_are_kept_small(small, programs, monkeypatch):
    # A cache for everything, or none and a memory that takes a second a byte.
    cache, bandwidth = (0, 1.0) if small else (2**40, 1e10)
    other = dataclasses.replace(_program.machine(), cache=cache, bandwidth=bandwidth)
    monkeypatch.setattr(_program, "machine", lambda: other)
    model = nn.Sequential(*(nn.Conv2d(256, 256, 3, padding=1) for _ in range(3))).eval()
    x = torch.randn(1, 256, 28, 30)
    with torch.no_grad():
        found = torch.compile(model, backend="multiconv")(x)
        torch.testing.assert_close(found, model(x), rtol=1e-4, atol=1e-5)
    (program,) = programs
    weights = 4 * model[0].weight.numel()
    kept = [plan.prepared_bytes for plan in program._plans]
    assert [size < 1.1 * weights for size in kept] == [small] * 3
