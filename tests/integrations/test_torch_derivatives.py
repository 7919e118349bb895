"""torch's functions on the engine: derivatives of any order, transforms."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import func  # noqa: E402
from torch.nn import functional as theirs  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

import multiconv.torch as ours  # noqa: E402

# What torch itself warns of when it takes derivatives forward.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated:DeprecationWarning"
)

POOLS = [
    ("max_pool1d", (2, 3, 13), (3,), {"stride": 2, "padding": 1, "dilation": 2}),
    ("max_pool2d", (2, 3, 9, 8), ((3, 2),), {"stride": (2, 1), "padding": (1, 0)}),
    ("max_pool2d", (2, 3, 9, 8), (2,), {"ceil_mode": True}),
    ("max_pool3d", (1, 2, 5, 6, 7), ((2, 3, 1),), {"dilation": (1, 2, 1)}),
    ("avg_pool1d", (2, 3, 13), (3,), {"stride": 2, "padding": 1}),
    ("avg_pool2d", (2, 3, 9, 8), ((3, 2),), {"stride": (2, 1), "padding": 1, "ceil_mode": True}),
    ("avg_pool2d", (2, 3, 9, 8), (3,), {"padding": 1, "count_include_pad": False}),
    ("avg_pool3d", (1, 2, 5, 6, 7), ((2, 3, 1),), {"stride": (1, 2, 3)}),
]  # fmt: skip


def numbers(shape, dtype=torch.float32, seed=0):
    """Small integers, which all dtypes add up exactly."""
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randint(-2, 3, shape, generator=generator).to(dtype)


def reals(shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(shape, generator=generator, dtype=dtype)


def same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def both(name):
    return getattr(ours, name), getattr(theirs, name)


DERIVATIVES = {
    "conv1d": ("conv", (2, 4, 9), (2, 2, 3), {"stride": 2, "padding": ((1, 2),), "groups": 2}),
    "conv2d": ("conv", (1, 2, 5, 4), (3, 2, 3, 2), {"dilation": 2, "padding": ((2, 0), (0, 1))}),
    "same": ("conv", (1, 2, 5, 4), (2, 2, 2, 3), {"stride": (2, 3), "padding": "same"}),
    "reflect": ("conv", (1, 2, 4, 5), (2, 2, 3, 2), {"padding": 1, "padding_mode": "reflect"}),
    "circular": ("conv", (1, 2, 4), (2, 2, 3), {"padding": ((3, 1),), "padding_mode": "circular"}),
    "replicate": ("conv", (1, 1, 3, 4), (2, 1, 2, 3), {"padding": 2, "padding_mode": "replicate"}),
    "cropped": ("conv", (1, 2, 5, 6), (2, 2, 2, 3), {"padding": ((-1, 1), (0, -2))}),
    "conv3d": ("conv", (1, 2, 3, 4, 3), (2, 1, 2, 3, 1), {"stride": (1, 2, 1), "groups": 2}),
    "conv_transpose1d": (
        "conv_transpose", (2, 4, 4), (4, 1, 3), {"stride": 2, "padding": ((1, 0),), "groups": 2},
    ),
    "extra": (
        "conv_transpose", (1, 2, 3), (2, 2, 3), {"stride": 2, "output_padding": 2, "dilation": 3},
    ),
    "conv_transpose2d": (
        "conv_transpose", (1, 2, 3, 2), (2, 2, 2, 3),
        {"stride": (2, 3), "output_padding": (1, 2), "padding": ((1, 0), (0, -1))},
    ),
    "conv_transpose3d": (
        "conv_transpose", (1, 2, 2, 3, 2), (2, 1, 2, 1, 3), {"stride": (1, 2, 2), "groups": 2},
    ),
}  # fmt: skip


def slopes(name, dtype):
    function, x_shape, w_shape, options = DERIVATIVES[name]
    groups = options.get("groups", 1)
    outputs = w_shape[1] * groups if "transpose" in function else w_shape[0]
    tensors = [
        reals(shape, dtype, seed) for seed, shape in enumerate((x_shape, w_shape, (outputs,)))
    ]
    run = getattr(ours, function)
    return lambda *given: run(*given, **options), tuple(t.requires_grad_() for t in tensors)


class TestDerivatives:
    @pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
    @pytest.mark.parametrize("name", DERIVATIVES)
    def test_first(self, name, dtype):
        run, tensors = slopes(name, dtype)
        assert torch.autograd.gradcheck(
            run, tensors, check_forward_ad=True, fast_mode=dtype.is_complex
        )

    @pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
    @pytest.mark.parametrize("name", DERIVATIVES)
    def test_second(self, name, dtype):
        run, tensors = slopes(name, dtype)
        assert torch.autograd.gradgradcheck(run, tensors, check_fwd_over_rev=True, fast_mode=True)

    def test_third(self):
        x, w = reals((1, 2, 4, 3)).requires_grad_(), reals((2, 2, 2, 3)).requires_grad_()

        def gradients(x, w):
            y = ours.conv2d(x, w, padding=1).pow(3).sum()
            return torch.autograd.grad(y, (x, w), create_graph=True)

        assert torch.autograd.gradgradcheck(gradients, (x, w), fast_mode=True)

    @pytest.mark.parametrize(("name", "shape", "arguments", "options"), POOLS)
    def test_pooling(self, name, shape, arguments, options):
        own = getattr(ours, name)
        places = torch.randperm(int(np.prod(shape)), generator=torch.Generator().manual_seed(1))
        x = places.reshape(shape).double().requires_grad_()  # no two are near each other
        run = lambda x: own(x, *arguments, **options)  # noqa: E731
        assert torch.autograd.gradcheck(run, (x,), check_forward_ad=True, fast_mode=True)
        assert torch.autograd.gradgradcheck(run, (x,), check_fwd_over_rev=True, fast_mode=True)

    @pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d", "max_pool3d"])
    def test_among_equals_the_first_is_the_largest(self, name):
        own, reference = both(name)
        x = numbers((1, 2, 6, 5, 7)[: 2 + int(name[-2])]).requires_grad_()
        probe = numbers(tuple(own(x, 3, 1).shape), seed=4)
        grads = [torch.autograd.grad((f(x, 3, 1) * probe).sum(), x)[0] for f in (own, reference)]
        same(*grads)

    def test_only_what_is_asked_for(self):
        x, w, bias = reals((2, 3, 8, 7)), reals((4, 3, 2, 3)), reals((4,))
        for number in range(3):
            tensors = [t.clone().requires_grad_(i == number) for i, t in enumerate((x, w, bias))]
            ours.conv2d(*tensors, padding=1).sum().backward()
            assert [t.grad is not None for t in tensors] == [i == number for i in range(3)]

    @pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d"])
    def test_forward_mode_and_curvature(self, name):
        w = reals((2, 2, 2, 3))

        def curved(functions):
            function = getattr(functions, name)
            second = (2,) if "pool" in name else (w,)
            return lambda x: function(x, *second).pow(3).sum()

        x = reals((1, 2, 3, 4))
        own, reference = curved(ours), curved(theirs)
        twice = [lambda f, d=d: d(d(f)) for d in (func.jacfwd, func.jacrev)]
        for derive in (func.hessian, func.jacfwd, func.jacrev, *twice):
            torch.testing.assert_close(derive(own)(x), derive(reference)(x))

    def test_dual_numbers_outside_of_functions_that_take_derivatives(self):
        x, w = reals((1, 2, 3, 4)), reals((2, 2, 2, 3))
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(x, x + 1)
            tangent = torch.autograd.forward_ad.unpack_dual(ours.conv2d(dual, w)).tangent
        torch.testing.assert_close(tangent, theirs.conv2d(x + 1, w))

    def test_gradients_of_bfloat16(self):
        x, w = (numbers(s, torch.bfloat16).requires_grad_() for s in ((2, 3, 6, 5), (4, 3, 3, 2)))
        grads = [torch.autograd.grad(f(x, w).sum(), (x, w)) for f in both("conv2d")]
        for actual, expected in zip(*grads, strict=True):
            same(actual, expected)

    def test_checkpointed(self):
        x, w = reals((2, 3, 6, 5)).requires_grad_(), reals((3, 3, 3, 3)).requires_grad_()
        twice = lambda x: ours.conv2d(ours.conv2d(x, w, padding=1).relu(), w, padding=1)  # noqa: E731
        expected = torch.autograd.grad(twice(x).square().sum(), (x, w))
        for reentrant in (False, True):
            y = checkpoint(twice, x, use_reentrant=reentrant)
            x.grad = w.grad = None
            y.square().sum().backward()
            same((x.grad, w.grad), expected)


LAYERS_2D = [("conv2d", (3, 4, 3, 2)), ("conv_transpose2d", (4, 3, 3, 2))]


class TestTransforms:
    @pytest.mark.parametrize(("name", "w_shape"), LAYERS_2D)
    @pytest.mark.parametrize(
        "in_dims", [d for d in itertools.product((None, 0, 1), repeat=3) if any(
            at is not None for at in d)], ids=str,
    )  # fmt: skip
    def test_vmap_is_a_loop(self, name, w_shape, in_dims):
        own = lambda *t: getattr(ours, name)(*t, stride=(2, 1), padding=(0, 1))  # noqa: E731
        tensors = []
        for number, (shape, at) in enumerate(
            zip(((2, 4, 5, 6), w_shape, (3,)), in_dims, strict=True)
        ):
            many = reals((5, *shape), seed=number)
            tensors.append(many[0] if at is None else many.movedim(0, at))
        loop = [
            own(
                *(
                    t if at is None else t.select(at, i)
                    for t, at in zip(tensors, in_dims, strict=True)
                )
            )
            for i in range(5)
        ]
        for out_dim in (0, -1):
            mapped = torch.vmap(own, in_dims, out_dim)(*tensors)
            torch.testing.assert_close(mapped, torch.stack(loop, out_dim))

    @pytest.mark.parametrize("at", [0, 1, 3, -1])
    @pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
    def test_vmap_of_pooling_is_a_loop(self, name, at):
        own = getattr(ours, name)
        x = reals((5, 2, 3, 7, 6)).movedim(0, at)
        loop = torch.stack([own(x.select(at, i), (3, 2)) for i in range(5)])
        torch.testing.assert_close(torch.vmap(lambda x: own(x, (3, 2)), at)(x), loop)

    def test_vmap_of_vmap_of_samples_without_a_batch(self):
        x, w = reals((2, 3, 4, 5, 6)), reals((2, 4, 2, 3))
        mapped = torch.vmap(torch.vmap(ours.conv2d, (0, None)), (0, None))(x, w)
        loop = torch.stack(
            [torch.stack([ours.conv2d(x[i, j], w) for j in range(3)]) for i in (0, 1)]
        )
        torch.testing.assert_close(mapped, loop)

    def test_vmap_over_empty_batches(self):
        x, w = reals((3, 0, 4, 5, 6)), reals((3, 2, 4, 2, 3))
        assert torch.vmap(ours.conv2d)(x, w).shape == (3, 0, 2, 4, 4)

    @pytest.mark.parametrize(("name", "w_shape"), LAYERS_2D)
    def test_gradients_of_each_sample(self, name, w_shape):
        own, reference = both(name)
        x, w = reals((5, 4, 6, 5)), reals(w_shape)
        loss = lambda f: lambda w, x: f(x, w, padding=1).square().sum()  # noqa: E731
        each = torch.vmap(func.grad(loss(own)), (None, 0))(w, x)
        loop = torch.stack([func.grad(loss(reference))(w, sample) for sample in x])
        torch.testing.assert_close(each, loop)

    def test_grad_of_functions_with_kept_parameters(self):
        layer = ours.Conv2d(3, 4, (3, 2)).double()
        x, parameters = reals((5, 3, 6, 5)), dict(layer.named_parameters())
        loss = lambda p, x: func.functional_call(layer, p, (x,)).square().sum()  # noqa: E731
        actual = func.grad(loss)(parameters, x)
        expected = torch.autograd.grad(layer(x).square().sum(), list(layer.parameters()))
        for key, tensor in zip(actual, expected, strict=True):
            torch.testing.assert_close(actual[key], tensor)

    @pytest.mark.parametrize("name", DERIVATIVES)
    def test_jacobian(self, name):
        run, tensors = slopes(name, torch.float64)
        tensors = [t.detach() for t in tensors]
        backward, forward = (f(run, (0, 1, 2))(*tensors) for f in (func.jacrev, func.jacfwd))
        torch.testing.assert_close(backward, forward)
