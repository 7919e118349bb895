"""torch's functions on the engine: compiled, exported, traced."""

import pytest

torch = pytest.importorskip("torch")

from torch._dynamo.testing import CompileCounterWithBackend  # noqa: E402
from torch.nn import functional as theirs  # noqa: E402

import multiconv.torch as ours  # noqa: E402


def reals(shape, seed=0):
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def network(functions, x, w, back, padding=1):
    y = functions.conv2d(x, w, stride=(2, 1), padding=padding).relu()
    y = functions.max_pool2d(y, 2, ceil_mode=True)
    y = functions.conv_transpose2d(y, back, stride=2)
    return functions.avg_pool2d(y, (3, 2))


def weights():
    return reals((4, 3, 3, 2)).requires_grad_(), reals((4, 2, 2, 3)).requires_grad_()


@pytest.fixture(autouse=True)
def nothing_compiled():
    torch._dynamo.reset()


class TestCompilers:
    def test_compiled_whole_forward_and_backward(self):
        counter = CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(network, backend=counter, fullgraph=True, dynamic=True)
        w, back = weights()
        for batch, height, width in ((7, 12, 9), (5, 10, 14), (6, 15, 8)):
            x = reals((batch, 3, height, width)).requires_grad_()
            results = []
            for run, functions in ((compiled, ours), (network, theirs)):
                y = run(functions, x, w, back)
                results.append((y, *torch.autograd.grad(y.square().sum(), (x, w, back))))
            torch.testing.assert_close(*results)
        assert counter.frame_count == 1

    def test_compiled_on_channels_last(self):
        w, back = weights()
        x = reals((2, 3, 12, 9)).to(memory_format=torch.channels_last)
        compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
        y = compiled(ours, x, w, back)
        assert y.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(y, network(theirs, x, w, back))

    def test_sizes_of_windows_may_depend_on_the_data(self):
        pool = torch.compile(
            lambda x: ours.avg_pool2d(ours.conv(x, w, padding="same", stride=2), x.shape[-1] // 2),
            backend="aot_eager", fullgraph=True, dynamic=True,
        )  # fmt: skip
        w = reals((2, 3, 3, 2))
        for size in (8, 12, 10):
            x = reals((2, 3, size, size))
            expected = ours.avg_pool2d(ours.conv(x, w, padding="same", stride=2), size // 2)
            torch.testing.assert_close(pool(x), expected)

    def test_compiled_in_inference_mode_and_under_autocast(self):
        compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
        x, (w, back) = reals((2, 3, 12, 9)).float(), (t.detach().float() for t in weights())
        with torch.inference_mode():
            torch.testing.assert_close(compiled(ours, x, w, back), network(theirs, x, w, back))
        with torch.autocast("cpu", torch.bfloat16):
            y = compiled(ours, x, w, back)
            assert y.dtype == torch.bfloat16
            torch.testing.assert_close(y, network(theirs, x, w, back), rtol=0.05, atol=0.05)

    def test_vmap_compiled(self):
        x, w = reals((3, 2, 4, 5, 6)), reals((3, 2, 4, 2, 3))
        mapped = torch.compile(torch.vmap(ours.conv2d), backend="aot_eager", fullgraph=True)
        torch.testing.assert_close(mapped(x, w), torch.vmap(theirs.conv2d)(x, w))

    @pytest.mark.parametrize("strict", [False, True])
    def test_exported(self, strict):
        class Network(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.first = ours.Conv2d(3, 4, (3, 2), padding=1)
                self.back = ours.ConvTranspose2d(4, 2, 2, stride=2)

            def forward(self, x):
                return self.back(ours.max_pool2d(self.first(x), 2))

        batch = torch.export.Dim("batch", min=2)
        model, x = Network().eval(), torch.randn(3, 3, 9, 8)
        program = torch.export.export(model, (x,), dynamic_shapes=({0: batch},), strict=strict)
        targets = {str(node.target) for node in program.graph.nodes}
        assert {"multiconv.conv.default", "multiconv.conv_transpose.default"} <= targets
        other = torch.randn(5, 3, 9, 8)
        torch.testing.assert_close(program.module()(other), model(other))

    @pytest.mark.filterwarnings("ignore:`torch.jit.trace` is deprecated:DeprecationWarning")
    @pytest.mark.filterwarnings("ignore:`torch.jit.trace_method` is deprecated:DeprecationWarning")
    @pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize("recording", [True, False])
    def test_traced_to_torchscript(self, recording, training):
        model = torch.nn.Sequential(
            ours.Conv2d(3, 4, (3, 2)), ours.ConvTranspose2d(4, 2, 2, stride=2)
        ).train(training)
        with torch.set_grad_enabled(recording):
            traced = torch.jit.trace(model, torch.randn(2, 3, 9, 8))
            pool = torch.jit.trace(lambda x: ours.max_pool2d(x, 2), torch.randn(2, 3, 9, 8))
            x = torch.randn(3, 3, 9, 8)
            torch.testing.assert_close(traced(x), model(x))
            torch.testing.assert_close(pool(x), theirs.max_pool2d(x, 2))


TRANSFORMED = {
    "grad": lambda f: torch.func.grad(f),
    "vmap": lambda f: lambda w, x: torch.func.vmap(lambda one: f(w, one[None]))(x),
    "jvp": lambda f: lambda w, x: torch.func.jvp(lambda v: f(v, x), (w,), (w + 1,))[1],
    "per sample": lambda f: (
        lambda w, x: torch.func.vmap(torch.func.grad(f), (None, 0))(w, x[:, None])
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, by torch
@pytest.mark.parametrize("backend", ["aot_eager", "multiconv"])
@pytest.mark.parametrize("name", TRANSFORMED)
def test_transforms_are_compiled(name, backend):
    w, x = reals((4, 3, 2, 3)), reals((2, 3, 6, 7))
    mine, expected = (
        TRANSFORMED[name](lambda w, x, library=library: library.conv2d(x, w).square().sum())
        for library in (ours, theirs)
    )
    torch.testing.assert_close(torch.compile(mine, backend=backend)(w, x), expected(w, x))
