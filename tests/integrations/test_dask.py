"""Dask arrays in, Dask arrays out: lazily, in the input's chunks, with the bits of the whole."""

import os
import signal

import dask
import dask.array as da
import numpy as np
import pytest

import multiconv as mc
from multiconv.dask._hysteresis import connected
from multiconv.filters import _hysteresis as hysteresis

BOUNDARIES = ["constant", "edge", "reflect", "symmetric", "wrap"]
FILTERS = [name for name in mc.filters.__all__ if name not in ("canny", "gradient")]


@pytest.fixture(autouse=True)
def _plainly():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def whole(rng):
    """Random whole numbers of a shape."""
    return lambda *shape: rng.integers(-9, 10, shape)


@pytest.fixture
def uncomputed():
    """A Dask array that cannot be computed."""

    def refuse(block):
        raise AssertionError("computed")

    return da.zeros((20, 30), chunks=(7, 11)).map_blocks(refuse, dtype="f4", meta=np.empty((0, 0)))


def check(function, x, *args, chunks, rtol=0.0, **options):
    """Compare with the whole; the lazy result."""
    expected = function(x, *args, **options)
    found = function(da.from_array(x, chunks=chunks), *args, **options)
    assert type(found) is da.Array
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    computed = found.compute()
    assert computed.dtype == expected.dtype
    np.testing.assert_allclose(computed, expected, rtol=rtol, atol=rtol * 100)
    return found


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_every_mode_and_boundary(mode, boundary, whole):
    x, h = whole(2, 9, 13), whole(5, 4)
    for stride, dilation in ((1, 1), ((2, 3), 1), (1, (2, 1)), ((3, 1), (1, 2))):
        for chunks in (((1, 1), (4, 3, 2), (5, 1, 7)), (2, 3, 4)):
            options = {"stride": stride, "dilation": dilation, "cval": 5}
            check(mc.convolve, x, h, mode, boundary=boundary, chunks=chunks, **options)
            check(mc.correlate, x, h, mode, boundary=boundary, chunks=chunks, **options)


def test_chunks_of_one_sample_and_windows_over_many_chunks(whole):
    for boundary in BOUNDARIES:
        check(mc.convolve, whole(5, 7), whole(4, 9), "same", boundary=boundary, chunks=1)


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_layers(data_format, whole):
    x, w, bias = whole(3, 4, 9, 11), whole(6, 2, 3, 2), whole(6)
    chunks = [(1, 2, 3, 4), (3, 4, 9, 11)]
    if data_format == "channels_last":
        x, w, chunks = x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), [(1, 3, 4, 2)]
    for each in chunks:
        options = {"groups": 2, "padding": "same", "stride": 2, "padding_mode": "circular"}
        check(mc.conv, x, w, bias, data_format=data_format, chunks=each, **options)


def test_layers_of_each_rank(whole):
    check(mc.conv1d, whole(2, 2, 19), whole(4, 2, 3), whole(4), 2, 3, chunks=(1, 2, 5))
    check(mc.conv2d, whole(2, 2, 9, 8), whole(4, 1, 3, 2), None, 1, 1, 2, 2, chunks=(1, 2, 4, 3))
    check(mc.conv3d, whole(1, 1, 5, 9, 8), whole(4, 1, 3, 2, 1), chunks=(1, 1, 2, 4, 3))


def test_results_are_in_the_inputs_chunks(whole):
    x = da.from_array(whole(30, 41), chunks=(7, (20, 1, 20)))
    h = np.ones((4, 6), int)
    for lazy in (mc.convolve(x, h, "same"), mc.filters.box(x, 4, origin=1), mc.filters.sobel(x)):
        assert lazy.chunks == x.chunks
    assert mc.convolve(x, h, "same", stride=(2, 1)).chunks[0] == (4, 3, 4, 3, 1)
    assert mc.convolve(x, h, "valid").chunks == ((5, 7, 7, 7, 1), (17, 1, 18))
    assert mc.convolve(x, h, "full").chunks == ((8, 7, 7, 7, 4), (22, 1, 23))
    assert mc.convolve(x, np.ones((4, 41), int), "valid").chunks[1] == (1,)
    channels = da.ones((2, 4, 9), chunks=(1, 2, 3))
    assert mc.conv(channels, np.ones((6, 4, 3))).chunks == ((1, 1), (6,), (2, 3, 2))


@pytest.mark.parametrize("name", FILTERS)
def test_filters(name, rng):
    x = rng.standard_normal((11, 14))
    for boundary in BOUNDARIES:
        check(getattr(mc.filters, name), x, boundary=boundary, chunks=(4, 5), rtol=1e-12)


def test_filters_of_colour_pictures(rng):
    x = rng.integers(0, 256, (31, 24, 3), dtype=np.uint8)
    check(mc.filters.sobel, x, dtype="int16", channel_axis=-1, chunks=(8, 24, 1))
    check(mc.filters.unsharp, x / 9, 1.5, channel_axis=2, chunks=(8, 7, 3), rtol=1e-12)


def test_a_filter_with_two_results(rng):
    x = rng.standard_normal((21, 14))
    lazy = mc.filters.gradient(da.from_array(x, chunks=(8, 5)), kind="scharr")
    found = dask.compute(*lazy)
    for a, b in zip(found, mc.filters.gradient(x, kind="scharr"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", ["constant", "wrap", "reflect"])
@pytest.mark.parametrize("masked", [False, True])
def test_edges_hang_together_across_chunks(boundary, masked, rng):
    x = 10 * mc.filters.gaussian(rng.standard_normal((70, 83)), 2)
    mask = rng.random(x.shape) > 0.01 if masked else None
    options = {"low_threshold": 0.05, "high_threshold": 9, "mask": mask, "boundary": boundary}
    expected = mc.filters.canny(x, **options)
    alone = mc.filters.canny(x, **{**options, "low_threshold": 9})
    assert expected.sum() > 3 * alone.sum() > 0
    for chunks in (20, (7, 83), (70, 9), ((1, 69), (40, 43))):
        lazy = mc.filters.canny(da.from_array(x, chunks=chunks), **options)
        np.testing.assert_array_equal(lazy.compute(), expected)


def test_lines_that_wind_through_many_chunks(rng):
    marks = (rng.random((61, 53)) < 0.42).astype(np.uint8)
    marks[20, :] = marks[40, :-1] = 0
    marks[5, np.flatnonzero(marks[5])[0]] = marks[60, np.flatnonzero(marks[60])[-1]] = 2
    expected = hysteresis.connected(marks > 0, marks == 2)
    assert 100 < expected.sum() < (marks > 0).sum() - 100
    for chunks in ((3, 2), 6, (17, 53), (61, 9)):
        found = connected(da.from_array(marks, chunks=chunks)).compute()
        np.testing.assert_array_equal(found, expected)


def test_nothing_is_computed_before_it_is_asked_for(uncomputed):
    for lazy in (
        mc.convolve(uncomputed, np.ones((3, 4))),
        mc.conv(uncomputed[None, None], np.ones((2, 1, 3, 3), np.float32)),
        mc.filters.gaussian(uncomputed, 2),
        mc.filters.canny(uncomputed),
    ):
        with pytest.raises(AssertionError, match="computed"):
            lazy.compute()


def test_a_graph_has_few_tasks_for_each_chunk():
    def tasks(lazy, rank):
        return len(lazy.dask.layers[lazy.name]) / 4**rank

    for rank, most in ((1, 3), (2, 5), (3, 7)):
        assert tasks(mc.filters.gaussian(da.ones((40,) * rank, chunks=10), 0.5), rank) <= most
        assert tasks(mc.filters.sobel(da.ones((40,) * rank, chunks=20)), rank) <= most


def test_a_result_that_is_sliced_computes_no_more():
    counted = []

    def count(block, block_info=None):
        counted.append(block_info[0]["chunk-location"])
        return block

    x = da.ones((40, 40), chunks=10).map_blocks(count, dtype=float, meta=np.empty((0, 0)))
    mc.filters.sobel(x)[12:18, 3:5].compute()
    assert sorted(counted) == [(r, c) for r in (0, 1, 2) for c in (0, 1)]


def test_names_tell_calls_apart():
    x = da.ones((9, 8), chunks=4)
    names = [
        lazy.name
        for h in ([[1, 2]], [[1, 3]])
        for lazy in (mc.convolve(x, h), mc.correlate(x, h), mc.convolve(x, h, "same"))
    ]
    assert len(set(names)) == 6
    assert mc.convolve(x, [[1, 2]]).name == names[0]


def test_threads(whole):
    x, h = whole(90, 80), whole(4, 5)
    lazy = mc.convolve(da.from_array(x, chunks=20), h, "same", boundary="wrap")
    found = lazy.compute(scheduler="threads", num_workers=4)
    np.testing.assert_array_equal(found, mc.convolve(x, h, "same", boundary="wrap"))


def test_nothing_of_nothing(whole):
    check(mc.convolve, whole(2, 0), whole(3), "same", chunks=1)
    check(mc.filters.canny, whole(0, 5), chunks=1)
    check(mc.convolve, whole(2, 5), whole(3), chunks=((2,), (0, 3, 0, 2)))


X = da.ones((8, 9), chunks=4)
BAD = [
    (lambda: mc.convolve(np.ones(9), da.ones(3)), TypeError, r"h: lazy Dask.*compute\(\)"),
    (lambda: mc.convolve(X, da.ones((3, 3))), TypeError, r"h: lazy Dask.*compute\(\)"),
    (lambda: mc.convolve(X, np.ones((3, 3)), out=np.ones((8, 9))), TypeError, "out: is not"),
    (lambda: mc.convolve(X, np.ones((9, 3)), "valid"), ValueError, "kernel: its window covers 9"),
    (lambda: mc.convolve(X, [[1]], boundary="odd"), ValueError, "boundary: 'odd'"),
    (lambda: mc.convolve(X[X[:, 0] > 0], [1]), ValueError, "x: shape.*compute_chunk_sizes"),
    (lambda: mc.convolve(dask.delayed(1), [1]), TypeError, r"x: a Dask Delayed.*compute\(\)"),
    (lambda: mc.conv_transpose(X[None], np.ones((8, 1, 3))), TypeError, "x: conv_transpose takes"),
    (lambda: mc.filters.gaussian(X, axes=2), ValueError, "axes: 2"),
    (lambda: mc.filters.canny(X[0]), ValueError, "x: float64 of shape"),
    (lambda: mc.filters.canny(X, use_quantiles=True), ValueError, "use_quantiles: True needs"),
    (lambda: mc.filters.canny(X, mask=np.ones(3)), ValueError, r"mask: shape \(3,\)"),
    (lambda: mc.convolve(da.ones(4).map_blocks(np.ma.masked_array), [1]), TypeError, "masked"),
    (lambda: mc.convolve(da.from_array(np.array(["a"])), [1]), TypeError, "x: dtype <U1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[m for *_, m in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_dask_is_imported_for_its_arrays_only(python):
    done = python(
        "import sys, numpy as np, multiconv as mc; mc.filters.canny(np.ones((9, 9)));"
        "assert not {'dask', 'xarray', 'multiconv.dask', 'multiconv.xarray'} & set(sys.modules)"
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_dask_is_named(python):
    done = python("import sys; sys.modules['dask'] = None; import multiconv.dask")
    assert "multiconv.dask needs Dask: pip install 'multiconv[dask]'" in done.stderr


def test_a_cluster_that_loses_a_worker(rng):
    distributed = pytest.importorskip("distributed")
    x, h = rng.integers(-9, 10, (200, 300)), rng.integers(-9, 10, (3, 5))
    options = {"boundary": "wrap", "stride": (2, 1)}
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        chunks = da.from_array(x, chunks=(50, 60))
        lazy = [mc.convolve(chunks, h, "same", **options), mc.filters.sobel(chunks)]
        futures = client.compute(lazy)
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        found = client.gather(futures)
    np.testing.assert_array_equal(found[0], mc.convolve(x, h, "same", **options))
    np.testing.assert_array_equal(found[1], mc.filters.sobel(x))
