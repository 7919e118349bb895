"""Streams: the samples of `convolve`, whatever the blocks; and what they refuse."""

from __future__ import annotations

import copy
import pickle
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import multiconv as mc
from multiconv.streaming import Stream, _partition
from multiconv.streaming._partition import Load, partition

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "streaming.py"
LONG = 700  # taps that take partitions of several lengths, in blocks of 4

DTYPES = ["float32", "float64", "complex64", "complex128"]


@pytest.fixture(autouse=True)
def short_kernels_are_spread(monkeypatch):
    """As if calls took no time, so that short kernels are partitioned as long ones are."""
    monkeypatch.setattr(_partition, "CALLS", 0)
    forget_partitions()
    yield
    forget_partitions()


def forget_partitions():
    _partition.partition.cache_clear()
    _partition._best.cache_clear()


def whole_numbers(rng, shape, dtype="float64"):
    values = rng.integers(-9, 10, shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.integers(-9, 10, shape)
    return values.astype(dtype)


def offline(x, h):
    """What a stream through `h` gives in the end, by direct summation."""
    x = x.reshape(len(x), -1)
    if h.ndim == 1:
        h = np.stack([h] * x.shape[1])
    if h.ndim == 2:
        return mc.convolve(x, h.T, axes=0, precision="highest")
    rows = [
        sum(mc.convolve(x[:, i], taps, precision="highest") for i, taps in enumerate(row))
        for row in h
    ]
    return np.stack(rows, axis=1)


def cut(x, sizes):
    """`x` in blocks of these sizes, again and again."""
    start = turn = 0
    while start < len(x):
        size = sizes[turn % len(sizes)]
        yield x[start : start + size]
        start, turn = start + size, turn + 1


def streamed(stream, x, sizes=(7, 1, 0, 30, 4)):
    """All that a stream gives, without the silence of its latency."""
    pieces = [stream.process(block) for block in cut(x, sizes)]
    return np.concatenate([*pieces, stream.flush()])[stream.latency :]


def is_spread(stream):
    return len(stream._parts) > 1


# --- the samples


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("latency", [4, 0])
@pytest.mark.parametrize("shape", [(LONG,), (3, LONG), (2, 3, LONG), (1, 3, 2), (3, 1)])
def test_samples_are_those_of_convolve(rng, shape, latency, dtype):
    h, x = whole_numbers(rng, shape, dtype), whole_numbers(rng, (1501, 3), dtype)
    stream = Stream(h, 4, channels=3, latency=latency)
    assert is_spread(stream) == (shape[-1] == LONG)
    found, expected = streamed(stream, x), offline(x, h)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.3)
    np.testing.assert_array_equal(np.round(found), expected)


@given(
    block=st.integers(1, 40), taps=st.integers(1, 400), count=st.integers(0, 500),
    direct=st.booleans(), sizes=st.lists(st.integers(0, 90), min_size=1, max_size=4),
)  # fmt: skip
def test_any_sizes(block, taps, count, direct, sizes):
    rng = np.random.default_rng(taps)
    h, x = rng.standard_normal((2, taps)), rng.standard_normal((count, 2))
    stream = Stream(h, block, latency=0 if direct else None)
    found = streamed(stream, x, [*sizes, 11])
    assert found.shape == (count + taps - 1, 2)
    if count:
        np.testing.assert_allclose(found, offline(x, h), rtol=0, atol=1e-12)


def test_error_is_that_of_a_transform(rng):
    h, x = rng.standard_normal((2, 20_000), "f4"), rng.standard_normal((30_000, 2), "f4")
    stream = Stream(h, 64)
    assert is_spread(stream)
    error = streamed(stream, x, [64]) - offline(x.astype("f8"), h.astype("f8"))
    assert np.abs(error).max() < 30 * np.finfo("f4").eps * np.linalg.norm(h[0])


def test_bits_do_not_depend_on_how_the_signal_is_cut(rng):
    h, x = rng.standard_normal(LONG), rng.standard_normal(2000)
    found = [streamed(Stream(h, 4), x, sizes) for sizes in ((4,), (1,), (2000,), (3, 17, 0))]
    assert all(np.array_equal(found[0], other) for other in found)


@pytest.mark.parametrize("latency", [5, 0])
def test_latency_is_exact(latency):
    stream = Stream([7.0, 3.0], 5, latency=latency)
    found = np.concatenate([stream.process(np.eye(1, 1)[0]), stream.process(np.zeros(10))])
    assert stream.latency == latency
    expected = np.zeros(11)
    expected[latency : latency + 2] = 7, 3
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_form_of_results(rng):
    h = rng.standard_normal(9)
    assert Stream(h, 4).process(np.zeros(6)).shape == (6,)
    assert Stream(h, 4).process(np.zeros((6, 1))).shape == (6, 1)
    assert Stream(h, 4, 2).process(np.zeros((6, 2))).shape == (6, 2)
    assert Stream(h.reshape(3, 1, 3), 4).process(np.zeros(6)).shape == (6, 3)
    assert Stream(h.reshape(1, 3, 3), 4).process(np.zeros((6, 3))).shape == (6, 1)
    flat, columns = Stream(h, 4), Stream(h, 4)
    flat.process(np.zeros(6))
    columns.process(np.zeros((6, 1)))
    assert (flat.flush().shape, columns.flush().shape) == ((12,), (12, 1))


def test_flush_and_reset_begin_anew(rng):
    h, x = rng.standard_normal(LONG), rng.standard_normal(1300)
    stream, fresh = Stream(h, 4), Stream(h, 4)
    first = streamed(stream, x)
    assert np.array_equal(streamed(stream, x), first)
    stream.process(x[:501])
    stream.reset()
    assert np.array_equal(stream.process(x), fresh.process(x))


@pytest.mark.parametrize("given_type", ["int8", "int16", "uint16", "bool", "float16", "float32"])
def test_blocks_that_fit_are_taken_by_value(rng, given_type):
    x = rng.integers(0, 2, 50).astype(given_type)
    found = Stream(np.float32([1, -2, 3]), 4, latency=0).process(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.convolve(x.astype(int), [1, -2, 3])[:50], atol=1e-5)


@pytest.mark.parametrize(
    ("kernel_type", "asked", "expected"),
    [("int16", None, "float32"), ("int64", None, "float64"), ("float16", None, "float32"),
     ("float64", "float32", "float32"), ("float32", "complex128", "complex128")],
)  # fmt: skip
def test_types_of_streams(kernel_type, asked, expected):
    assert Stream(np.ones(3, kernel_type), 4, dtype=asked).dtype == expected


def test_other_libraries_arrays_come_back():
    torch = pytest.importorskip("torch")
    stream = Stream([2.0, 1.0], 4, channels=2, latency=0)
    found = stream.process(torch.ones((3, 2), dtype=torch.float64))
    assert torch.equal(found, torch.tensor([[2.0, 2], [3, 3], [3, 3]], dtype=torch.float64))


# --- exchange


def faded(before, after, since, fade):
    """One long result turning into another from the sample `since`."""
    count = max(len(before), len(after))
    before, after = (np.pad(a, ((0, count - len(a)), (0, 0))) for a in (before, after))
    weights = np.clip((np.arange(count) - since + 1) / (fade + 1), 0, 1)[:, None]
    return before + weights * (after - before)


@pytest.mark.parametrize("latency", [4, 0])
@pytest.mark.parametrize("fade", [0, 1, 150])
@pytest.mark.parametrize("since", range(1000, 1066, 3))
def test_exchange_is_as_if_both_had_always_played(rng, since, fade, latency):
    x = rng.standard_normal((1900, 2))
    h, g = rng.standard_normal((3, 2, LONG)), rng.standard_normal((3, 2, LONG - 50))
    stream = Stream(h, 4, latency=latency)
    assert is_spread(stream)
    early = stream.process(x[:since])
    stream.exchange(g, fade=fade)
    late = [*map(stream.process, cut(x[since:], [9, 4, 2])), stream.flush()]
    found = np.concatenate([early, *late])[latency:]
    expected = faded(offline(x, h), offline(x, g), since - latency, fade)
    np.testing.assert_allclose(found, expected[: len(found)], rtol=0, atol=1e-11)


def test_exchanges_during_a_fade(rng):
    x = rng.standard_normal((900, 1))
    kernels = [rng.standard_normal(n) for n in (40, 500, 3, 90)]
    stream = Stream(kernels[0], 4, max_taps=600, latency=0)
    expected, pieces = offline(x, kernels[0]), [stream.process(x[:100])]
    for kernel, since, fade in zip(kernels[1:], (100, 131, 140), (80, 60, 333), strict=True):
        stream.exchange(kernel, fade=fade)
        expected = faded(expected, offline(x, kernel), since, fade)
        end = {100: 131, 131: 140, 140: None}[since]
        pieces.append(stream.process(x[since:end]))
    found = np.concatenate([*pieces, stream.flush()])
    np.testing.assert_allclose(found, expected[: len(found)], rtol=0, atol=1e-12)
    fresh = Stream(kernels[-1], 4, max_taps=600, latency=0)
    assert np.array_equal(stream.process(x), fresh.process(x))


def test_kernels_that_are_no_longer_heard_are_forgotten(rng):
    stream = Stream(rng.standard_normal(LONG), 4)
    for _ in range(20):
        stream.exchange(rng.standard_normal(LONG), fade=30)
        stream.process(rng.standard_normal(31))
        assert len(stream._convolver._voices) == 1


# --- saving and restoring


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
@pytest.mark.parametrize("since", [1, 777, 800])
def test_copies_go_on_where_the_original_was(rng, since, copied):
    h, x = rng.standard_normal((2, LONG)), rng.standard_normal((1500, 2))
    x[since - 1] = np.inf, np.nan
    stream = Stream(h, 4)
    stream.process(x[:since])
    stream.exchange(h[::-1], fade=100)
    stream.process(x[since : since + 10])
    other = copied(stream)
    expected = streamed(stream, x[since + 10 :])
    np.testing.assert_array_equal(streamed(other, x[since + 10 :]), expected)


# --- NaN, infinity and huge values


def assert_same_with_outliers(found, expected):
    parts = found.view(found.real.dtype), expected.view(expected.real.dtype)
    np.testing.assert_allclose(*parts, rtol=0, atol=1e-3)


@pytest.mark.parametrize("latency", [4, 0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_outliers_reach_exactly_the_results_whose_window_holds_them(rng, dtype, latency):
    h, x = whole_numbers(rng, (2, 3, 60), dtype), whole_numbers(rng, (700, 3), dtype)
    x[[100, 101, 290], [0, 2, 1]] = np.nan
    x[[200, 203, 280], [1, 1, 0]] = np.inf
    x[[400, 520], [2, 0]] = -np.inf
    stream = Stream(h, 4, latency=latency)
    with np.errstate(invalid="ignore"):
        expected = offline(x, h)
    assert 0 < np.isnan(expected).sum() < np.isinf(expected).sum() + 300
    assert_same_with_outliers(streamed(stream, x), expected)


def test_outliers_of_one_channel_leave_the_others_alone(rng):
    h, x = whole_numbers(rng, (2, 30)), whole_numbers(rng, (200, 2))
    x[50, 1] = np.nan
    found = streamed(Stream(h, 8), x)
    assert_same_with_outliers(found, offline(x, h))
    assert np.isfinite(found[:, 0]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("latency", [4, 0])
def test_the_largest_number_neither_overflows_nor_blurs_others(rng, dtype, latency):
    h, x = whole_numbers(rng, LONG, dtype), whole_numbers(rng, 1900, dtype)
    h[h == 0] = 1
    huge = np.finfo(dtype).max
    x[613] = huge / 16
    found = streamed(Stream(h, 4, latency=latency), x)
    held = slice(613, 613 + LONG)
    np.testing.assert_allclose(found[held], h * x[613], rtol=1e-6)
    found[held] = 0
    x[613], expected = 0, offline(x * (np.arange(1900) != 613), h)[:, 0]
    expected[held] = 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.1)


def test_a_kernel_exchanged_after_outliers_still_meets_them(rng):
    h, g, x = whole_numbers(rng, 90), whole_numbers(rng, 80), whole_numbers(rng, 300)
    x[70], x[75] = np.inf, np.nan
    stream = Stream(h, 4, latency=0)
    early = stream.process(x[:90])
    stream.exchange(g, fade=0)
    found = np.concatenate([early, stream.process(x[90:])])
    expected = np.concatenate([offline(x, h)[:90, 0], offline(x, g)[90:300, 0]])
    assert np.isnan(expected).any()
    assert np.isfinite(expected[200:]).all()
    assert_same_with_outliers(found, expected)


def test_a_signal_of_nothing_but_outliers(rng):
    h = whole_numbers(rng, LONG)
    for value in (np.nan, np.inf):
        x = np.full(800, value)
        with np.errstate(invalid="ignore"):
            assert_same_with_outliers(streamed(Stream(h, 4), x), offline(x, h)[:, 0])


# --- refusals


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([], 4), {}, ValueError, "h: is empty"),
        ((np.ones((2, 0)), 4), {}, ValueError, "h: is empty"),
        ((3.0, 4), {}, ValueError, "h: has 0 axes"),
        ((np.ones((1, 1, 1, 1)), 4), {}, ValueError, "h: has 4 axes"),
        (([1, np.nan], 4), {}, ValueError, "h: has NaN or infinite taps"),
        ((["a"], 4), {}, TypeError, "h: dtype"),
        ((np.ones(3, "longdouble"), 4), {}, TypeError, "h: dtype"),
        (([1e30], 4), {"dtype": "float32"}, ValueError, "h: its taps' magnitudes add up to"),
        (([1j], 4), {"dtype": "float32"}, TypeError, "h: dtype complex128 is not allowed"),
        (([1], 4), {"dtype": "int16"}, TypeError, "dtype: int16 is not allowed, give one of"),
        (([1], 0), {}, ValueError, "block_size: 0 is not allowed, give 1 or more"),
        (([1], 2.5), {}, TypeError, "block_size: 2.5 is not allowed, give a whole number"),
        (([1], True), {}, TypeError, "block_size: True"),
        (([1], 4, 0), {}, ValueError, "channels: 0"),
        ((np.ones((2, 5)), 4, 3), {}, ValueError, "channels: 3 do not go with h of shape"),
        ((np.ones((3, 2, 5)), 4, 3), {}, ValueError, "which takes 2"),
        (([1], 4), {"latency": 2}, ValueError, "latency: 2 is not allowed, give 0 or block_size"),
        (([1, 2], 4), {"max_taps": 1}, ValueError, "max_taps: 1 is not allowed, h has 2 taps"),
    ],
)  # fmt: skip
def test_bad_arguments(arguments, options, error, message):
    with pytest.raises(error, match=message.replace("(", r"\(")):
        Stream(*arguments, **options)


BAD_BLOCKS = [
    (np.zeros(5, "f4"), ValueError, r"block: shape \(5,\) is not allowed, give \(samples, 2\)"),
    (np.zeros((5, 3), "f4"), ValueError, r"block: shape \(5, 3\)"),
    (np.zeros((2, 5, 2), "f4"), ValueError, "block: shape"),
    (np.zeros((5, 2)), TypeError, "block: dtype float64 does not fit .* dtype='float64'"),
    (np.zeros((5, 2), "i4"), TypeError, "block: dtype int32 does not fit .* dtype='float64'"),
    (np.zeros((5, 2), "c8"), TypeError, "block: dtype complex64 does not fit .*'complex64'"),
    ([["a", "b"]], TypeError, "block: dtype"),
    ([[1, 2], [3]], ValueError, "block: rows differ in length"),
    (np.ma.masked_array(np.zeros((5, 2), "f4")), TypeError, "block: masked arrays"),
]
BAD_EXCHANGES = [
    (np.ones((3, 4), "f4"), {}, ValueError, "h: shape .* takes 3 channels to 3, the stream has 2"),
    (np.ones((1, 2, 4), "f4"), {}, ValueError, "h: shape .* takes 2 channels to 1"),
    (np.ones((2, LONG + 1), "f4"), {}, ValueError, "h: has 701 taps, the stream allows 700"),
    (np.ones((2, 4), "c8"), {}, TypeError, "h: dtype complex64 is not allowed"),
    (np.full((2, 4), np.inf, "f4"), {}, ValueError, "h: has NaN or infinite"),
    (np.ones((2, 4), "f4"), {"fade": -1}, ValueError, "fade: -1 is not allowed, give 0 or more"),
    (np.ones((2, 4), "f4"), {"fade": 1.5}, TypeError, "fade: 1.5"),
]


def test_what_is_refused_leaves_the_stream_as_it_was(rng):
    h, x = rng.standard_normal((2, LONG), "f4"), rng.standard_normal((900, 2), "f4")
    stream, other = Stream(h, 4), Stream(h, 4)
    for start in range(0, 900, 9):
        block, error, message = BAD_BLOCKS[start // 9 % len(BAD_BLOCKS)]
        with pytest.raises(error, match=message):
            stream.process(block)
        kernel, options, error, message = BAD_EXCHANGES[start // 9 % len(BAD_EXCHANGES)]
        with pytest.raises(error, match=message):
            stream.exchange(kernel, **options)
        now = x[start : start + 9]
        assert np.array_equal(stream.process(now), other.process(now))
    assert np.array_equal(stream.flush(), other.flush())


def test_more_memory_than_the_limit_is_refused(monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "1000000")
    with pytest.raises(mc.MemoryLimitError, match=r"its spectra would need \d+ bytes"):
        Stream(np.ones(10**6), 64)


# --- the partition


@given(
    block=st.integers(1, 3000), taps=st.integers(1, 10**6), inputs=st.integers(1, 8),
    outputs=st.integers(1, 8),
)  # fmt: skip
def test_partitions_cover_every_tap_once_and_leave_time(block, taps, inputs, outputs):
    parts = partition(block, taps, Load(inputs, outputs, inputs * outputs))
    end = 0
    for part in parts:
        assert part.offset == end
        assert part.size == block or part.offset >= 2 * part.size - block
        assert part.size % block == 0
        assert part.points >= 2 * part.size
        end = part.offset + part.number * part.size
    assert taps <= end < taps + parts[-1].size


def test_long_kernels_take_less_than_uniform_partitions():
    sizes = [p.size for p in partition(64, 96_000, Load(2, 2, 2))]
    assert sizes[0] == 64
    assert sizes[-1] > 64


# --- endless signals


def test_no_drift_in_a_million_samples():
    assert soak(10**6).error < 1e-5


@pytest.mark.slow
def test_no_drift_and_no_growth_in_a_hundred_million_samples():
    found = soak(10**8)
    assert found.error < 1e-5
    assert found.growth < 4 * 2**20


def soak(samples):
    return runpy.run_path(str(BENCHMARK))["soak"](samples)
