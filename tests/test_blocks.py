"""A result made in blocks is the whole one; each block reads what it needs and no more."""

import itertools
import pickle

import numpy as np
import pytest

import multiconv as mc
from multiconv._blocks import Blocks
from multiconv._geometry import index_table

BOUNDARIES = ["constant", "edge", "reflect", "symmetric", "wrap"]
MODES = ["full", "same", "valid"]
WAYS = [(1, 1), ((2, 3), 1), (1, (2, 1)), ((3, 1), (1, 2))]
FILTERS = [name for name in mc.filters.__all__ if name != "canny"]


def tiles(shape, step):
    """Regions that fill a shape, those at the ends smaller."""
    axes = [
        [slice(i, min(i + s, n)) for i in range(0, n, s)] for n, s in zip(shape, step, strict=True)
    ]
    return itertools.product(*axes)


def in_blocks(blocks, x, step):
    """The results, put together from blocks."""
    found = [np.zeros(blocks.shape, blocks.dtype) for _ in range(blocks.parts)]
    for region in tiles(blocks.shape, step):
        parts = blocks.run(blocks.read(x, region), region)
        for whole, part in zip(found, parts if blocks.parts > 1 else [parts], strict=True):
            whole[region] = part
    return found if blocks.parts > 1 else found[0]


def check(function, x, *args, step, rtol=0.0, atol=None, **options):
    whole = function(x, *args, **options)
    blocks = Blocks(function, x.shape, x.dtype, *args, **options)
    found = in_blocks(blocks, x, step)
    for a, b in zip(*([r] if blocks.parts == 1 else r for r in (found, whole)), strict=True):
        assert (blocks.shape, blocks.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * 100 if atol is None else atol)


@pytest.fixture
def whole(rng):
    """Random whole numbers of a shape."""
    return lambda *shape: rng.integers(-9, 10, shape)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_boundary(mode, boundary, whole):
    x, h = whole(2, 9, 13), whole(4, 5)
    for (stride, dilation), step in itertools.product(WAYS, [(1, 2, 3), (2, 4, 5)]):
        for function in (mc.convolve, mc.correlate):
            check(function, x, h, mode, boundary=boundary, cval=5, stride=stride,
                  dilation=dilation, step=step)  # fmt: skip


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_boundaries_wider_than_the_array(boundary, whole):
    x, h = whole(4, 3, 2), whole(15, 5)
    for step in ((1, 1, 1), (3, 2, 2)):
        check(mc.convolve, x, h, "full", axes=(0, 2), boundary=boundary, step=step)
        check(mc.convolve, x, h.T, ("full", "same"), axes=(2, 0), boundary=boundary, step=step)


def test_a_mode_and_a_boundary_for_each_axis(whole):
    options = {"boundary": ("wrap", "reflect"), "stride": (1, 2)}
    check(mc.convolve, whole(9, 12), whole(3, 6), ("same", "full"), step=(2, 5), **options)


def test_kernels_that_broadcast(whole):
    check(mc.convolve, whole(5, 9, 3), whole(5, 3, 1), axes=1, step=(2, 4, 1))
    check(mc.convolve, whole(1, 9, 3), whole(5, 3, 1), axes=1, step=(2, 4, 1))
    check(mc.convolve, whole(5, 1, 9), whole(1, 4, 3), axes=-1, step=(2, 3, 4))
    check(mc.convolve, whole(2, 9, 40), whole(3), axes=1, step=(1, 4, 33))


def test_long_rows_beside_the_convolved_axis_are_read_in_place(whole):
    blocks = Blocks(mc.convolve, (50, 60), int, whole(3), "same", axes=0)
    assert blocks.needed((slice(10, 20), slice(5, 9))) == ((slice(9, 21),), (slice(5, 9),))


LAYERS = [
    {"padding": 2},
    {"padding": "same", "stride": 2},
    {"padding": ((3, 0), (-1, 2)), "dilation": 2},
    {"padding": 1, "groups": 2, "stride": (2, 3), "flip": True},
    {"padding": 9},
]


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular", "replicate", "symmetric"])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_layers(data_format, padding_mode, whole):
    for options in LAYERS:
        x, w, bias = whole(3, 4, 9, 11), whole(6, 4 // options.get("groups", 1), 3, 2), whole(6)
        step = (1, 6, 2, 3)
        if data_format == "channels_last":
            x, w, step = x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), (1, 2, 3, 6)
        options = {**options, "padding_mode": padding_mode, "data_format": data_format}
        check(mc.conv, x, w, bias, step=step, **options)
        check(mc.conv, x[0], w, step=step[1:], **options)


def test_layers_with_an_epilogue(rng):
    x, w = (rng.standard_normal(s).astype("f4") for s in ((2, 2, 19), (4, 2, 3)))
    bias, scale = rng.standard_normal(4).astype("f4"), rng.standard_normal(4).astype("f4")
    check(mc.conv, x, w, bias, scale=scale, activation="gelu", step=(1, 4, 5), rtol=1e-6)


def test_some_channels_of_a_layer(whole):
    check(mc.conv, whole(2, 4, 9), whole(4, 2, 3), whole(4), groups=2, step=(1, 3, 4))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", FILTERS)
def test_filters(name, boundary, rng):
    x = rng.standard_normal((11, 14))
    for options, step in itertools.product([{}, {"cval": 2.5}], [(3, 4), (1, 5), (20, 5)]):
        check(getattr(mc.filters, name), x, boundary=boundary, step=step, rtol=1e-12, **options)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_of_colour_pictures(name, rng):
    x, function = rng.integers(0, 256, (3, 11, 14, 2), dtype=np.uint8), getattr(mc.filters, name)
    rounds = Blocks(function, x.shape, x.dtype, channel_axis=-1).dtype == np.uint8
    near = 1 if rounds else 1e-9  # a sum near a half may be rounded either way
    check(function, x, channel_axis=-1, step=(2, 4, 5, 1), rtol=1e-12, atol=near)


def test_filters_with_an_axis_or_a_shift_of_their_own(rng):
    x = rng.standard_normal((11, 14))
    f, words = mc.filters, ("wrap", "edge")
    check(f.box, x, (4, 3), origin=(1, -1), step=(2, 5), rtol=1e-12)
    check(f.gaussian, x, (3, 1), boundary=words, step=(2, 5), rtol=1e-12)
    check(f.gaussian, x, (3, 1), axes=(1, 0), boundary=words, step=(2, 5), rtol=1e-12)
    check(f.motion, x[None], 7, 30, boundary=words, step=(1, 2, 5), rtol=1e-12)


def test_a_filters_reach_is_measured():
    blocks = Blocks(mc.filters.box, (90, 80, 70), "uint8", (4, 1, 101), origin=(1, 0, -7))
    spans = [(r.low, r.window - 1 - r.low) for r in blocks.reaches]
    assert spans == [(3, 0), (0, 0), (43, 57)]
    assert Blocks(mc.filters.gaussian, (900,), "f4", 100).reaches[0].low == 400


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_nothing_is_read_that_is_not_needed(boundary):
    for size, taps, stride, dilation in ((9, 4, 1, 1), (9, 3, 2, 3), (3, 8, 1, 1), (20, 3, 4, 1)):
        h = np.ones(taps)
        for mode in MODES[: 2 if taps > size else 3]:
            options = {"boundary": boundary, "stride": stride, "dilation": dilation}
            plan = mc.plan(mc.correlate, mc.ShapeDtype((size,)), h, mode=mode, **options)
            table = index_table(plan.problem, 0)
            blocks = Blocks(mc.correlate, (size,), float, h, mode, **options)
            for start, stop in itertools.combinations(range(blocks.shape[0] + 1), 2):
                first, last = start * stride, (stop - 1) * stride + (taps - 1) * dilation
                reads = set(table[first : last + 1].tolist()) - {-1}
                (pieces,) = blocks.needed((slice(start, stop),))
                given = [n for p in pieces for n in range(p.start, p.stop)]
                assert reads <= set(given)
                assert len(given) == len(set(given))
                inside = 0 <= first - plan.problem.padding[0][0] < size - (last - first)
                assert not inside or len(given) == len(reads)
                if boundary == "wrap":
                    assert set(given) == reads


@pytest.mark.parametrize("method", ["direct", "reference"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_direct_summation_gives_the_same_bits_anywhere(dtype, method, rng):
    x, h = (rng.standard_normal(s).astype(dtype) for s in ((2, 30, 41), (5, 7)))
    options = {"boundary": "reflect", "method": method}
    for step in ((1, 30, 16), (2, 7, 9)):
        check(mc.convolve, x, h, "same", step=step, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_highest_precision_gives_the_same_bits_anywhere(dtype, rng):
    for taps in ((3, 4), (17, 23)):
        x, h = (rng.standard_normal(s).astype(dtype) for s in ((90, 131), taps))
        for step in ((40, 50), (17, 64)):
            check(mc.convolve, x, h, "same", precision="highest", step=step)


def test_blocks_are_made_by_the_algorithm_of_the_whole(rng):
    x = rng.standard_normal((300, 401)).astype("f4")
    h = np.outer(np.hanning(11), np.hanning(9)).astype("f4")
    whole = mc.plan(mc.convolve, x, h, mode="same").algorithm
    blocks = Blocks(mc.convolve, x.shape, x.dtype, h, "same")
    assert blocks._job.algorithm == whole


def test_other_sums_stay_within_the_stated_error(rng):
    x, h = rng.standard_normal(5000), rng.standard_normal(700)
    plan = mc.plan(mc.convolve, x, h)
    scale = mc.convolve(abs(x), abs(h)).max()
    found = in_blocks(Blocks(mc.convolve, x.shape, x.dtype, h), x, (900,))
    assert abs(found - mc.convolve(x, h, method="direct")).max() <= 2 * plan.error_bound * scale


def test_nan_stays_where_windows_hold_it(rng):
    x = rng.standard_normal((20, 21))
    x[7, 8] = np.nan
    blocks = Blocks(mc.convolve, x.shape, x.dtype, rng.standard_normal((3, 5)), "same")
    assert np.isnan(in_blocks(blocks, x, (6, 7))).sum() == 15


def test_arrays_larger_than_any_memory(whole):
    blocks = Blocks(mc.filters.gaussian, (10**5,) * 3, "uint16", 2)
    region = (slice(0, 4), slice(70_000, 70_005), slice(99_990, 10**5))
    assert blocks.needed(region)[2] == (slice(99_982, 10**5),)
    block = np.full([sum(p.stop - p.start for p in pieces) for pieces in blocks.needed(region)], 7)
    assert (blocks.run(block.astype("uint16"), region) == 7).all()
    blocks = Blocks(mc.convolve, (10**6,) * 2, "f8", np.ones((3, 2)), "valid")
    assert blocks.shape == (10**6 - 2, 10**6 - 1)
    assert blocks.run(np.ones((4, 2)), np.s_[7:9, 7:8]).tolist() == [[6], [6]]


def test_blocks_travel(whole):
    x, h = whole(9, 13), whole(3, 2)
    for function, args in ((mc.convolve, (h,)), (mc.filters.unsharp, (2,))):
        blocks = Blocks(function, x.shape, x.dtype, *args)
        expected = in_blocks(blocks, x, (4, 5))
        np.testing.assert_array_equal(
            in_blocks(pickle.loads(pickle.dumps(blocks)), x, (4, 5)), expected
        )


def test_nothing_of_nothing(whole):
    check(mc.convolve, whole(5, 0), whole(3), "same", step=(2, 4))
    check(mc.filters.gaussian, whole(0, 4), 2, step=(2, 4))
    blocks = Blocks(mc.convolve, (9,), int, whole(3))
    assert blocks.run(blocks.read(whole(9), np.s_[4:4,]), np.s_[4:4,]).shape == (0,)


BAD = [
    (lambda: Blocks(mc.max_pool, (9,), int, 2), TypeError, "function: max_pool does not fall"),
    (lambda: Blocks(mc.filters.canny, (9, 9), int), TypeError, "function: canny"),
    (lambda: Blocks(mc.convolve, (9,), int, [1], out=np.ones(9)), TypeError, "out: is not allowed"),
    (lambda: Blocks(mc.filters.box, (9,), int, out=np.ones(9)), TypeError, "out: is not allowed"),
    (lambda: Blocks(mc.convolve, (9,), int, [1], method="?"), ValueError, "method: '\\?'"),
    (lambda: Blocks(mc.convolve, (9,), int, np.ones(12), "valid"), ValueError, "kernel: its"),
    (lambda: Blocks(mc.filters.gaussian, (9,), int, -1), ValueError, "sigma: -1"),
    (lambda: Blocks(mc.convolve, (9,), int, [1]).needed([]), ValueError, "region: 0 slices"),
    (lambda: Blocks(mc.convolve, (9,), int, [1]).needed([slice(0, 9, 2)]), ValueError, "gaps"),
    (lambda: Blocks(mc.convolve, (9,), int, [1]).run(np.ones(3), [slice(0, 4)]), ValueError,
     "block: shape \\(3,\\) does not fit, needed is \\(4,\\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[m for *_, m in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
