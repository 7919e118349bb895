"""activation(scale * sums + bias + residual): inside every algorithm, in every layout."""

from __future__ import annotations

import contextlib
import itertools
import math

import numpy as np
import pytest

import multiconv as mc
from multiconv import testing
from multiconv._activations import activate
from multiconv._errors import RefusedError
from multiconv._problem import ACTIVATIONS
from multiconv._registry import registered

FAMILIES = """
    mb2 ic16 oc9 in9x11 k3x2 p1:1 float32
    mb2 ic6 oc4 g2 in8x9 k3x2 id2x3 p2:1,1:3 flip float64
    mb2 ic3 oc3 g3 in31x37 k5x4 p2:1 float32
    mb1 in133x140 k3x5 p1:1,2:2 float32
    mb1 in60x57 k13x11 p6:6,5:5 b=reflect float32
    in1300 k500 p250:249 float64
    mb2 ic3 oc4 in9x8 k2x3 float16
"""
FAMILIES = [line.strip() for line in FAMILIES.strip().splitlines()]
WHOLE = {
    "cast", "direct", "fused", "gemm", "overlap_save", "partitioned", "reference", "running_sum",
    "separable", "sparse", "winograd",
}  # fmt: skip
"""Algorithms that take every epilogue; others may refuse one, and say so."""


def everything(rng, x, w, **options):
    """Random arrays for all that an epilogue takes."""
    shape = mc.conv(x, w, **options).shape
    filters = w.shape[-1 if options.get("data_format") == "channels_last" else 0]
    draw = rng.standard_normal
    return {"bias": draw(filters), "scale": draw(filters), "residual": draw(shape)}


def algorithms_on(families, words, targets):
    """The algorithms that run some of the problems with an epilogue, on which targets."""
    found = set()
    for family in families:
        trial = testing.Trial(mc.Problem.parse(f"{family} {words}"))
        for name, target in itertools.product(registered(), targets):
            if trial.check(name, target).refusal is None:
                found.add((name, target))
    return found


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "leaky_relu:0.3"])
def test_every_algorithm_takes_every_activation(activation):
    found = algorithms_on(FAMILIES, f"scale bias res act={activation}", testing.targets())
    assert found >= set(itertools.product(WHOLE, testing.targets()))


@pytest.mark.parametrize("words", ["scale", "res", "scale bias", "bias res", "scale bias res"])
def test_every_algorithm_takes_scale_and_residual(words):
    found = algorithms_on([*FAMILIES, "mb2 ic2 oc2 g2 in40x41 k9x8 p4:3 float32"], words, [""])
    assert found >= set(itertools.product(WHOLE | {"low_rank"}, [""]))


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("shape", [(2, 16, 19, 3, 3), (1, 33, 40, 1, 1), (1, 5, 7, 5, 4)])
def test_every_algorithm_in_both_layouts(shape, layout, rng):
    """Channels that fill vectors and that do not."""
    batch, channels, filters, *kernel = shape
    last = layout == "channels_last"
    x = rng.standard_normal((batch, 13, 18, channels)).astype("f4")
    w = rng.standard_normal((*kernel, channels, filters)).astype("f4")
    residual = rng.standard_normal((batch, 13, 18, filters)).astype("f4")
    bias, scale = rng.standard_normal((2, filters)).astype("f4")
    expected = mc.conv(x.astype("f8"), w, bias, padding="same", data_format="channels_last",
                       scale=scale, residual=residual, activation="gelu",
                       method="reference")  # fmt: skip
    if not last:
        x, residual = (np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (x, residual))
        w, expected = np.moveaxis(w, (-1, -2), (0, 1)), np.moveaxis(expected, -1, 1)
    ran = set()
    for name, target in itertools.product(registered(), testing.targets()):
        with testing.forced_target(target), contextlib.suppress(RefusedError):
            plan = mc.plan(mc.conv, x, w, bias, padding="same", data_format=layout, scale=scale,
                           residual=residual, activation="gelu", method=name)  # fmt: skip
            np.testing.assert_allclose(plan(x, residual=residual), expected, rtol=2e-3, atol=2e-3)
            ran.add(name)
    assert {"direct", "reference"} <= ran


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("function", [mc.conv, mc.conv_transpose])
def test_the_public_call_is_the_formula(function, layout, rng):
    x, w = rng.standard_normal((2, 9, 8, 4)), rng.standard_normal((3, 2, 4, 4))
    if layout == "channels_first":
        x, w = np.moveaxis(x, -1, 1), np.moveaxis(w, (-1, -2), (0, 1))
    sums = function(x, w, padding=1, stride=2, data_format=layout)
    draw = rng.standard_normal
    bias, scale, residual = draw(4), draw(4), draw(sums.shape)
    channels = (4, 1, 1) if layout == "channels_first" else (4,)
    expected = sums * scale.reshape(channels) + bias.reshape(channels) + residual
    got = function(x, w, bias, padding=1, stride=2, data_format=layout, scale=scale,
                   residual=residual, activation="silu")  # fmt: skip
    np.testing.assert_allclose(got, activate("silu", expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "int64", "complex64", "bool"])
def test_integers_and_complex_numbers_are_scaled_and_added_to(dtype, rng):
    x, w = (rng.integers(0, 100, s).astype(dtype) for s in ((2, 4, 9, 8), (6, 4, 3, 2)))
    scale, bias = (rng.integers(0, 100, 6).astype(dtype) for _ in range(2))
    residual = rng.integers(0, 100, (2, 6, 7, 7)).astype(dtype)
    options = {"scale": scale, "residual": residual}
    got = mc.conv(x, w, bias, **options)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, mc.conv(x, w, bias, **options, method="reference"))
    if dtype.startswith(("int", "uint")):
        sums = mc.conv(x.astype(object).astype("int64"), w.astype("int64"))
        wide = sums * scale.reshape(6, 1, 1).astype("int64")
        wide += bias.reshape(6, 1, 1).astype("int64") + residual.astype("int64")
        np.testing.assert_array_equal(got, wide.astype(dtype))


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_are_as_exact_as_their_type(dtype, target):
    """By way of a layer that adds nothing up; against mpmath in 30 digits."""
    mpmath = pytest.importorskip("mpmath")
    exact = {
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "tanh": mpmath.tanh,
        "silu": lambda x: x / (1 + mpmath.exp(-x)),
        "gelu": lambda x: x * mpmath.ncdf(x),
    }
    edges = [0.3465, 0.3467, 0.9999999, 1.0000001, 9.01, 19.1, 80.0, 100.0]
    sizes = np.concatenate([np.linspace(0, 12, 499), np.logspace(-40, 2, 400), edges])
    x = np.concatenate([-sizes, sizes]).astype(dtype)
    eps = float(np.finfo(dtype).eps)
    with testing.forced_target(target), mpmath.workdps(30):
        for name, function in exact.items():
            plan = mc.plan(mc.conv, x.reshape(1, 1, -1), np.ones((1, 1, 1), dtype),
                           activation=name, method="direct")  # fmt: skip
            got = plan(x.reshape(1, 1, -1)).ravel()
            for value, found in zip(x.tolist(), got.tolist(), strict=True):
                true = function(mpmath.mpf(value))
                # One less than the error function has no more digits than one has.
                size = abs(value) if name == "gelu" else abs(true)
                # Subnormal gates have few digits, whatever they are multiplied by.
                least = 4 * float(np.finfo(dtype).smallest_subnormal) * max(1, abs(value))
                assert abs(found - true) <= 4 * eps * size + least, (name, value, found)


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_strange_values_come_out_as_the_formula_says(activation, target):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, 1e30, -1e30, 1e-40, -1e-40, 5e37, -5e37] * 5)
    x = x.astype("float32")
    expected = activate(activation, x.astype("float64"))
    with testing.forced_target(target):
        plan = mc.plan(mc.conv, x.reshape(1, 1, -1), np.ones((1, 1, 1), "float32"),
                       activation=activation, method="direct")  # fmt: skip
        got = plan(x.reshape(1, 1, -1)).ravel()
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected.astype("float32"), rtol=1e-6, atol=1e-44)


def test_activations_are_torchs(rng):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    theirs = {
        "relu": functional.relu, "relu6": functional.relu6, "leaky_relu": functional.leaky_relu,
        "leaky_relu:0.3": lambda x: functional.leaky_relu(x, 0.3), "silu": functional.silu,
        "gelu": functional.gelu, "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "hard_swish": functional.hardswish, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    }  # fmt: skip
    assert set(theirs) == {*ACTIVATIONS, "leaky_relu:0.3"}
    x, w = rng.standard_normal((2, 3, 9, 8)) * 3, rng.standard_normal((4, 3, 3, 2))
    sums = torch.from_numpy(mc.conv(x, w))
    for word, function in theirs.items():
        np.testing.assert_allclose(mc.conv(x, w, activation=word), function(sums).numpy(),
                                   rtol=1e-12, atol=1e-13)  # fmt: skip


@pytest.mark.parametrize("n", [1, 7, 15, 16, 17, 33, 255, 257, 600])
def test_a_values_bits_do_not_tell_its_place(n):
    value = np.float32(0.7312)
    for activation in ACTIVATIONS:
        x = np.full((1, 1, n), value)
        got = mc.conv(x, np.ones((1, 1, 1), "float32"), activation=activation)
        assert len(set(got.ravel().tolist())) == 1


@pytest.mark.parametrize("method", ["direct", "gemm", "cast", "reference"])
def test_residuals_of_any_strides(method, rng):
    dtype = "float16" if method == "cast" else "float32"
    x, w = (rng.integers(-3, 4, s).astype(dtype) for s in ((2, 3, 20, 50), (4, 3, 3, 3)))
    shape = (2, 4, 20, 50)
    memory = rng.integers(-9, 10, (50, 2, 20, 8)).astype(dtype)
    views = [
        rng.integers(-9, 10, shape).astype(dtype),
        memory.transpose(1, 3, 2, 0)[:, ::2, ::-1],
        np.broadcast_to(np.arange(4, dtype=dtype).reshape(4, 1, 1), shape),
        rng.integers(-9, 10, shape).astype(dtype).astype(dtype).view().byteswap().view(
            np.dtype(dtype).newbyteorder()),
    ]  # fmt: skip
    sums = mc.conv(x, w, padding=1, method="reference")
    for residual in views:
        got = mc.conv(x, w, padding=1, method=method, residual=residual, activation="relu")
        np.testing.assert_array_equal(got, np.maximum(sums + residual, 0).astype(dtype))


def test_a_result_over_its_residual_is_right(rng):
    x, w = rng.standard_normal((2, 4, 30, 40)), rng.standard_normal((4, 4, 3, 3))
    residual = rng.standard_normal((2, 4, 30, 40))
    expected = mc.conv(x, w, padding=1, residual=residual)
    assert mc.conv(x, w, padding=1, residual=residual, out=residual) is residual
    np.testing.assert_array_equal(residual, expected)


def test_types_of_the_epilogue_widen_the_result(rng):
    x, w = rng.random((1, 2, 9), "f4"), rng.random((3, 2, 2), "f4")
    assert mc.conv(x, w, scale=np.ones(3)).dtype == np.float64
    assert mc.conv(x, w, residual=np.ones((1, 3, 8))).dtype == np.float64
    assert mc.conv(x, w, residual=np.ones((1, 3, 8), np.int8)).dtype == np.float32
    got = mc.conv(x, w, residual=np.ones((1, 3, 8), np.int8))
    np.testing.assert_allclose(got, mc.conv(x, w) + 1, rtol=1e-6)


def test_layers_without_a_batch_axis_take_a_residual(rng):
    x, w, residual = rng.random((3, 9)), rng.random((4, 3, 2)), rng.random((4, 8))
    got = mc.conv(x, w, residual=residual)
    np.testing.assert_allclose(got, mc.conv(x, w) + residual, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": np.ones(5)}, "scale (5,) (6,)"),
        ({"scale": 2.0}, "scale () (6,)"),
        ({"scale": "two"}, "scale numbers"),
        ({"residual": np.ones((2, 6, 7))}, "residual (2, 6, 7) (2, 6, 8)"),
        ({"residual": np.ones((6, 1))}, "residual (6, 1) (2, 6, 8)"),
        ({"activation": "leaky_relu:"}, "activation 'leaky_relu:' slope 'leaky_relu:0.2'"),
        ({"activation": "leaky_relu:nan"}, "activation 'leaky_relu:nan' slope"),
        ({"activation": "relu:0.2"}, "activation 'relu:0.2' slope"),
        ({"activation": 0.2}, "activation 0.2 'leaky_relu'"),
    ],
)
def test_bad_epilogues_are_refused_by_name(options, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        mc.conv(np.ones((2, 3, 9)), np.ones((6, 3, 2)), **options)
    name, *others = words.split(" ", 1)
    assert str(caught.value).startswith(f"{name}:")
    for word in " ".join(others).split(" "):
        assert word in str(caught.value)


def test_plans_take_the_epilogue_as_arrays_or_shapes(rng):
    x, w = rng.random((2, 3, 9)), rng.random((4, 3, 2))
    more = everything(rng, x, w)
    expected = mc.conv(x, w, **more, activation="tanh")
    residual = more["residual"]
    held = mc.plan(mc.conv, x, w, **more, activation="tanh")
    np.testing.assert_array_equal(held(x, residual=residual), expected)
    shapes = {n: mc.ShapeDtype(a.shape) for n, a in more.items()}
    free = mc.plan(mc.conv, mc.ShapeDtype(x.shape), mc.ShapeDtype(w.shape), **shapes,
                   activation="tanh")  # fmt: skip
    np.testing.assert_array_equal(free(x, w, **more), expected)
    for missing in more:
        with pytest.raises(TypeError, match=f"{missing}: .* needs the {missing}"):
            free(x, w, **{n: a for n, a in more.items() if n != missing})
    with pytest.raises(ValueError, match=r"residual: .*\(2, 4, 8\)"):
        free(x, w, **more | {"residual": residual[:1]})
    with pytest.raises(ValueError, match="scale: the plan was made without one"):
        mc.plan(mc.conv, x, w)(x, scale=more["scale"])


def test_arrays_that_a_plan_holds_are_its_own(rng):
    x, w, scale = rng.random((2, 3, 9)), rng.random((4, 3, 2)), rng.random(4)
    plan = mc.plan(mc.conv, x, w, scale=scale)
    expected = plan(x)
    scale[...] = 0
    np.testing.assert_array_equal(plan(x), expected)


def test_tune_measures_layers_with_residuals(rng, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTICONV_CACHE_DIR", str(tmp_path))
    x, w = rng.random((1, 3, 9)), rng.random((4, 3, 2))
    residual = rng.random((1, 4, 8))
    plan = mc.tune(mc.conv, x, w, residual=residual, rounds=1)
    np.testing.assert_allclose(plan(x, residual=residual), mc.conv(x, w) + residual)


def test_infinite_residuals_reach_their_own_outputs(rng):
    x, w = rng.standard_normal((1, 1, 60, 70)), np.zeros((1, 1, 9, 9))
    w[0, 0] = np.outer(rng.random(9), rng.random(9)) + np.outer(rng.random(9), rng.random(9))
    residual = rng.standard_normal((1, 1, 52, 62))
    residual[0, 0, 3, 4], residual[0, 0, 40, 50] = np.inf, np.nan
    expected = mc.conv(x, w, residual=residual, method="reference")
    for name in registered():
        try:
            got = mc.conv(x, w, residual=residual, method=name)
        except ValueError:
            continue
        np.testing.assert_array_equal(np.isfinite(got), np.isfinite(expected))
        np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, math.pi, -0.5])
def test_slopes_are_kept_in_the_problem(alpha):
    problem = mc.plan(mc.conv, np.ones((1, 1, 9)), np.ones((1, 1, 2)),
                      activation=f"leaky_relu:{alpha}").problem  # fmt: skip
    assert problem.slope == alpha
    assert mc.Problem.parse(str(problem)) == problem
