"""The description of a convolution: canonical string, hash, defaults, refusals."""

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given

import multiconv as mc
from multiconv import testing
from multiconv._problem import accumulator, dtype_from_name


@given(testing.problems(max_rank=5))
def test_the_canonical_string_says_everything(problem):
    again = mc.Problem.parse(str(problem))
    assert again == problem
    assert hash(again) == hash(problem)
    assert str(again) == str(problem)


@given(testing.problems())
def test_problems_survive_pickling(problem):
    assert pickle.loads(pickle.dumps(problem)) == problem


def test_problems_are_found_again_in_another_process(python):
    problem = mc.Problem.parse("in5x7 k3x2 b=wrap,edge float32")
    code = (
        "import pickle, multiconv as mc;"
        f"sent = pickle.loads({pickle.dumps(problem)!r});"
        f"print(sent in {{mc.Problem.parse({str(problem)!r})}})"
    )
    for seed in ("1", "2"):
        assert python(code, PYTHONHASHSEED=seed).stdout.strip() == "True"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("in5 k3", "mb1 ic1 oc1 in5 k3 float64"),
        ("k3x3 in56x55 oc64 ic64 mb1 p1:1 float32", "mb1 ic64 oc64 in56x55 k3x3 p1:1 float32"),
        ("in7x9 k2x3 s2x2 d1x3 id2 p1:2,1:2", "mb1 ic1 oc1 in7x9 k2x3 s2 d1x3 id2 p1:2 float64"),
        ("in7x9 k2x3 b=wrap,wrap flip cval=0", "mb1 ic1 oc1 in7x9 k2x3 b=wrap flip float64"),
        ("in4 k2 dt=int8,int8,int8,int8", "mb1 ic1 oc1 in4 k2 int8"),
        ("in4 k2 dt=bool,bool,int32,bool", "mb1 ic1 oc1 in4 k2 bool"),
        ("in4 k2 cval=(1+2j) complex64", "mb1 ic1 oc1 in4 k2 cval=(1+2j) complex64"),
        ("in4 k2 p-1:3 int8 cval=-5", "mb1 ic1 oc1 in4 k2 p-1:3 cval=-5 int8"),
        ("in4 k2 act=gelu bias float32", "mb1 ic1 oc1 in4 k2 float32 bias act=gelu"),
        ("in4 k2 act=leaky_relu:0.010 float32", "mb1 ic1 oc1 in4 k2 float32 act=leaky_relu"),
        ("in4 k2 res low_memory act=leaky_relu:-2e-1 scale float32",
         "mb1 ic1 oc1 in4 k2 float32 scale res act=leaky_relu:-0.2 low_memory"),
        ("in4 k2 precision=fast", "mb1 ic1 oc1 in4 k2 float64 precision=fast"),
    ],
)  # fmt: skip
def test_the_canonical_string(text, words):
    assert str(mc.Problem.parse(text)) == words


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("in5", "k3x3"),
        ("k5", "in56x56"),
        ("in5 k3 nonsense", "nonsense"),
        ("in5 k3 s-1", "s-1"),
        ("in5x6 k3", "rank"),
        ("in5x6x7 k3x3x3 s1x2", "s names 2 values, allowed are 1 or 3"),
        ("in5 k3 float33", "float33"),
        ("in5 k3 b=mirror", "mirror"),
        ("in5 k3 act=magic", "magic"),
        ("in5 k3 act=relu:0.5", "relu:0.5"),
        ("in5 k3 act=leaky_relu:steep", "steep"),
        ("in5 k3 act=leaky_relu:inf", "inf"),
        ("in5 k3 precision=perfect", "perfect"),
        ("in5 k3 cval=many", "many"),
        ("in5 k3 s0", "stride"),
        ("in5 k3 d0", "dilation"),
        ("in5 k3 id0", "in_dilation"),
        ("in5 k0", "kernel"),
        ("in5 k3 g0", "groups"),
        ("in5 k3 g2 ic3 oc4", "groups"),
        ("in5 k3 dt=object,object,object,object", "object"),
        ("", "in56x56"),
    ],
)
def test_what_is_no_problem_is_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        mc.Problem.parse(text)


def test_defaults():
    problem = mc.Problem(in_size=(5, 7), kernel=(3, 2))
    assert problem.rank == 2
    assert problem.stride == problem.dilation == problem.in_dilation == (1, 1)
    assert problem.padding == ((0, 0), (0, 0))
    assert problem.boundary == ("constant", "constant")
    assert problem == mc.Problem.parse("in5x7 k3x2")


def test_problems_are_frozen_and_differ_in_every_field():
    problem = mc.Problem.parse("mb2 g2 ic4 oc6 in5x7 k3x2 float32 act=leaky_relu")
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.batch = 3
    others = {
        "in_size": (5, 8), "kernel": (3, 1), "batch": 3, "groups": 1, "in_channels": 6,
        "out_channels": 4, "stride": (1, 2), "dilation": (2, 1), "in_dilation": (1, 2),
        "padding": ((0, 1), (0, 0)), "boundary": ("constant", "wrap"), "cval": 1, "flip": True,
        "data_format": "channels_last", "x_dtype": np.dtype("int8"), "w_dtype": np.dtype("int8"),
        "acc_dtype": np.dtype("float64"), "out_dtype": np.dtype("float64"), "bias": True,
        "activation": "relu", "precision": "fast", "scale": True, "residual": True, "slope": 0.5,
        "low_memory": True,
    }  # fmt: skip
    assert set(others) == {f.name for f in dataclasses.fields(problem) if f.init}
    changed = [dataclasses.replace(problem, **{k: v}) for k, v in others.items()]
    assert problem not in changed
    assert len({str(p) for p in [problem, *changed]}) == len(changed) + 1


def test_channels_of_a_group():
    problem = mc.Problem.parse("g3 ic6 oc12 in5 k2")
    assert (problem.group_in, problem.group_out) == (2, 4)


@pytest.mark.parametrize(
    ("name", "sums"),
    [("float16", "float32"), ("bfloat16", "float32"), ("bool", "int32"), ("int8", "int8"),
     ("uint64", "uint64"), ("float64", "float64"), ("complex64", "complex64")],
)  # fmt: skip
def test_accumulators(name, sums):
    assert accumulator(dtype_from_name(name)).name == sums


def test_a_nan_outside_can_be_written_down():
    text = "mb1 ic1 oc1 in4 k2 p1:1 cval=nan float64"
    assert str(mc.Problem.parse(text)) == text
