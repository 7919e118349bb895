"""Plans: what they hold, what they look at, and that they serve other kernels than their own."""

import json

import numpy as np
import pytest

import multiconv as mc
from multiconv import _store, _wisdom
from multiconv._planner import planner


@pytest.fixture
def wisdom(tmp_path, monkeypatch):
    """A cache directory without choices."""
    monkeypatch.setenv("MULTICONV_CACHE_DIR", str(tmp_path))
    _wisdom._choices.cache_clear()
    yield tmp_path
    _wisdom._choices.cache_clear()
    planner.forget()
    mc._api._plans.clear()


def test_a_plan_bound_to_a_rank_one_kernel_takes_another(rng):
    x, h = rng.random((32, 37)), rng.random((21, 13))
    plan = mc.plan(mc.convolve, x, np.outer(rng.random(21), rng.random(13)), mode="same")
    want = mc.convolve(x, h, "same", method="reference")
    np.testing.assert_allclose(plan(x, h), want, rtol=1e-11)


def test_a_plan_holds_its_own_copy_of_the_kernel(rng):
    x, h = rng.random(50), rng.random(4)
    plan = mc.plan(mc.convolve, x, h)
    want = plan(x)
    h[:] = 0
    assert np.array_equal(plan(x), want)


def test_small_mixed_jobs_look_at_the_kernel_too(rng):
    x, h = rng.random(500).astype("f4"), rng.random(301)
    h[150:] *= 1e20
    x[100:] = 0
    got, want = mc.convolve(x, h), mc.convolve(x, h, method="reference")
    np.testing.assert_allclose(got[:100], want[:100], rtol=1e-9)


def test_a_tuned_choice_that_needs_the_kernels_values_is_used(wisdom, rng):
    x, h = rng.random((40, 50)), np.outer([1.0, 2, 3], [4.0, 5, 6])
    plan = mc.plan(mc.convolve, x, h)
    _wisdom.remember(plan.problem, "separable")
    planner.forget()
    mc._api._plans.clear()
    assert mc.plan(mc.convolve, x, h).algorithm == "separable"
    np.testing.assert_allclose(mc.convolve(x, h), plan(x), rtol=1e-12)
    other = rng.random((3, 3))
    want = mc.convolve(x, other, method="reference")
    np.testing.assert_allclose(mc.convolve(x, other), want, rtol=1e-12)


def test_processes_add_to_each_others_wisdom(wisdom):
    first, second = (mc.Problem.parse(f"in{n} k3") for n in (10, 11))
    _wisdom.remember(first, "direct")
    (file,) = wisdom.glob("wisdom-*.json")
    theirs = json.loads(file.read_text()) | {"another process' problem": "gemm"}
    _store.save(file.name, theirs)
    _wisdom.remember(second, "direct")
    kept = json.loads(file.read_text())
    assert set(theirs) < set(kept)
    assert len(kept) == 3


def test_tune_measures_every_method_so_it_takes_none(wisdom):
    with pytest.raises(TypeError, match=r"method: .*leave it out"):
        mc.tune(mc.convolve, np.ones(9), np.ones(3), method="direct")


def test_tune_remembers_across_processes(wisdom, python):
    code = (
        "import numpy as np, multiconv as mc\n"
        "x, h = np.ones((30, 40)), np.ones((3, 5))\n"
        "{}\n"
        "print(mc.plan(mc.convolve, x, h).explain().rows[0])"
    )
    environment = {"MULTICONV_CACHE_DIR": str(wisdom)}
    assert "tune" not in python(code.format(""), **environment).stdout
    tuned = python(code.format("mc.tune(mc.convolve, x, h, rounds=1)"), **environment)
    assert "measured fastest by tune" in tuned.stdout, tuned.stderr
    assert "measured fastest by tune" in python(code.format(""), **environment).stdout


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_folded_gradients_go_into_an_array_given(mode, rng):
    w, shape = rng.random((4, 3, 3, 2)), (2, 3, 7, 9)
    options = {"padding": (1, 2), "padding_mode": mode}
    grad = rng.random(mc.conv(np.zeros(shape), w, **options).shape)
    want, out = mc.conv_input_grad(grad, w, shape, **options), np.empty(shape)
    assert mc.conv_input_grad(grad, w, shape, **options, out=out) is out
    assert np.array_equal(out, want)


@pytest.mark.parametrize("axes", [(0, 2), (2, 0), (1, 2), (2, 1), (3, 0)])
def test_kernels_for_named_axes_alone_or_as_wide_as_the_data(axes, rng):
    x, h = rng.random((10, 5, 6, 37)), rng.random((3, 2))
    got = mc.convolve(x, h, axes=axes, boundary="wrap", stride=(2, 1), dilation=(1, 2))
    moved = np.ascontiguousarray(np.moveaxis(x, axes, (-2, -1)))
    want = mc.convolve(moved, h, boundary="wrap", stride=(2, 1), dilation=(1, 2))
    np.testing.assert_allclose(np.moveaxis(got, axes, (-2, -1)), want, rtol=1e-13)


def test_infinite_taps_do_not_meet_the_zeros_of_input_dilation():
    got = mc.conv_transpose(np.ones((1, 1, 3)), [[[1, np.inf, 1]]], stride=3)
    assert got.ravel().tolist()[1:-1] == [np.inf, 1, 1, np.inf, 1, 1, np.inf]
    assert np.isnan(got.ravel()[[0, -1]]).all()  # boundary values count as data


def test_the_only_candidate_says_so():
    plan = mc.plan(
        mc.convolve, mc.ShapeDtype((9,), "longdouble"), mc.ShapeDtype((3,), "longdouble")
    )
    assert plan.explain().rows[0].reason == "no other can run it within the limits"
