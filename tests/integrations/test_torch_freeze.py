"""``multiconv.torch.freeze``: networks for inference alone, as they were."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn import functional

import multiconv.torch
from multiconv.torch import _seen
from multiconv.torch._compile import _program


class Net(nn.Module):
    """Layers with norms, a sum, pooling, dropout and linear layers; two results by name."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 10, (3, 2), stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(10)
        self.side = nn.Conv2d(10, 10, 3, padding=1, groups=10)
        self.dropout = nn.Dropout(0.5)
        self.one = nn.Linear(10, 7)
        self.two = nn.Linear(7, 4, bias=False)
        self.register_buffer("offset", torch.randn(4))

    def forward(self, x):
        x = functional.relu6(self.norm(self.stem(x)))
        features = functional.max_pool2d(functional.relu(x + self.side(x)), 2)
        middle = functional.hardswish(self.one(self.dropout(features.mean((2, 3)))))
        return {"features": features, "scores": self.two(self.dropout(middle)) + self.offset}


@pytest.fixture
def net():
    torch.manual_seed(7)
    model = Net()
    with torch.no_grad():
        model.norm.running_mean.copy_(torch.randn(10))
        model.norm.running_var.copy_(torch.rand(10) + 0.5)
    return model.eval()


def assert_same(found, wanted, tolerance=2e-5):
    assert set(found) == set(wanted)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_it_returns_what_the_network_returns(net, batch, memory_format):
    x = torch.randn(batch, 3, 14, 11).to(memory_format=memory_format)
    frozen = multiconv.torch.freeze(net, x)
    for values in (x, torch.randn(batch, 3, 14, 11)):
        assert_same(frozen(values), net(values))


def test_layers_of_double_precision_and_other_ranks():
    model = nn.Sequential(nn.Conv1d(4, 6, 5, dilation=2), nn.SiLU(), nn.ConvTranspose1d(6, 3, 4, 2))
    model = model.double().eval()
    x = torch.randn(2, 4, 33, dtype=torch.float64)
    torch.testing.assert_close(multiconv.torch.freeze(model, x)(x), model(x))


def test_several_inputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 5, 3)

        def forward(self, a, b):
            return [self.layer(a) * b, a.sum()]

    model = Two().eval()
    a, b = torch.randn(1, 3, 9, 8), torch.randn(1, 5, 7, 6)
    found = multiconv.torch.freeze(model, a, b)(a, b)
    assert isinstance(found, list)
    for one, other in zip(found, model(a, b), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-5, atol=2e-5)


def test_an_input_that_nobody_reads_is_asked_for_all_the_same():
    class Second(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 5, 3)

        def forward(self, a, b):
            return self.layer(b)

    model = Second().eval()
    a, b = torch.randn(2), torch.randn(1, 3, 9, 8)
    frozen = multiconv.torch.freeze(model, a, b)
    torch.testing.assert_close(frozen(a, b), model(a, b), rtol=2e-5, atol=2e-5)
    with pytest.raises(ValueError, match="a: float32"):
        frozen(torch.randn(3), b)


def test_it_stays_as_it_was(net):
    x = torch.randn(1, 3, 14, 11)
    before = copy.deepcopy(net)
    frozen = multiconv.torch.freeze(net, x)
    with torch.no_grad():
        for tensor in (*net.parameters(), *net.buffers()):
            tensor.data.zero_()
    assert_same(frozen(x), before(x))
    assert not list(frozen.parameters())


def test_nothing_is_asked_of_its_kernels(net, monkeypatch):
    x = torch.randn(1, 3, 14, 11)
    frozen = multiconv.torch.freeze(net, x)
    wanted = net(x)
    monkeypatch.setattr(_seen.Seen, "are", None)
    monkeypatch.setattr(_program.Program, "is_still", None)
    assert_same(frozen(x), wanted)


def test_prepared_kernels_are_not_kept_twice(net):
    frozen = multiconv.torch.freeze(net, torch.randn(1, 3, 14, 11))
    kept = [tuple(t.shape) for t in frozen._kept if t is not None and t.numel() > 1]
    assert kept == [(4,)]  # the offset, which no layer has


def test_a_parameter_that_is_added_is_kept():
    class Embedded(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 5, 3)
            self.place = nn.Parameter(torch.randn(1, 5, 7, 6))
            self.last = nn.Conv2d(5, 4, 1)

        def forward(self, x):
            return self.last(functional.relu(self.layer(x) + self.place))

    model, x = Embedded().eval(), torch.randn(1, 3, 9, 8)
    frozen, wanted = multiconv.torch.freeze(model, x), model(x)
    with torch.no_grad():
        model.place.zero_()
    torch.testing.assert_close(frozen(x), wanted, rtol=2e-5, atol=2e-5)


def test_no_result_is_written_again(net):
    x = torch.randn(1, 3, 14, 11)
    frozen = multiconv.torch.freeze(net, x)
    first = frozen(x)
    kept = {name: value.clone() for name, value in first.items()}
    frozen(torch.randn(1, 3, 14, 11))
    assert_same(first, kept, tolerance=0)


def test_a_copy_that_is_handed_out_is_one():
    class Copies(nn.Module):
        def forward(self, x):
            return x.clone().view(-1), functional.relu(x.clone())

    x = torch.randn(2, 3)
    found, _ = multiconv.torch.freeze(Copies().eval(), x)(x)
    assert found.data_ptr() != x.data_ptr()


def test_threads_share_it(net):
    inputs = [torch.randn(1, 3, 14, 11) for _ in range(24)]
    frozen = multiconv.torch.freeze(net, inputs[0])
    with ThreadPoolExecutor(4) as pool:
        for x, found in zip(inputs, pool.map(frozen, inputs), strict=True):
            assert_same(found, net(x))


def test_results_need_no_gradient_but_may_be_used_for_one(net):
    x = torch.randn(1, 3, 14, 11, requires_grad=True)
    scores = multiconv.torch.freeze(net, x)(x)["scores"]
    assert not scores.requires_grad
    weight = torch.ones(4, requires_grad=True)
    (scores * weight).sum().backward()
    torch.testing.assert_close(weight.grad, scores[0])


def test_it_says_what_it_takes(net):
    frozen = multiconv.torch.freeze(net, torch.randn(2, 3, 14, 11))
    assert repr(frozen) == "Frozen(x: float32 (2, 3, 14, 11) on cpu)"


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda net, x: multiconv.torch.freeze(net.train(), x), ValueError, "model: .*eval"),
        (lambda net, x: multiconv.torch.freeze(net.forward, x), TypeError, "model: .*Module"),
        (lambda net, x: multiconv.torch.freeze(net, x.numpy()), TypeError, "number 0 is a ndarray"),
        (lambda net, x: multiconv.torch.freeze(net, x)(x.numpy()), TypeError, "x: a ndarray"),
        (lambda net, x: multiconv.torch.freeze(net, x)(x, x), TypeError, "2 were given.* for 1"),
        (lambda net, x: multiconv.torch.freeze(net, x)(x[:, :, 1:]), ValueError,
         r"x: float32 \(1, 3, 13, 11\) on cpu was given.*float32 \(1, 3, 14, 11\) on cpu"),
        (lambda net, x: multiconv.torch.freeze(net, x)(x.double()), ValueError, "float64"),
    ],
)  # fmt: skip
def test_refusals(net, make, error, words):
    with pytest.raises(error, match=words):
        make(net, torch.randn(1, 3, 14, 11))


def test_a_network_that_changes_itself_is_refused():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x):
            self.count.add_(1)
            return x * self.count

    with pytest.raises(ValueError, match="model: it changes count"):
        multiconv.torch.freeze(Counts().eval(), torch.randn(2))
