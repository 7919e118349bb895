"""The registered operators pass torch's own check: schema, shapes, derivatives, compilation."""

import pytest

torch = pytest.importorskip("torch")

import multiconv.torch  # noqa: E402, F401

OPERATORS = torch.ops.multiconv


def reals(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def padded(padding, mode="zeros"):
    return [1, 2], padding, [2, 1], mode, 2


OPERATOR_CASES = {
    "conv": ((2, 4, 7, 6), (6, 2, 3, 2), (6,), *padded([1, 2, 0, 1], "reflect")),
    "conv_transpose": ((2, 4, 5, 3), (4, 3, 3, 2), (6,), [2, 3], [1, 0, 0, 1], [1, 2], [2, 1], 2),
    "conv_input_grad": ((2, 6, 6, 3), (6, 2, 3, 2), [7, 6], *padded([1, 2, 0, 1], "circular")),
    "conv_weight_grad": ((2, 4, 7, 6), (2, 6, 6, 3), [3, 2], *padded([1, 2, 0, 1], "replicate")),
    "max_pool": ((2, 3, 7, 6), [3, 2], [2, 1], [1, 0], [1, 2], True),
    "max_pool_grad": ((2, 3, 4, 4), (2, 3, 7, 6), [3, 2], [2, 1], [1, 0], [1, 2], True),
    "avg_pool": ((2, 3, 7, 6), [3, 2], [2, 1], [1, 0], True, False),
    "avg_pool_grad": ((2, 3, 4, 5), [7, 6], [3, 2], [2, 1], [1, 0], True, False),
}


class TestOperators:
    @pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
    @pytest.mark.parametrize("name", OPERATOR_CASES)
    def test_torchs_own_check(self, name, last):
        inputs = []
        for number, value in enumerate(OPERATOR_CASES[name]):
            if isinstance(value, tuple):
                value = reals(value, number)
                if last and value.ndim == 4:
                    value = value.to(memory_format=torch.channels_last)
                value = value.requires_grad_()
            inputs.append(value)
        torch.library.opcheck(getattr(OPERATORS, name).default, tuple(inputs))
