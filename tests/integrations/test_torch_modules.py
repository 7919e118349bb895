"""torch's layers on the engine: parameters, kept kernels, whole models."""

import copy
import inspect
import io
import pickle
import threading

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations, parametrize  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

import multiconv  # noqa: E402
import multiconv.torch as ours  # noqa: E402
from multiconv.torch import _packed  # noqa: E402

NAMES = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]
CASES = [
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}),
    ("Conv1d", (4, 6, 3), {"padding": 3, "padding_mode": "circular"}),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0), "bias": False}),
    ("Conv2d", (4, 6, (3, 5)), {"padding": "same", "dilation": (1, 2)}),
    ("Conv2d", (4, 6, (3, 2)), {"padding": (2, 1), "padding_mode": "reflect"}),
    ("Conv2d", (4, 6, (3, 5)), {"padding": "same", "padding_mode": "replicate"}),
    ("Conv2d", (4, 4, (5, 3)), {"padding": "valid", "groups": 4}),
    ("Conv3d", (4, 2, (2, 3, 1)), {"padding": (1, 2, 0), "padding_mode": "circular"}),
    ("Conv3d", (4, 2, (2, 1, 3)), {"stride": (1, 2, 1), "dtype": torch.float64}),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 3, "output_padding": 2, "groups": 2}),
    ("ConvTranspose2d", (4, 6, (3, 2)), {"stride": 2, "padding": (1, 0), "dilation": (1, 3)}),
    ("ConvTranspose3d", (4, 2, (2, 1, 3)), {"stride": (2, 1, 2), "bias": False}),
]
SIZES = (2, 4, 6, 7, 8)


def reals(*shape, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype)


def pair(name, arguments=(4, 6, 3), options=None):
    """Our layer and torch's, made from the same seed."""
    layers = []
    for library in (ours, nn):
        torch.manual_seed(7)
        layers.append(getattr(library, name)(*arguments, **(options or {})))
    return layers


def data(name, dtype=torch.float32):
    return reals(*SIZES[: 2 + int(name[-2])], dtype=dtype)


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture
def prepared(monkeypatch):
    """How often kernels were prepared."""
    count = []
    plan = multiconv.plan
    monkeypatch.setattr(multiconv, "plan", lambda *a, **k: count.append(a) or plan(*a, **k))
    return count


class TestLayers:
    @pytest.mark.parametrize("name", NAMES)
    def test_the_constructor_is_torchs(self, name):
        own, theirs = getattr(ours, name), getattr(nn, name)
        assert inspect.signature(own) == inspect.signature(theirs)
        assert inspect.signature(own.forward).parameters.keys() == (
            inspect.signature(theirs.forward).parameters.keys()
        )
        assert issubclass(own, theirs)
        assert repr(own(4, 6, 3)) == repr(theirs(4, 6, 3))

    @pytest.mark.parametrize(("name", "arguments", "options"), CASES)
    def test_same_parameters_and_values(self, name, arguments, options):
        own, theirs = pair(name, arguments, options)
        assert own.state_dict().keys() == theirs.state_dict().keys()
        for mine, other in zip(own.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, other)
        x = data(name, options.get("dtype", torch.float32))
        close(own(x), theirs(x))
        close(own(x[0]), theirs(x[0]))
        with torch.no_grad():
            close(own.eval()(x), theirs(x))
            close(own(x[0]), theirs(x[0]))
            assert own(x[:0]).shape == theirs(x[:0]).shape

    @pytest.mark.parametrize(("name", "arguments", "options"), CASES)
    def test_same_gradients(self, name, arguments, options):
        layers, grads = pair(name, arguments, options), []
        for layer in layers:
            x = data(name, options.get("dtype", torch.float32)).requires_grad_()
            y = layer(x)
            (y * reals(*y.shape, dtype=y.dtype, seed=5)).sum().backward()
            grads.append([x.grad, *(p.grad for p in layer.parameters())])
        for mine, other in zip(*grads, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("name", NAMES)
    def test_checkpoints_load_either_way(self, name):
        own, theirs = pair(name)
        with torch.no_grad():
            for parameter in own.parameters():
                parameter.add_(1)
        for source, target in ((own, theirs), (theirs, getattr(ours, name)(4, 6, 3))):
            file = io.BytesIO()
            torch.save(source.state_dict(), file)
            file.seek(0)
            assert not any(target.load_state_dict(torch.load(file)))
            x = data(name)
            close(target(x), source(x))

    def test_the_output_size_of_transposed_layers(self):
        own, theirs = pair("ConvTranspose2d", (4, 6, 3), {"stride": (2, 3), "padding": 1})
        x = data("ConvTranspose2d")
        for size in ([11, 20], [12, 21], (2, 6, 12, 19), torch.Size((11, 21))):
            close(own(x, output_size=size), theirs(x, output_size=size))
            with torch.no_grad():
                close(own.eval()(x, size), theirs(x, size))
            own.train()
        for layer in (own, theirs):
            with pytest.raises(ValueError, match="size"):
                layer(x, output_size=[30, 30])

    def test_constructors_refuse_as_torchs(self):
        for library in (ours, nn):
            with pytest.raises(ValueError, match="groups"):
                library.Conv2d(4, 6, 3, groups=3)
            with pytest.raises(ValueError, match="padding"):
                library.Conv2d(4, 6, 3, padding="same", stride=2)
            with pytest.raises(ValueError, match="padding"):
                library.ConvTranspose2d(4, 6, 3, padding_mode="reflect")

    @pytest.mark.parametrize("training", [True, False])
    def test_calls_are_refused_as_torchs(self, training):
        own, theirs = (layer.train(training) for layer in pair("Conv2d"))
        for x in (reals(2, 5, 6, 7), reals(6, 7), reals(2, 4, 6, 7).double(), reals(2, 4, 2, 7)):
            for layer in (own, theirs):
                with torch.no_grad(), pytest.raises(RuntimeError):
                    layer(x)

    def test_the_memory_format_goes_through(self):
        own, theirs = (layer.to(memory_format=torch.channels_last) for layer in pair("Conv2d"))
        x = data("Conv2d").to(memory_format=torch.channels_last)
        close(own(x), theirs(x))
        with torch.no_grad():
            y = own.eval()(x)
        assert y.is_contiguous(memory_format=torch.channels_last)
        close(y, theirs(x))

    @pytest.mark.filterwarnings("ignore:Complex modules are a new feature:UserWarning")
    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.complex64])
    def test_other_dtypes(self, dtype):
        own, theirs = (layer.to(dtype) for layer in pair("Conv2d"))
        x = data("Conv2d").to(dtype)
        with torch.no_grad():
            for layer in (own, own.eval()):
                torch.testing.assert_close(layer(x), theirs(x), rtol=0.02, atol=0.02)

    @pytest.mark.parametrize("wrap", [parametrizations.weight_norm, parametrizations.spectral_norm])
    @pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
    def test_parametrizations(self, name, wrap):
        layers = pair(name)
        for layer in layers:
            torch.manual_seed(1)
            wrap(layer)
        own, theirs = layers
        x = data(name)
        close(own(x), theirs(x))
        own(x).sum().backward()
        theirs(x).sum().backward()
        for mine, other in zip(own.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine.grad, other.grad, rtol=1e-3, atol=1e-3)
        with torch.no_grad():
            close(own.eval()(x), theirs.eval()(x))
            for layer in layers:
                next(layer.parametrizations.parameters()).add_(1)
            close(own(x), theirs(x))
            parametrize.remove_parametrizations(own, "weight")
            close(own(x), theirs(x))

    def test_hooks(self):
        layer, seen = ours.Conv2d(4, 6, 3).eval(), []
        layer.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2,))
        layer.register_forward_hook(lambda _, inputs, y: seen.append(y) or y + 1)
        x = data("Conv2d")
        with torch.no_grad():
            y = layer(x)
            close(y, nn.functional.conv2d(2 * x, layer.weight, layer.bias) + 1)
        assert len(seen) == 1


def changed_by_an_optimizer(make):
    def change(layer):
        optimizer = make(layer.parameters())
        layer.train()
        layer(data("Conv2d")).square().sum().backward()
        optimizer.step()
        layer.eval()

    return change


def changed_in_place(layer):
    with torch.no_grad():
        layer.weight[5, 3, 2, 1] += 1  # one number, which no sample may have met


def changed_in_inference_mode(layer):
    with torch.inference_mode():
        layer.weight[4, 1, 0, 2] -= 1


def replaced_at_the_same_address(layer):
    shape = layer.weight.shape
    layer.weight.data = torch.zeros(0)
    layer.weight.data = reals(*shape, seed=9)


CHANGES = {
    "sgd": changed_by_an_optimizer(lambda p: torch.optim.SGD(p, 0.1)),
    "momentum, foreach": changed_by_an_optimizer(
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, foreach=True)
    ),
    "adam, fused": changed_by_an_optimizer(lambda p: torch.optim.Adam(p, 0.1, fused=True)),
    "adam, for each": changed_by_an_optimizer(lambda p: torch.optim.Adam(p, 0.1, foreach=False)),
    "in place": changed_in_place,
    "in inference mode": changed_in_inference_mode,
    "load_state_dict": lambda layer: layer.load_state_dict(ours.Conv2d(4, 6, 3).state_dict()),
    "load_state_dict, assigned": lambda layer: layer.load_state_dict(
        ours.Conv2d(4, 6, 3).state_dict(), assign=True
    ),
    "data": lambda layer: layer.weight.data.mul_(0.5),
    "data of the bias": lambda layer: layer.bias.data.add_(1),
    "new data": lambda layer: setattr(layer.weight, "data", reals(6, 4, 3, 3, seed=8)),
    "same address": replaced_at_the_same_address,
    "new parameter": lambda layer: setattr(layer, "weight", nn.Parameter(reals(6, 4, 3, 3))),
    "transposed data": lambda layer: setattr(layer.weight, "data", layer.weight.data.mT * 1.5),
    "flipped data": lambda layer: layer.weight.data.copy_(layer.weight.data.flip(0) * 1.5),
    "reset": lambda layer: layer.reset_parameters(),
    "initialised": lambda layer: nn.init.dirac_(layer.weight),
    "no bias": lambda layer: setattr(layer, "bias", None),
    "array": lambda layer: layer.weight.detach().numpy().__imul__(2),
    "stride": lambda layer: setattr(layer, "stride", (2, 1)),
    "padding": lambda layer: setattr(layer, "padding", (0, 2)),
    "channels last": lambda layer: layer.to(memory_format=torch.channels_last),
    "shared memory": lambda layer: layer.share_memory() and layer.weight.data.mul_(0.5),
}  # fmt: skip


class TestKeptKernels:
    @pytest.mark.parametrize("change", CHANGES)
    def test_no_stale_kernel(self, change):
        torch.manual_seed(2)
        layer, x = ours.Conv2d(4, 6, 3).eval(), data("Conv2d")

        def expected():
            return nn.functional.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding)

        with torch.no_grad():
            close(layer(x), expected())
            before = layer(x)
        for _ in range(2):
            CHANGES[change](layer)
            with torch.no_grad():
                close(layer(x), expected())
                close(layer(x), expected())
        if change != "channels last":
            assert before.shape != expected().shape or not torch.allclose(before, expected())

    @pytest.mark.filterwarnings("ignore:Complex modules are a new feature:UserWarning")
    @pytest.mark.filterwarnings("ignore:Casting complex values to real:UserWarning")
    @pytest.mark.parametrize(
        "dtype", [torch.float64, torch.bfloat16, torch.float16, torch.complex64], ids=str
    )
    def test_moved_to_another_dtype_and_back(self, dtype):
        layer, x = ours.Conv2d(4, 6, 3).eval(), data("Conv2d")
        with torch.no_grad():
            for kind in (torch.float32, dtype, torch.float32):
                y = layer.to(kind)(x.to(kind))
                assert y.dtype == kind
                expected = nn.functional.conv2d(x.to(kind), layer.weight, layer.bias)
                torch.testing.assert_close(y, expected, rtol=0.02, atol=0.02)

    @pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose3d"])
    def test_prepared_once(self, name, prepared):
        own, theirs = pair(name)
        own.eval()
        x = data(name)
        with torch.no_grad():
            for _ in range(5):
                close(own(x), theirs(x))
            assert len(prepared) == 1
            close(own(x + 1), theirs(x + 1))
            assert len(prepared) == 1
            own.weight.mul_(2)
            own(x)
            own(x)
            assert len(prepared) == 2
        with torch.inference_mode():
            own(x)
        assert len(prepared) == 2
        own.train()
        own(x)
        own.eval()
        own(x)  # what records gradients is not kept either
        assert len(prepared) == 2
        own.requires_grad_(requires_grad=False)
        own(x)
        assert len(prepared) == 2

    def test_prepared_kernels_go_with_the_old_weights(self):
        layer, x = ours.Conv2d(4, 6, 3).eval(), data("Conv2d")
        with torch.no_grad():
            layer(x)
            first = layer._packed.prepared_bytes
            assert first > 0
            layer.weight.add_(1)
            layer(x)
        assert layer._packed.prepared_bytes == first

    def test_no_more_plans_than_allowed(self, prepared):
        own, theirs = pair("Conv2d")
        own.eval()
        with torch.no_grad():
            for size in range(5, 5 + 3 * _packed.MOST_PLANS):
                x = reals(1, 4, size, 6)
                close(own(x), theirs(x))
                assert len(own._packed._plans) <= _packed.MOST_PLANS
            assert len(prepared) == 3 * _packed.MOST_PLANS
            own(x)
        assert len(prepared) == 3 * _packed.MOST_PLANS

    def test_layouts_and_dtypes_have_plans_of_their_own(self):
        own, theirs = pair("Conv2d")
        x = data("Conv2d")
        x = torch.cat([x, x[:, :, :, :1]], 3)[:, :, :, :6]  # as long as wide
        last = x.to(memory_format=torch.channels_last)
        with torch.no_grad():
            own.eval()
            for tensor in (x, last, x.transpose(2, 3), last.transpose(2, 3), x[:, :, ::2]):
                close(own(tensor), theirs(tensor))

    def test_shared_by_two_layers(self):
        first, second = ours.Conv2d(4, 6, 3).eval(), ours.ConvTranspose2d(6, 4, 3).eval()
        second.weight = first.weight
        x = data("Conv2d")
        with torch.no_grad():
            for _ in range(3):
                y = first(x)
                close(y, nn.functional.conv2d(x, first.weight, first.bias))
                expected = nn.functional.conv_transpose2d(y, first.weight, second.bias)
                close(second(y), expected)
                first.weight.mul_(0.5)

    def test_parameters_made_in_inference_mode(self):
        with torch.inference_mode():
            layer = ours.Conv2d(4, 6, 3).eval()
            x = data("Conv2d")
            for _ in range(3):
                close(layer(x), nn.functional.conv2d(x, layer.weight, layer.bias))
                layer.weight[5, 3, 2, 1] += 1  # torch counts no changes of such a tensor

    @pytest.mark.parametrize(
        "view",
        [lambda w: w[::2], lambda w: w[:, :1].expand(-1, 4, -1, -1)[:6], lambda w: w[:6].mT],
        ids=["every other", "one for all", "transposed"],
    )
    def test_weights_that_are_views(self, view):
        layer, x = ours.Conv2d(4, 6, 3).eval(), data("Conv2d")
        memory = reals(12, 4, 3, 3)
        layer.weight = nn.Parameter(view(memory))
        with torch.no_grad():
            for _ in range(3):
                close(layer(x), nn.functional.conv2d(x, layer.weight, layer.bias))
                memory.mul_(0.5)  # which the parameter's own count of changes does not tell

    def test_weights_that_are_not_numbers(self):
        layer, x = ours.Conv2d(4, 6, 3).eval(), data("Conv2d")
        with torch.no_grad():
            layer.weight[0] = float("nan")
            for _ in range(2):
                assert layer(x)[:, 0].isnan().all()
                close(layer(x)[:, 1:], nn.functional.conv2d(x, layer.weight, layer.bias)[:, 1:])

    def test_autocast_runs_as_torchs(self):
        own, theirs = pair("Conv2d")
        x = data("Conv2d")
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            for _ in range(2):
                y = own.eval()(x)
                assert y.dtype == torch.bfloat16
                torch.testing.assert_close(y, theirs(x), rtol=0.02, atol=0.02)

    def test_several_threads_and_a_weight_that_changes(self):
        layer = ours.Conv2d(4, 6, 3).eval()
        inputs = [reals(1, 4, 5 + n, 6, seed=n) for n in range(6)]
        wrong = []

        def work(number):
            for _ in range(30):
                for x in inputs[number % 3 :]:
                    with torch.inference_mode():
                        y = layer(x)
                    if not torch.allclose(y, expected[x.shape], atol=1e-4):
                        wrong.append(number)

        for _ in range(3):
            with torch.no_grad():
                layer.weight.add_(0.25)
                expected = {
                    x.shape: nn.functional.conv2d(x, layer.weight, layer.bias) for x in inputs
                }
            threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert not wrong

    @pytest.mark.parametrize("how", ["deepcopy", "pickle", "torch.save"])
    def test_copies_are_independent(self, how):
        layer, x = ours.Conv2d(4, 6, 3).eval(), data("Conv2d")
        with torch.no_grad():
            y = layer(x)
        if how == "deepcopy":
            other = copy.deepcopy(layer)
        elif how == "pickle":
            other = pickle.loads(pickle.dumps(layer))
        else:
            file = io.BytesIO()
            torch.save(layer, file)
            small = file.tell()
            file.seek(0)
            other = torch.load(file, weights_only=False)
            assert small < 4 * layer.weight.nbytes + 4096  # no prepared kernel goes along
        assert type(other) is ours.Conv2d
        with torch.no_grad():
            close(other(x), y)
            layer.weight.zero_()
            close(other(x), y)
            other.weight.mul_(2)
            other.bias.mul_(2)
            close(other(x), 2 * y)
            assert torch.equal(layer(x), layer.bias[:, None, None].expand_as(y))


class OwnConv(nn.Conv2d):
    """A user's own layer."""

    def forward(self, x):
        return super().forward(x) * 2


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(4, 6, 3, padding=1)
        self.shared = nn.Conv2d(6, 6, 3, padding="same")
        self.again = self.shared
        self.own = OwnConv(6, 6, 1)
        self.norm = nn.BatchNorm2d(6)
        self.up = nn.ConvTranspose2d(6, 3, 2, stride=2)

    def forward(self, x):
        x = self.norm(self.shared(self.again(self.first(x))).relu())
        return self.up(self.own(x))


class TestModels:
    def test_swapped_and_back(self):
        torch.manual_seed(3)
        model, x = Network().eval(), data("Conv2d")
        expected, kept = model(x), list(model.state_dict())
        parameters = list(model.parameters())
        report = ours.accelerate(model)
        assert [(one.name, one.kind) for one in report.swapped] == [
            ("first", "Conv2d"), ("shared", "Conv2d"), ("up", "ConvTranspose2d"),
        ]  # fmt: skip
        assert [one.name for one in report.left] == ["own"]
        assert "OwnConv" in report.left[0].reason
        assert str(report).startswith("3 of 4 convolutions swapped\n")
        assert type(model.again) is ours.Conv2d
        assert model.again is model.shared
        assert list(model.state_dict()) == kept
        assert all(a is b for a, b in zip(model.parameters(), parameters, strict=True))
        close(model(x), expected)
        with torch.no_grad():
            close(model(x), expected)
            close(model(x), expected)
        assert ours.restore(model) == 3
        assert [type(m) for m in (model.first, model.shared, model.own, model.up)] == [
            nn.Conv2d, nn.Conv2d, OwnConv, nn.ConvTranspose2d,
        ]  # fmt: skip
        assert vars(model.first).keys() == vars(nn.Conv2d(1, 1, 1)).keys()
        close(model(x), expected)

    def test_twice_is_once(self):
        model = Network()
        ours.accelerate(model)
        again = ours.accelerate(model)
        assert again.swapped == ()
        assert [one.name for one in again.left] == ["own"]
        assert ours.restore(model) == 3
        assert ours.restore(model) == 0

    def test_trained_the_same(self):
        losses = []
        for swap in (False, True):
            torch.manual_seed(3)
            model, x = Network(), data("Conv2d")
            if swap:
                ours.accelerate(model)
            optimizer = torch.optim.Adam(model.parameters(), 0.01)
            for _ in range(4):
                loss = model(x).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            model.eval()
            with torch.no_grad():
                losses.append(model(x).square().mean().item())
        assert losses[:5] == pytest.approx(losses[5:], rel=1e-3)

    def test_a_model_that_is_a_layer(self):
        layer = nn.Conv1d(4, 6, 3)
        assert [one.name for one in ours.accelerate(layer).swapped] == [""]
        assert type(layer) is ours.Conv1d
        assert ours.restore(layer) == 1

    def test_hooks_stay(self):
        model, seen = nn.Sequential(nn.Conv2d(4, 6, 3)), []
        model[0].register_forward_hook(lambda *_: seen.append("forward"))
        model[0].register_full_backward_hook(lambda *_: seen.append("backward"))
        ours.accelerate(model)
        model(data("Conv2d").requires_grad_()).sum().backward()
        assert seen == ["forward", "backward"]

    def test_layers_of_ours_stay(self):
        model = nn.Sequential(ours.Conv2d(4, 6, 3), nn.Conv2d(6, 6, 3))
        assert [one.name for one in ours.accelerate(model).swapped] == ["1"]
        assert ours.restore(model) == 1
        assert [type(layer) for layer in model] == [ours.Conv2d, nn.Conv2d]

    @pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
    @pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning")
    def test_reasons_to_leave_a_layer(self):
        model = nn.ModuleDict({
            "lazy": nn.LazyConv2d(6, 3),
            "parametrized": parametrizations.weight_norm(nn.Conv2d(4, 6, 3)),
            "scripted": torch.jit.script(nn.Conv2d(4, 6, 3)),
            "meta": nn.Conv2d(4, 6, 3, device="meta"),
            "own": OwnConv(4, 6, 3),
        })  # fmt: skip
        report, reasons = ours.accelerate(model), {}
        for one in report.left:
            reasons[one.name] = one.reason
            assert f"left: {one.reason}" in str(report)
        assert report.swapped == ()
        for name, words in (("lazy", "no shape"), ("parametrized", "parametrize"), ("own", "own"),
                            ("scripted", "TorchScript"), ("meta", "on meta")):  # fmt: skip
            assert words in reasons.pop(name)
        assert not reasons
        x = data("Conv2d")
        for name in ("lazy", "parametrized", "scripted", "own"):
            assert model[name](x).shape == (2, 6, 4, 5)
        assert [one.name for one in ours.accelerate(model).swapped] == ["lazy"]

    @pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm:FutureWarning")
    def test_weights_made_by_hooks(self):
        for wrap in (nn.utils.weight_norm, nn.utils.spectral_norm):
            torch.manual_seed(1)
            layer, x = wrap(nn.Conv2d(4, 6, 3)), data("Conv2d")
            layer.eval()
            expected = layer(x)
            assert len(ours.accelerate(layer).swapped) == 1
            with torch.no_grad():
                for factor in (1, 2):
                    for parameter in layer.parameters():
                        parameter.mul_(factor)
                    y = layer(x)
                    close(y, nn.functional.conv2d(x, layer.weight, layer.bias))
                    assert torch.allclose(y, expected, atol=1e-5) == (factor == 1)

    def test_parametrized_afterwards(self):
        model = nn.Sequential(nn.Conv2d(4, 6, 3), nn.Conv2d(6, 2, 3))
        ours.accelerate(model)
        parametrizations.weight_norm(model[0])
        assert ours.restore(model) == 1
        assert type(model[1]) is nn.Conv2d
        parametrize.remove_parametrizations(model[0], "weight")
        assert ours.restore(model) == 1
        assert type(model[0]) is nn.Conv2d

    def test_copies_of_a_swapped_model(self):
        model, x = nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU()).eval(), data("Conv2d")
        ours.accelerate(model)
        with torch.no_grad():
            y = model(x)
            for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                close(other(x), y)
                assert ours.restore(other) == 1
                assert type(other[0]) is nn.Conv2d
                close(other(x), y)
        assert type(model[0]) is ours.Conv2d

    def test_what_is_no_model(self):
        with pytest.raises(TypeError, match=r"model: must be a torch\.nn\.Module, not list"):
            ours.accelerate([])

    def test_other_devices_run_torchs_operators(self):
        model = nn.Sequential(nn.Conv2d(4, 6, 3), nn.ConvTranspose2d(6, 2, 3)).eval()
        ours.accelerate(model)
        with torch.no_grad():
            assert model.to("meta")(data("Conv2d").to("meta")).shape == (2, 2, 6, 7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_activations_in_place_follow_in_training(memory_format, dtype):
    theirs = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.ConvTranspose2d(4, 2, (2, 3)), nn.ReLU(inplace=True),
    ).to(dtype)  # fmt: skip
    mine = copy.deepcopy(theirs)
    multiconv.torch.accelerate(mine)
    x = torch.randn(2, 3, 7, 8, dtype=dtype).to(memory_format=memory_format)
    for model in (theirs, mine):
        model(x).square().sum().backward()
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(
            a.grad, b.grad, rtol=2e-2, atol=2e-1 if dtype == torch.bfloat16 else 1e-4
        )


class TestRecorded:
    @pytest.mark.parametrize("last", [False, True])
    @pytest.mark.parametrize(("size", "groups"), [(1, 1), (3, 2)])
    def test_gradients_lie_as_their_weights(self, last, size, groups):
        layout = torch.channels_last if last else torch.contiguous_format
        x = reals(2, 4, 7, 5).to(memory_format=layout)
        one, other = (layer.to(memory_format=layout)
                      for layer in pair("Conv2d", (4, 6, size), {"groups": groups}))  # fmt: skip
        for layer in (one, other):
            layer(x).square().sum().backward()
        assert one.weight.grad.stride() == other.weight.grad.stride()
        close(one.weight.grad, other.weight.grad)

    def test_what_a_gradient_needs_may_not_change(self):
        layer, x = ours.Conv1d(2, 3, 2), reals(1, 2, 5)
        y = layer(x).sum()
        x.zero_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()

    def test_past_the_dispatcher_unless_somebody_looks(self):
        class Seen(TorchDispatchMode):
            def __torch_dispatch__(self, op, types, args=(), kwargs=None):
                names.append(op.name())
                return op(*args, **(kwargs or {}))

        layer, x, names = ours.Conv1d(2, 3, 2), reals(1, 2, 5, seed=1), []
        plain = layer(x)
        assert type(plain.grad_fn).__name__ == "multiconv::convBackward"
        with Seen():
            seen = layer(x)
        assert "multiconv::conv" in names
        assert torch.equal(plain, seen)
