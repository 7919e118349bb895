"""Plans: what they hold, what they look at, and that they serve other kernels than their own."""

import dataclasses
import json
import threading

import numpy as np
import pytest

import multiconv as mc
from multiconv import _core, _store, _wisdom
from multiconv._errors import RefusedError
from multiconv._planner import planner
from multiconv._registry import registered
from multiconv._traits import look


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


def test_kernels_of_many_slices_are_looked_at_where_it_may_pay(monkeypatch, rng):
    looked = []
    monkeypatch.setattr(
        mc._plan, "look", lambda k, *a, **o: looked.append(k.shape) or look(k, *a, **o)
    )
    for stride in (1, 2):
        x, w = rng.random((3, 2000, 6, 7), "f4"), rng.random((2000, 1, 3, 3), "f4")
        y = mc.conv(x, w, stride=stride, padding=1, groups=2000)
        mc.conv_input_grad(y, w, x.shape, stride=stride, padding=1, groups=2000)
    assert not looked
    x, w = rng.random((1, 20, 300, 311)), np.ones((20, 1, 31, 31))
    mc.conv(x, w, groups=20)
    assert looked == [(20, 1, 1, 31, 31)]


def test_infinite_taps_of_many_slices_do_not_meet_them_either(rng):
    w = rng.integers(1, 5, (20, 1, 3)).astype("f4")
    w[7, 0, 1] = np.inf
    got = mc.conv_transpose(np.ones((1, 20, 4), "f4"), w, stride=3, groups=20)
    want = mc.conv_transpose(np.ones((1, 20, 4), "f4"), w, stride=3, groups=20, method="reference")
    np.testing.assert_array_equal(got, want)


def test_nan_taps_stay_where_a_composite_would_transform_them(rng):
    x, w = np.ones((2, 64, 20, 21), "f2"), rng.random((64, 64, 3, 3)).astype("f2")
    w[3, 4, 1, 1] = np.nan
    y = mc.conv(x, w, padding=1)
    assert np.isnan(y[:, 3]).all()
    assert np.isfinite(np.delete(y, 3, 1)).all()


def test_the_only_candidate_says_so():
    plan = mc.plan(
        mc.convolve, mc.ShapeDtype((9,), "longdouble"), mc.ShapeDtype((3,), "longdouble")
    )
    assert plan.explain().rows[0].reason == "no other can run it within the limits"


def test_with_kernel_repacks_and_leaves_the_plan_alone(rng):
    x, bias, scale = rng.random((2, 8, 12, 13)), rng.random(9), rng.random(9)
    first, second = rng.random((2, 9, 8, 3, 3))
    plan = mc.plan(mc.conv, x, first, bias, scale=scale, activation="relu")
    other = plan.with_kernel(second)
    options = {"activation": "relu"}
    want = mc.conv(x, second, bias, scale=scale, **options)
    np.testing.assert_array_equal(other(x), want)
    np.testing.assert_array_equal(plan(x), mc.conv(x, first, bias, scale=scale, **options))
    both = plan.with_kernel(second, bias=bias + 1, scale=scale - 2)
    want = mc.conv(x, second, bias + 1, scale=scale - 2, **options)
    np.testing.assert_array_equal(both(x), want)
    second[...] = 0
    np.testing.assert_array_equal(both(x), want)


def test_with_kernel_chooses_again_where_values_tell(rng):
    x, smooth = rng.random((300, 310)), np.outer(rng.random(41), rng.random(43))
    plan = mc.plan(mc.convolve, x, smooth, mode="same")
    holes = rng.random((41, 43))
    holes[3, 4] = np.nan
    other = plan.with_kernel(holes)
    assert other.algorithm != plan.algorithm
    want = mc.convolve(x, holes, "same", method="reference")
    np.testing.assert_array_equal(np.isnan(other(x)), np.isnan(want))


def test_with_kernel_checks_what_it_is_given(rng):
    plan = mc.plan(mc.conv, np.ones((1, 2, 9)), np.ones((3, 2, 2)))
    for wrong in (np.ones((3, 2, 3)), np.ones((2, 3, 2)), np.ones((3, 2, 2), "f4")):
        with pytest.raises(ValueError, match=r"w: .* does not fit this plan"):
            plan.with_kernel(wrong)
    with pytest.raises(ValueError, match="bias: the plan was made without one"):
        plan.with_kernel(np.ones((3, 2, 2)), bias=np.ones(3))


def held(prepared):
    """Bytes of everything that a prepared kernel holds."""
    if isinstance(prepared, _core.Packed):
        return prepared.bytes
    if isinstance(prepared, np.ndarray):
        return prepared.nbytes
    if dataclasses.is_dataclass(prepared):
        return sum(held(getattr(prepared, f.name)) for f in dataclasses.fields(prepared))
    return sum(map(held, prepared)) if isinstance(prepared, tuple) else 0


def arrays_of(prepared):
    if isinstance(prepared, np.ndarray):
        yield prepared
    elif dataclasses.is_dataclass(prepared):
        for field in dataclasses.fields(prepared):
            yield from arrays_of(getattr(prepared, field.name))
    elif isinstance(prepared, tuple):
        for part in prepared:
            yield from arrays_of(part)


def test_nobody_can_write_to_a_prepared_kernel(rng):
    rank_two = sum(np.outer(rng.random(15), rng.random(17)) for _ in range(2))
    looked_at = set()
    for name in registered():
        for shape, w in (((90, 91), rank_two), ((3, 4, 9), rng.random((5, 4, 3)))):
            function = mc.conv if len(shape) == 3 else mc.correlate
            try:
                plan = mc.plan(function, mc.ShapeDtype(shape), w, method=name)
            except RefusedError:
                continue
            for array in arrays_of(plan._prepared):
                looked_at.add(name)
                assert not array.flags.writeable, name
    assert {"reference", "low_rank"} <= looked_at


@pytest.mark.parametrize(
    "text",
    ["mb1 ic64 oc30 in20x21 k3x3 float32", "mb1 in200x210 k31x29 float32", "in9000 k700 float64",
     "mb1 ic3 oc4 in40x41 k5x4 float16", "mb1 ic4 oc4 g4 in60x61 k9x9 int16"],
)  # fmt: skip
def test_prepared_bytes_are_true(text, rng):
    problem = mc.Problem.parse(text)
    shape = (problem.groups, problem.group_out, problem.group_in, *problem.kernel)
    kernels = [rng.integers(1, 4, shape), np.ones(shape)]
    kernels.append(kernels[0][..., :1] * kernels[0][..., :1, :] if problem.rank > 1 else kernels[0])
    for kernel, (name, algorithm) in ((k, a) for k in kernels for a in registered().items()):
        kernel = np.broadcast_to(kernel, shape).astype(problem.w_dtype)
        traits = look(kernel.astype(problem.acc_dtype), problem.rank)
        if algorithm.accepts(problem, traits) is not None or algorithm.last_resort:
            continue  # the latter's bands share what they prepared
        stated = algorithm.prepared_bytes(problem, traits, planner)
        prepared = algorithm.prepare(problem, kernel, traits, planner)
        assert 0.9 * held(prepared) <= stated <= 1.1 * held(prepared) + 64, name


def test_a_plan_tells_its_prepared_bytes(rng):
    w = rng.random((64, 64, 3, 3), "f4")
    plan = mc.plan(mc.conv, mc.ShapeDtype((1, 64, 20, 20), "f4"), w, method="direct")
    assert plan.prepared_bytes == w.nbytes
    free = mc.plan(mc.conv, mc.ShapeDtype((1, 64, 20, 20), "f4"), mc.ShapeDtype(w.shape, "f4"),
                   method="direct")  # fmt: skip
    assert free.prepared_bytes == w.nbytes


@pytest.mark.parametrize("low", [False, True])
def test_prepared_kernels_are_as_small_as_is_asked_for(low, rng):
    for shape in ((128, 512, 3, 3), (33, 700, 5, 5), (384, 1, 31, 31), (16, 16, 64, 64)):
        x = mc.ShapeDtype((1, shape[1] if shape[1] > 1 else 384, 80, 80), "f4")
        plan = mc.plan(mc.conv, x, mc.ShapeDtype(shape, "f4"), low_memory=low,
                       groups=384 if shape[1] == 1 else 1)  # fmt: skip
        assert plan.problem.low_memory == low
        weights = 4 * int(np.prod(shape))
        more = 2**20 if low or shape[1] > 1 else 2**26
        assert plan.prepared_bytes <= weights * (1 if low else 4.5) + more


def test_low_memory_is_an_argument_of_layers(rng):
    x, w = rng.random((1, 4, 9)), rng.random((6, 4, 3))
    np.testing.assert_allclose(mc.conv(x, w, low_memory=True), mc.conv(x, w))
    t = rng.random((4, 6, 3))
    np.testing.assert_allclose(mc.conv_transpose(x, t, low_memory=True), mc.conv_transpose(x, t))
    # Asked for both, a method that cannot keep its kernel small is refused.
    big = mc.ShapeDtype((384, 1, 31, 31), "f4")
    with pytest.raises(ValueError, match=r"method: 'overlap_save' keeps \d+ bytes"):
        mc.plan(mc.conv, mc.ShapeDtype((1, 384, 80, 80), "f4"), big, groups=384, low_memory=True,
                method="overlap_save")  # fmt: skip


def test_threads_share_a_plan(rng):
    x, w = rng.random((2, 16, 30, 31)), rng.random((17, 16, 3, 3))
    plan = mc.plan(mc.conv, x, w, bias=rng.random(17), activation="gelu")
    want, results = plan(x), [None] * 4

    def work(number):
        results[number] = all(np.array_equal(plan(x), want) for _ in range(20))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results)


def test_further_arguments_by_position():
    x, h = np.arange(5.0), np.array([1.0, -2.0, 4.0])
    plan = mc.plan(mc.convolve, x, h, "same")
    np.testing.assert_array_equal(plan(x), mc.convolve(x, h, "same"))
    grad, w = np.ones((1, 2, 3)), np.ones((2, 1, 2))
    assert mc.plan(mc.conv_input_grad, grad, w, (1, 1, 4)).out_shape == (1, 1, 4)
    with pytest.raises(TypeError, match="takes 3 arguments by position, got 4"):
        mc.plan(mc.convolve, x, h, "same", 0)
    with pytest.raises(TypeError, match="mode: is given by position and by name"):
        mc.plan(mc.convolve, x, h, "same", mode="full")
