"""What torch refuses is refused as torch does: the same exception, a message with a name in it."""

import re
import warnings

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")  # torch's own samples need it

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what torch's own tests warn of when they are imported
    from torch.testing._internal.common_methods_invocations import op_db

import multiconv.torch as ours  # noqa: E402

KINDS = ("conv", "conv_transpose", "max_pool", "avg_pool")
FUNCTIONS = {f"nn.functional.{kind}{rank}d" for kind in KINDS for rank in (1, 2, 3)}
ARGUMENTS = re.compile(
    r"input|weight|bias|stride|pad|dilation|groups|kernel|divisor|output|dimension", re.IGNORECASE
)


def samples():
    for info in op_db:
        if info.name in FUNCTIONS and info.error_inputs_func:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = list(info.error_inputs("cpu"))
            for number, error in enumerate(found):
                name = info.name.rpartition(".")[2]
                yield pytest.param(name, info.op, error.sample_input, id=f"{name}-{number}")


def refusal(function, *arguments, **options):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        function(*arguments, **options)
    return caught


def expect_same_refusal(own, reference, *arguments, **options):
    mine, theirs = refusal(own, *arguments, **options), refusal(reference, *arguments, **options)
    assert mine.type is theirs.type, (mine.value, theirs.value)
    assert ARGUMENTS.search(str(mine.value)), mine.value


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize(("name", "reference", "sample"), list(samples()))
def test_torchs_own_samples(name, reference, sample, recording):
    tensor = sample.input.detach()
    if recording and tensor.is_floating_point():
        tensor.requires_grad_()
    expect_same_refusal(getattr(ours, name), reference, tensor, *sample.args, **sample.kwargs)


def test_torch_has_samples_for_most():
    named = {param.values[0] for param in samples()}
    assert {"conv1d", "conv2d", "conv3d", "max_pool2d", "avg_pool2d"} <= named


X, W = torch.ones(2, 4, 9), torch.ones(6, 2, 3)
BACK = torch.ones(4, 3, 3)
LAYER_OPTIONS = [
    {"stride": "a"}, {"stride": 1.5}, {"stride": None}, {"stride": 0}, {"stride": (1, 2)},
    {"stride": []}, {"padding": "full"}, {"padding": 1.0}, {"padding": ((1, 0),)},
    {"padding": -1}, {"padding": (1, 2)}, {"padding": None}, {"dilation": "x"}, {"dilation": 0},
    {"dilation": 5}, {"groups": 2.0}, {"groups": "2"}, {"groups": None}, {"groups": 4},
    {"groups": 0}, {"groups": -2}, {"groups": 1}, {"bias": 3}, {"bias": torch.ones(5)},
    {"bias": torch.ones(6, 1)}, {"bias": torch.ones(1)}, {"bias": torch.ones(6).double()},
    {"padding": "same", "stride": 2},
]  # fmt: skip
BACK_OPTIONS = [
    {"output_padding": 1}, {"output_padding": 2, "stride": 2}, {"output_padding": -1},
    {"output_padding": "a"}, {"padding": "same"}, {"padding": -1}, {"padding": 10},
    {"padding": 20}, {"groups": 3}, {"groups": 0}, {"bias": torch.ones(4)}, {"stride": 0},
    {"dilation": 0}, {"padding": ((1, 0),)},
]  # fmt: skip
POOL_OPTIONS = [
    {"kernel_size": 0}, {"kernel_size": "a"}, {"kernel_size": 2.0}, {"kernel_size": (2, 2)},
    {"kernel_size": 10}, {"kernel_size": None}, {"kernel_size": []},
    {"kernel_size": 2, "stride": 0}, {"kernel_size": 2, "stride": (1, 1)},
    {"kernel_size": 2, "padding": 2}, {"kernel_size": 2, "padding": -1},
    {"kernel_size": 2, "padding": "same"},
]  # fmt: skip
IDS = {"ids": lambda o: ",".join(f"{k}={v}" for k, v in o.items()) if isinstance(o, dict) else None}


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize("options", LAYER_OPTIONS, **IDS)
def test_options_of_layers(options, recording):
    options = {"groups": 2} | options
    w = W.clone().requires_grad_(recording)
    expect_same_refusal(ours.conv1d, torch.nn.functional.conv1d, X, w, **options)


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize("options", BACK_OPTIONS, **IDS)
def test_options_of_transposed_layers(options, recording):
    w = BACK.clone().requires_grad_(recording)
    reference = torch.nn.functional.conv_transpose1d
    expect_same_refusal(ours.conv_transpose1d, reference, X, w, **options)


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize("name", ["max_pool1d", "avg_pool1d"])
@pytest.mark.parametrize("options", POOL_OPTIONS, **IDS)
def test_options_of_pooling(name, options, recording):
    x = X.clone().requires_grad_(recording)
    expect_same_refusal(getattr(ours, name), getattr(torch.nn.functional, name), x, **options)


@pytest.mark.parametrize(
    ("x", "w"),
    [
        (None, W), (X, None), (X.numpy(), W), (X, W.numpy()), (X[0, 0], W), (X[None], W),
        (X, W[0]), (X, W[None]), (X.double(), W), (X, W.long()), (X[:, :1], W),
        (X, torch.ones(0, 4, 3)), (X, torch.ones(6, 4, 0)),
        (X[:, :, :0], torch.ones(6, 4, 3)), (X.bool(), torch.ones(6, 4, 3).bool()),
        (X.to(torch.uint16), torch.ones(6, 4, 3).to(torch.uint16)),
        (X.to(torch.float8_e5m2), torch.ones(6, 4, 3).to(torch.float8_e5m2)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["conv1d", "conv_transpose1d"])
def test_tensors_of_layers(name, x, w):
    own, reference = getattr(ours, name), getattr(torch.nn.functional, name)
    mine, theirs = refusal(own, x, w), refusal(reference, x, w)
    assert mine.type is theirs.type


@pytest.mark.parametrize("padding", [1, 2])
def test_nothing_cannot_be_padded(padding):
    x, w = X[:, :, :0], torch.ones(6, 4, 3)
    expect_same_refusal(ours.conv1d, torch.nn.functional.conv1d, x, w, padding=padding)


@pytest.mark.parametrize("name", ["max_pool1d", "avg_pool1d"])
@pytest.mark.parametrize(
    "x",
    [None, X.numpy(), X[0, 0], X[None], X[:, :0], X[:, :, :0], X.bool(), X.int(),
     X.to(torch.complex64), X.to_sparse()],
)  # fmt: skip
def test_tensors_of_pooling(name, x):
    own, reference = getattr(ours, name), getattr(torch.nn.functional, name)
    assert refusal(own, x, 2).type is refusal(reference, x, 2).type


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ours.conv1d(X, W), "weight: has 2 input channels"),
        (lambda: ours.conv1d(X, torch.ones(6, 4, 10)), "weight: its window covers 10 samples"),
        (lambda: ours.max_pool1d(X, 10), "kernel_size: the window covers 10 elements"),
        (lambda: ours.conv1d([1.0], W), "input: must be a torch.Tensor, not list"),
        (lambda: ours.avg_pool2d([1.0], 2), "input: must be a torch.Tensor, not list"),
        (lambda: ours.conv(X, W[0]), "weight: has 2 dimensions"),
        (lambda: ours.conv(X, W, groups=2, padding="all"), "padding: 'all' is not allowed"),
        (lambda: ours.conv(X, W, groups=2, padding_mode="edgy"), "padding_mode: 'edgy'"),
        (lambda: ours.conv1d(X, W.double()), "weight: is torch.float64 on cpu, input is torch.flo"),
        (lambda: ours.conv1d(X, W.to("meta")), "weight: is torch.float32 on meta"),
    ],
)
def test_messages(call, message):
    with pytest.raises((RuntimeError, TypeError), match=re.escape(message)):
        call()


def test_compiled_code_refuses_too():
    compiled = torch.compile(
        lambda x, w: ours.conv1d(x, w, stride=0), backend="aot_eager", fullgraph=True
    )
    with pytest.raises(RuntimeError, match="stride: 0 is too small"):
        compiled(X, torch.ones(6, 4, 3))
