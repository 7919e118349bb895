"""torch's functions on the engine: values, memory, autocast, threads."""

import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as theirs  # noqa: E402

import multiconv  # noqa: E402
import multiconv.torch as ours  # noqa: E402
from multiconv.torch import _native, _threads, _views  # noqa: E402

OPERATORS = torch.ops.multiconv
LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
DTYPES = [torch.float32, torch.float64, torch.int64, torch.bfloat16, torch.float16]
FLOATS = [torch.float32, torch.float64, torch.bfloat16, torch.float16]

CONVS = {
    "conv1d": [
        ((2, 4, 17), (6, 2, 3), {"stride": 2, "padding": 3, "dilation": 2, "groups": 2}),
        ((3, 5, 12), (2, 5, 4), {"padding": "same", "dilation": 3}),
    ],
    "conv2d": [
        ((2, 4, 11, 9), (6, 2, 3, 2), {"stride": (2, 1), "padding": (1, 2), "groups": 2}),
        ((2, 3, 8, 7), (4, 3, 2, 4), {"padding": "same"}),
        ((1, 3, 9, 7), (6, 1, 3, 5), {"dilation": (1, 1), "padding": [1, 0], "groups": 3}),
        ((2, 3, 6, 5), (4, 3, 1, 1), {"stride": 2}),
    ],
    "conv3d": [
        (
            (2, 4, 5, 6, 7),
            (2, 2, 2, 3, 1),
            {"stride": (1, 2, 1), "padding": (0, 1, 2), "groups": 2},
        ),
        ((1, 2, 5, 4, 6), (3, 2, 3, 2, 2), {"dilation": (1, 2, 1), "padding": "valid"}),
    ],
}
TRANSPOSED = {
    "conv_transpose1d": [
        ((2, 4, 7), (4, 3, 5), {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2}),
        # Larger than the stride, smaller than the dilation.
        ((2, 3, 6), (3, 2, 3), {"stride": 2, "output_padding": 2, "dilation": 3}),
    ],
    "conv_transpose2d": [
        ((2, 4, 5, 3), (4, 1, 3, 2), {"stride": (2, 1), "padding": (1, 0), "groups": 2}),
        ((1, 3, 4, 5), (3, 2, 2, 3), {"stride": (2, 3), "output_padding": (1, 2)}),
    ],
    "conv_transpose3d": [
        ((1, 2, 3, 2, 4), (2, 3, 2, 3, 1), {"stride": (2, 1, 2), "dilation": (1, 2, 1)}),
    ],
}
LAYERS = [
    pytest.param(name, *case, id=f"{name}-{number}")
    for name, cases in {**CONVS, **TRANSPOSED}.items()
    for number, case in enumerate(cases)
]
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


def channels(name, weight, options):
    groups = options.get("groups", 1)
    return weight[1] * groups if "transpose" in name else weight[0]


def layer(name, x_shape, w_shape, options, dtype=torch.float32, make=numbers):
    bias = make((channels(name, w_shape, options),), dtype, 3)
    return make(x_shape, dtype, 1), make(w_shape, dtype, 2), bias


def same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def both(name):
    return getattr(ours, name), getattr(theirs, name)


class TestValues:
    @pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
    @pytest.mark.parametrize("dtype", DTYPES, ids=str)
    @pytest.mark.parametrize(("name", "x_shape", "w_shape", "options"), LAYERS)
    def test_layers_are_torchs(self, name, x_shape, w_shape, options, dtype):
        own, reference = both(name)
        x, w, bias = layer(name, x_shape, w_shape, options, dtype)
        same(own(x, w, **options), reference(x, w, **options))
        same(own(x, w, bias, **options), reference(x, w, bias, **options))
        same(own(x[0], w, bias, **options), reference(x[0], w, bias, **options))
        same(own(x[:0], w, bias, **options), reference(x[:0], w, bias, **options))

    @pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
    @pytest.mark.parametrize(("name", "x_shape", "w_shape", "options"), LAYERS)
    def test_layers_of_complex_numbers_are_torchs(self, name, x_shape, w_shape, options, dtype):
        own, reference = both(name)
        x, w, bias = (a + 1j * a.flip(0) for a in layer(name, x_shape, w_shape, options, dtype))
        torch.testing.assert_close(own(x, w, bias, **options), reference(x, w, bias, **options))

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    @pytest.mark.parametrize(("name", "shape", "arguments", "options"), POOLS)
    def test_pooling_is_torchs(self, name, shape, arguments, options, dtype):
        own, reference = both(name)
        x = numbers(shape, dtype)
        narrow = name == "avg_pool3d" and dtype.itemsize == 2  # which torch's does not know
        for tensor in (x, x[0]) if narrow else (x, x[0], x[:0]):
            wide = tensor.float() if narrow else tensor
            expected = reference(wide, *arguments, **options).to(dtype)
            torch.testing.assert_close(own(tensor, *arguments, **options), expected)

    def test_the_largest_of_values_that_are_not_numbers_is_not_a_number(self):
        x = numbers((1, 2, 6, 5))
        x[0, 1, 2, 3] = float("nan")
        x[0, 0, 1, 1] = float("inf")
        x[0, 0, :, 3:] = -float("inf")
        actual, expected = ours.max_pool2d(x, (2, 3), 1), theirs.max_pool2d(x, (2, 3), 1)
        torch.testing.assert_close(actual, expected, rtol=0, atol=0, equal_nan=True)

    def test_places_and_divisors_are_torchs(self):
        x = numbers((2, 3, 6, 8))
        for actual, expected in zip(
            ours.max_pool2d(x, (2, 3), return_indices=True),
            theirs.max_pool2d(x, (2, 3), return_indices=True), strict=True,
        ):  # fmt: skip
            same(actual, expected)
        same(ours.avg_pool2d(x, 2, divisor_override=3), theirs.avg_pool2d(x, 2, divisor_override=3))

    @pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "max_pool3d", "avg_pool3d"])
    def test_pooling_of_integers_is_torchs(self, name):
        own, reference = both(name)
        x = numbers((2, 3, 4, 6, 5)[: 2 + int(name[-2])], torch.int64)
        same(own(x, 2), reference(x, 2))

    @pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
    def test_uneven_padding_of_any_mode_is_a_padded_layer(self, mode):
        x, w = numbers((2, 3, 7, 6)), numbers((4, 3, 3, 2))
        padded = theirs.pad(x, (2, 1, 0, 3), "constant" if mode == "zeros" else mode)
        actual = ours.conv(x, w, padding=((0, 3), (2, 1)), stride=(2, 1), padding_mode=mode)
        same(actual, theirs.conv2d(padded, w, stride=(2, 1)))

    def test_same_padding_goes_with_any_stride(self):
        x, w = numbers((2, 3, 7, 6)), numbers((4, 3, 3, 2))
        y = ours.conv(x, w, padding="same", stride=(3, 2))
        same(y, theirs.conv2d(theirs.pad(x, (0, 0, 1, 1)), w, stride=(3, 2)))

    def test_a_transposed_layer_may_cut_unevenly_and_add(self):
        x, w, bias = numbers((2, 3, 5, 4)), numbers((3, 2, 3, 4)), numbers((2,))
        full = theirs.conv_transpose2d(x, w, bias, stride=2)
        same(
            ours.conv_transpose(x, w, bias, stride=2, padding=((1, 0), (0, 2))), full[:, :, 1:, :-2]
        )
        whole = theirs.conv_transpose2d(x, w, stride=2)
        more = ours.conv_transpose(x, w, bias, stride=2, padding=((-1, 0), (0, -2)))
        same(more, theirs.pad(whole, (0, 2, 1, 0)) + bias[:, None, None])

    def test_a_layer_may_have_four_axes_of_space(self):
        x, w = numbers((2, 3, 4, 4, 5, 6)), numbers((2, 3, 1, 2, 3, 2))
        slices = [theirs.conv3d(x[:, :, n], w[:, :, 0]) for n in range(4)]
        same(ours.conv(x, w), torch.stack(slices, 2))

    @pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
    def test_whatever_the_engine_does_not_store_is_left_to_torch(self):
        x, w = numbers((2, 3, 7, 6)), numbers((4, 3, 3, 2))
        same(ours.conv2d(x.to_mkldnn(), w).to_dense(), theirs.conv2d(x, w))
        few = torch.quantize_per_tensor(x, 0.5, 3, torch.quint8)
        same(ours.max_pool2d(few, 2).int_repr(), theirs.max_pool2d(few, 2).int_repr())


class TestMemory:
    @pytest.mark.parametrize("name", ["conv2d", "conv3d", "conv_transpose2d", "conv_transpose3d"])
    def test_channels_last_comes_out_as_it_went_in(self, name):
        own, reference = both(name)
        x_shape, w_shape, options = {**CONVS, **TRANSPOSED}[name][0]
        x, w, bias = layer(name, x_shape, w_shape, options)
        expected, last = reference(x, w, bias, **options), LAST[x.ndim]
        for kernel in (w, w.to(memory_format=last)):
            y = own(x.to(memory_format=last), kernel, bias, **options)
            assert y.is_contiguous(memory_format=last)
            same(y.contiguous(), expected)
        assert own(x, w, bias, **options).is_contiguous()

    @pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "max_pool3d", "avg_pool3d"])
    def test_pooling_keeps_the_format(self, name):
        own, reference = both(name)
        x = numbers((2, 3, 5, 6, 7)[: 2 + int(name[-2])])
        y = own(x.to(memory_format=LAST[x.ndim]), 2)
        assert y.is_contiguous(memory_format=LAST[x.ndim])
        torch.testing.assert_close(y.contiguous(), reference(x, 2))

    def test_sequences_with_channels_innermost_too(self):
        x, w = numbers((2, 9, 4)), numbers((3, 4, 3))
        y = ours.conv1d(x.movedim(-1, 1), w)
        assert y.movedim(1, -1).is_contiguous()
        same(y.contiguous(), theirs.conv1d(x.movedim(-1, 1).contiguous(), w))

    @pytest.mark.parametrize("function", [ours.conv2d, ours.conv_transpose2d])
    def test_gradients_keep_the_format(self, function):
        x = reals((2, 4, 6, 5)).to(memory_format=torch.channels_last).requires_grad_()
        w = reals((4, 4, 3, 2)).requires_grad_()
        function(x, w).square().sum().backward()
        assert x.grad.is_contiguous(memory_format=torch.channels_last)
        assert w.grad.is_contiguous()

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    def test_no_tensor_is_copied(self, dtype):
        x, w = numbers((2, 3, 5, 4), dtype), numbers((4, 3, 3, 2), dtype)
        for tensor in (x, x.to(memory_format=torch.channels_last), x[:, :, ::2], x.mT):
            array = _views.data(tensor, _views.is_last(tensor))
            assert array.__array_interface__["data"][0] == tensor.data_ptr()
        for last in (False, True):
            assert _views.kernel(w, last).__array_interface__["data"][0] == w.data_ptr()
        array = np.asarray(numbers((5, 4)).numpy())
        assert _views.result(array, x, False).data_ptr() == array.__array_interface__["data"][0]

    def test_the_engine_reads_what_others_write(self):
        x, w = numbers((1, 2, 5, 4)), numbers((3, 2, 2, 3))
        seen = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(multiconv, "conv", lambda x, w, *_, **__: seen.extend([x, w]) or x)
            ours.conv2d(x, w)
        x.add_(1)
        w.mul_(2)
        np.testing.assert_array_equal(seen[0], x.numpy())
        np.testing.assert_array_equal(seen[1], w.numpy())

    @pytest.mark.parametrize(
        "view",
        [
            lambda x: x[:, ::2, 1::2],
            lambda x: x.flip(2),
            lambda x: x.transpose(2, 3),
            lambda x: x[:, :1].expand(-1, 3, -1, -1),
            lambda x: x[:1, :, :1].expand(2, -1, 6, -1),
            lambda x: x.as_strided((2, 3, 4, 5), (7, 3, 2, 1)),
            lambda x: x.movedim(0, 3),
        ],
        ids=["steps", "flipped", "transposed", "one channel", "one row", "overlapping", "moved"],
    )
    @pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bfloat16], ids=str)
    def test_any_strides(self, view, dtype):
        x = view(numbers((4, 6, 7, 8), dtype))
        w = numbers((5, 2, x.shape[1], 3), dtype).transpose(1, 2)
        bias = numbers((1,), dtype).expand(5)
        same(ours.conv2d(x, w, bias), theirs.conv2d(x, w, bias))
        back = numbers((x.shape[1], 5, 2, 3), dtype).flip(1)
        same(ours.conv_transpose2d(x, back, bias), theirs.conv_transpose2d(x, back, bias))
        if dtype.is_floating_point:
            same(ours.max_pool2d(x, 2), theirs.max_pool2d(x, 2))
            torch.testing.assert_close(ours.avg_pool2d(x, 2), theirs.avg_pool2d(x, 2))

    def test_conjugate_and_negative_views(self):
        x = torch.complex(numbers((2, 3, 6, 5)), numbers((2, 3, 6, 5), seed=1))
        w = torch.complex(numbers((4, 3, 2, 3)), numbers((4, 3, 2, 3), seed=1))
        assert x.conj().is_conj()
        assert x.conj().imag.is_neg()
        same(ours.conv2d(x.conj(), w.conj()), theirs.conv2d(x.conj().clone(), w.conj().clone()))
        negative = x.conj().imag, w.conj().imag
        same(ours.conv2d(*negative), theirs.conv2d(-x.imag, -w.imag))
        same(ours.max_pool2d(negative[0], 2), theirs.max_pool2d(-x.imag, 2))

    def test_results_are_memory_of_their_own(self):
        x = numbers((1, 4, 5, 6))
        kernel = torch.eye(4)[:, :, None, None]
        for y in (ours.conv2d(x, kernel), ours.conv_transpose2d(x, kernel), ours.max_pool2d(x, 1),
                  ours.avg_pool2d(x, 1)):  # fmt: skip
            kept = x.clone()
            y += 1
            same(x, kept)


class TestOtherDevices:
    def test_shapes_on_other_devices_are_torchs(self):
        for name, cases in {**CONVS, **TRANSPOSED}.items():
            own, reference = both(name)
            for x_shape, w_shape, options in cases:
                x, w, bias = (t.to("meta") for t in layer(name, x_shape, w_shape, options))
                assert own(x, w, bias, **options).shape == reference(x, w, bias, **options).shape

    @pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
    @pytest.mark.parametrize("ends", [[1, 1, 2, 2], [2, 0, 1, 3], [0, 0, 0, 0]], ids=str)
    def test_torchs_operators_for_other_devices_compute_the_same(self, ends, mode):
        x, w, bias = numbers((2, 4, 7, 6)), numbers((6, 2, 3, 2)), numbers((6,))
        numbers_ = [1, 2], ends, [2, 1], mode, 2
        same(_native.conv(x, w, bias, *numbers_), OPERATORS.conv(x, w, bias, *numbers_))

    @pytest.mark.parametrize("ends", [[1, 1, 2, 2], [2, 0, 1, 3], [-1, 2, 0, -2]], ids=str)
    def test_torchs_transposed_operator_too(self, ends):
        x, w, bias = numbers((2, 4, 5, 6)), numbers((4, 3, 3, 2)), numbers((6,))
        numbers_ = [2, 3], ends, [1, 2], [2, 1], 2
        own = OPERATORS.conv_transpose(x, w, bias, *numbers_)
        same(_native.conv_transpose(x, w, bias, *numbers_), own)


LAYERS_2D = [("conv2d", (3, 4, 3, 2)), ("conv_transpose2d", (4, 3, 3, 2))]


class TestSurroundings:
    def test_inference_mode(self):
        x, w, bias = layer("conv2d", *CONVS["conv2d"][0])
        w.requires_grad_()
        with torch.inference_mode():
            for name in ("conv2d", "max_pool2d", "avg_pool2d"):
                own, reference = both(name)
                given = (w, bias, (2, 1), 1, 1, 2) if name == "conv2d" else (2,)
                y = own(x, *given)
                assert y.is_inference()
                torch.testing.assert_close(y, reference(x, *given))

    @pytest.mark.parametrize("dtype", FLOATS, ids=str)
    @pytest.mark.parametrize(("name", "w_shape"), LAYERS_2D)
    def test_autocast_of_layers(self, name, w_shape, dtype):
        own, reference = both(name)
        x, w = numbers((2, 4, 6, 5), dtype), numbers(w_shape, dtype).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            y, expected = own(x, w), reference(x, w)
        same(y, expected)
        y.sum().backward()
        assert w.grad.dtype == dtype

    @pytest.mark.parametrize("rank", [1, 2, 3])
    @pytest.mark.parametrize("kind", ["max_pool", "avg_pool"])
    def test_autocast_of_pooling(self, kind, rank):
        own, reference = both(f"{kind}{rank}d")
        for dtype in FLOATS:
            x = numbers((2, 3, 4, 6, 5)[: 2 + rank], dtype)
            with torch.autocast("cpu", torch.bfloat16):
                torch.testing.assert_close(own(x, 2), reference(x, 2))

    def test_several_threads_at_once(self):
        cases = [layer("conv2d", (2, 3, 9 + n, 8), (4, 3, 3, 2), {}) for n in range(6)]
        expected = [theirs.conv2d(*case) for case in cases]
        wrong = []

        def work(number):
            for _ in range(40):
                for case, right in list(zip(cases, expected, strict=True))[number % 3 :]:
                    if not torch.equal(ours.conv2d(*case), right):
                        wrong.append(number)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_backward_in_several_threads(self):
        x, w = reals((2, 3, 9, 8)), reals((4, 3, 3, 2))
        expected = torch.func.grad(lambda w: theirs.conv2d(x, w).square().sum())(w)
        found = []

        def work():
            kernel = w.clone().requires_grad_()
            ours.conv2d(x, kernel).square().sum().backward()
            found.append(kernel.grad)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        for grad in found:
            torch.testing.assert_close(grad, expected)


@pytest.fixture
def torch_threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


class TestThreads:
    def test_as_many_as_torch_uses(self, torch_threads, monkeypatch):
        used = []
        conv = multiconv.conv
        monkeypatch.setattr(
            multiconv, "conv",
            lambda *a, **k: used.append(multiconv.get_num_threads()) or conv(*a, **k),
        )  # fmt: skip
        with multiconv.num_threads(2):
            for count in (1, 3):
                torch_threads(count)
                ours.conv2d(numbers((1, 2, 4, 5)), numbers((3, 2, 2, 3)))
                assert multiconv.get_num_threads() == 2
        assert used == [1, 3]

    def test_the_engines_own_number_comes_back_from_any_order(self):
        """The setting is the process's: who leaves last puts it back."""
        steps = [threading.Event() for _ in range(4)]

        def work(count, entered, leave):
            torch.set_num_threads(count)  # torch's number is a thread's own
            with _threads.threads():
                entered.set()
                leave.wait(10)

        with multiconv.num_threads(2):
            first = threading.Thread(target=work, args=(1, steps[0], steps[1]))
            second = threading.Thread(target=work, args=(3, steps[2], steps[3]))
            first.start()
            steps[0].wait(10)
            second.start()
            steps[2].wait(10)
            steps[1].set()
            first.join()
            steps[3].set()
            second.join()
            assert multiconv.get_num_threads() == 2
