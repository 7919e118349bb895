"""The public surface: what there is, what an import costs, what every call promises."""

import inspect
import re

import numpy as np
import pytest

import multiconv as mc

CONTRACT = {
    "convolve", "correlate", "conv", "conv1d", "conv2d", "conv3d", "conv_transpose",
    "conv_input_grad", "conv_weight_grad", "max_pool", "avg_pool", "plan", "tune", "algorithms",
    "set_num_threads", "get_num_threads", "num_threads", "ShapeDtype", "kernels", "continuous",
    "Problem", "Plan", "__version__",
}  # fmt: skip

SIGNATURES = {
    "convolve": "x h mode axes boundary cval stride dilation dtype precision method out",
    "correlate": "x h mode axes boundary cval stride dilation dtype precision method out",
    "conv": "x w bias stride padding dilation groups padding_mode data_format activation flip "
            "precision method out scale residual low_memory",
    "conv1d": "input weight bias stride padding dilation groups",
    "conv2d": "input weight bias stride padding dilation groups",
    "conv3d": "input weight bias stride padding dilation groups",
    "conv_transpose": "x w bias stride padding output_padding dilation groups data_format "
                      "precision method out activation scale residual low_memory",
    "conv_input_grad": "grad w x_shape stride padding dilation groups padding_mode data_format",
    "conv_weight_grad": "x grad w_shape stride padding dilation groups padding_mode data_format",
    "max_pool": "x size stride padding dilation ceil_mode",
    "avg_pool": "x size stride padding dilation ceil_mode",
}  # fmt: skip


def test_exported_members_are_sorted_complete_and_there():
    assert mc.__all__ == sorted(mc.__all__)
    assert set(mc.__all__) >= CONTRACT
    public = {n for n, v in vars(mc).items() if not n.startswith("_") and not inspect.ismodule(v)}
    assert public <= set(mc.__all__)
    for name in mc.__all__:
        assert hasattr(mc, name)


@pytest.mark.parametrize(("name", "words"), SIGNATURES.items())
def test_signatures(name, words):
    found = list(inspect.signature(getattr(mc, name)).parameters)
    assert found[: len(words.split())] == words.split()


def test_exports_have_docstrings():
    for name in set(mc.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(mc, name)), name


def test_the_version_is_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.\w+)?", mc.__version__)


def test_import_brings_in_numpy_and_nothing_else(python):
    code = """
import sys
import numpy
before = set(sys.modules)
import multiconv
standard = set(sys.stdlib_module_names)
new = {m.partition(".")[0] for m in set(sys.modules) - before}
print(sorted(new - standard - {"numpy"}))
"""
    assert python(code).stdout.strip() == "['multiconv']"


def test_import_and_calls_print_nothing_and_start_no_thread(python):
    code = """
import multiconv, threading, os
assert threading.active_count() == 1
assert len(os.listdir("/proc/self/task")) == 1 if os.path.isdir("/proc/self/task") else True
multiconv.convolve([1.0, 2.0], [3.0])
"""
    done = python(code, OPENBLAS_NUM_THREADS="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_line_is_the_module_too(python):
    done = python(
        "import runpy, sys; sys.argv = ['multiconv', '--help']; "
        "runpy.run_module('multiconv', run_name='__main__')"
    )
    assert "convol" in done.stdout.lower()


def test_a_missing_extra_says_how_to_get_it(python):
    code = """
import sys
for name in ("typer", "rich", "hypothesis"):
    sys.modules[name] = None
import multiconv as mc
from multiconv import testing
try:
    testing.problems()
except mc.MissingExtraError as error:
    print(error)
"""
    done = python(code)
    assert "pip install" in done.stdout, done.stderr


@pytest.mark.parametrize("function", [mc.conv1d, mc.conv2d, mc.conv3d])
def test_layers_by_rank_are_the_layer(function, rng):
    rank = int(function.__name__[4])
    x = rng.standard_normal((2, 4, 7, 8, 9)[: 2 + rank])
    w = rng.standard_normal((6, 2, 3, 2, 1)[: 2 + rank])
    bias = rng.standard_normal(6)
    got = function(x, w, bias, 2, 1, 1, 2)
    np.testing.assert_array_equal(got, mc.conv(x, w, bias, stride=2, padding=1, groups=2))
    with pytest.raises(ValueError, match=f"conv{rank}d"):
        function(x[..., None], w[..., None])


def test_lists_of_numbers_and_scalars_are_arrays():
    assert mc.convolve([1, 2, 3], (1, 1)).tolist() == [1, 3, 5, 3]
    assert mc.convolve([1, 2], [2.5]).dtype == np.float64
    assert mc.conv([[[1.0, 2.0, 4.0]]], [[[1.0, -1.0]]], [10.0]).tolist() == [[[9.0, 8.0]]]


@pytest.mark.parametrize("mode", ["full", "same", "valid", ("same", "full"), ("valid", "same")])
@pytest.mark.parametrize("boundary", ["constant", "wrap", ("edge", "reflect")])
def test_batch_axes_do_not_mix(mode, boundary, rng):
    x = rng.standard_normal((3, 2, 11, 9))
    h = rng.standard_normal((4, 3))
    whole = mc.convolve(x, h, mode, boundary=boundary)
    for i in range(3):
        for j in range(2):
            one = mc.convolve(x[i, j], h, mode, boundary=boundary)
            np.testing.assert_allclose(whole[i, j], one, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("axes", [0, 1, 2, -1, (0, 2), (2, 0), (1, 0), (0, 1, 2)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_axes_are_moved_to_the_end_and_back(axes, mode, rng):
    x = rng.standard_normal((6, 7, 8))
    named = (axes,) if isinstance(axes, int) else axes
    h = rng.standard_normal((3, 2, 4)[: len(named)])
    got = mc.convolve(x, h, mode, axes=axes)
    expected = mc.convolve(np.moveaxis(x, named, range(-len(named), 0)), h, mode)
    expected = np.moveaxis(expected, range(-len(named), 0), named)
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("x_shape", "h_shape"),
    [((3, 9), (3, 4)), ((3, 9), (1, 4)), ((1, 9), (3, 4)), ((2, 3, 9), (2, 1, 4)),
     ((2, 1, 9), (1, 5, 4)), ((2, 3, 9), (2, 3, 4)), ((2, 1, 5, 9), (1, 3, 5, 4))],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_other_axes_broadcast_as_numpys_do(x_shape, h_shape, mode, rng):
    x, h = rng.standard_normal(x_shape), rng.standard_normal(h_shape)
    got = mc.convolve(x, h, mode, axes=-1)
    lead = np.broadcast_shapes(x_shape[:-1], h_shape[:-1])
    xs = np.broadcast_to(x, (*lead, x_shape[-1]))
    hs = np.broadcast_to(h, (*lead, h_shape[-1]))
    for index in np.ndindex(lead):
        expected = np.convolve(xs[index], hs[index], mode)
        np.testing.assert_allclose(got[index], expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["x", "h"])
def test_inputs_are_left_alone(name, rng):
    arrays = {"x": rng.standard_normal((20, 30)), "h": rng.standard_normal((5, 4))}
    before = arrays[name].copy()
    mc.convolve(arrays["x"], arrays["h"], "same", boundary="reflect")
    np.testing.assert_array_equal(arrays[name], before)


@pytest.mark.parametrize("activation", [None, "relu", "gelu", "hard_swish"])
def test_bias_and_activation_follow_the_sums(activation, rng):
    from multiconv._activations import activate

    x, w = rng.standard_normal((2, 4, 9, 8)), rng.standard_normal((6, 4, 3, 2))
    bias = rng.standard_normal(6)
    got = mc.conv(x, w, bias, activation=activation)
    expected = activate(activation, mc.conv(x, w) + bias[:, None, None])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_calls_are_planned_once(rng):
    from multiconv import _api

    x, h = rng.standard_normal(50), rng.standard_normal(7)
    mc.convolve(x, h)
    before = len(_api._plans)
    for _ in range(3):
        mc.convolve(x, h)
    assert len(_api._plans) == before
