"""Deconvolution: exact adjoints, dense least squares, scikit-image's results, a photograph."""

import itertools

import numpy as np
import pytest
import skimage.data
from skimage import restoration

import multiconv as mc
from multiconv.deconvolution import Progress, deconvolve
from multiconv.deconvolution._blur import Blur
from multiconv.deconvolution._wiener import laplacian

BOUNDARIES = ["constant", "edge", "reflect", "symmetric", "wrap"]
KERNELS = {1: (4,), 2: (3, 4), 3: (2, 3, 4)}
SHAPES = {1: (13,), 2: (7, 9), 3: (4, 5, 6)}

boundaries = pytest.mark.parametrize("boundary", BOUNDARIES)


def kernel_of(*shape):
    """An asymmetric kernel of sum 1."""
    h = np.arange(1.0, np.prod(shape) + 1).reshape(shape) ** 2
    return h / h.sum()


def dense(forward, shape):
    """The matrix of a linear map of arrays of ``shape``."""
    columns = [forward(unit.reshape(shape)).ravel() for unit in np.eye(int(np.prod(shape)))]
    return np.stack(columns, 1)


def minimum(a, y, balance, b):
    """The minimum of ``|y - a x|^2 + balance |b x|^2``, by the normal equations."""
    return np.linalg.solve(a.T @ a + balance * b.T @ b, a.T @ y)


def psnr(estimate, truth):
    return -10 * np.log10(np.mean((estimate - truth) ** 2))


@boundaries
@pytest.mark.parametrize("mode", ["same", "full", "valid"])
@pytest.mark.parametrize("rank", KERNELS)
@pytest.mark.parametrize("dtype", [float, complex])
def test_adjoint_identity(boundary, mode, rank, dtype, rng):
    def draw(*shape):
        real, imag = rng.standard_normal((2, *shape))
        return real + 1j * imag if dtype is complex else real

    h, x = draw(*KERNELS[rank]), draw(2, *SHAPES[rank])
    blur = Blur(h, x.shape, (mode,) * rank, (boundary,) * rank)
    y = draw(*blur.forward(x).shape)
    np.testing.assert_allclose(np.vdot(y, blur.forward(x)), np.vdot(blur.adjoint(y), x), rtol=1e-12)


def test_adjoint_of_a_kernel_wider_than_the_data_and_a_boundary_per_axis(rng):
    h, x = rng.standard_normal((11, 3)), rng.standard_normal((4, 9))
    blur = Blur(h, x.shape, ("same", "full"), ("reflect", "wrap"))
    y = rng.standard_normal((4, 11))
    np.testing.assert_allclose(np.vdot(y, blur.forward(x)), np.vdot(blur.adjoint(y), x), rtol=1e-12)


@boundaries
@pytest.mark.parametrize("mode", ["same", "full", "valid"])
@pytest.mark.parametrize("method", ["wiener", "least_squares"])
def test_both_reach_the_dense_minimum(boundary, mode, method, rng):
    h, d, shape = kernel_of(3, 4), np.array([[0.0, -1, 0], [-2, 5, 0], [0, 0, -3]]), (6, 8)
    a = dense(lambda x: mc.convolve(x, h, mode, boundary=boundary), shape)
    b = dense(lambda x: mc.convolve(x, d, "same", boundary=boundary), shape)
    y = mc.convolve(rng.standard_normal(shape), h, mode, boundary=boundary)
    expected = minimum(a, y.ravel(), 0.02, b).reshape(shape)
    actual = deconvolve(y, h, mode, method=method, boundary=boundary, balance=0.02, regularizer=d,
                        iterations=200, rtol=0)  # fmt: skip
    np.testing.assert_allclose(actual, expected, atol=1e-8)


@boundaries
def test_tikhonov_reaches_the_dense_minimum(boundary, rng):
    h, shape = kernel_of(4), (3, 11)
    a = dense(lambda x: mc.convolve(x, h, "same", boundary=boundary), shape)
    y = rng.standard_normal(shape)
    expected = minimum(a, y.ravel(), 0.1, np.eye(33)).reshape(shape)
    actual = deconvolve(y, h, method="least_squares", boundary=boundary, balance=0.1,
                        iterations=100, rtol=0)  # fmt: skip
    np.testing.assert_allclose(actual, expected, atol=1e-9)


@pytest.mark.parametrize("method", ["wiener", "least_squares"])
def test_complex_data(method, rng):
    h = kernel_of(3) * np.array([1, 1j, -0.5])
    x = rng.standard_normal(12) + 1j * rng.standard_normal(12)
    for boundary in ("constant", "wrap"):
        y = mc.convolve(x, h, "same", boundary=boundary)
        found = deconvolve(y, h, method=method, boundary=boundary, balance=0, iterations=60, rtol=0)
        np.testing.assert_allclose(found, x, atol=1e-8)


@pytest.mark.parametrize("method", ["wiener", "least_squares", "richardson_lucy"])
def test_a_value_outside_is_taken_away(method):
    x = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    h = [0.2, 0.7, 0.1]
    y = mc.convolve(x, h, "same", cval=20)
    balance = {} if method == "richardson_lucy" else {"balance": 1e-12}
    found = deconvolve(y, h, method=method, cval=20, iterations=3000, rtol=0, **balance)
    np.testing.assert_allclose(found, x, atol=1e-4)


@pytest.mark.parametrize("shape", [(40,), (21, 34), (9, 12, 10)])
def test_wiener_is_scikit_images_where_both_are_periodic(shape, rng):
    y = rng.standard_normal(shape)
    h = kernel_of(*(3, 5, 3)[: len(shape)])
    expected = restoration.wiener(y, h, 0.07, clip=False)
    np.testing.assert_allclose(
        deconvolve(y, h, boundary="wrap", balance=0.07), expected, atol=1e-12
    )


def test_richardson_lucy_is_scikit_images_away_from_the_border(rng):
    y, h, steps = rng.random((60, 70)) + 0.1, kernel_of(3, 5), 4
    expected = restoration.richardson_lucy(y, h, steps, clip=False)
    actual = deconvolve(y, h, method="richardson_lucy", iterations=steps, rtol=0)
    inner = (slice(2 * steps, -2 * steps), slice(4 * steps, -4 * steps))
    np.testing.assert_allclose(actual[inner], expected[inner], rtol=1e-9)
    assert not np.allclose(actual, expected)


@boundaries
@pytest.mark.parametrize("mode", ["same", "full", "valid"])
def test_richardson_lucy_keeps_the_flux_and_the_sign(boundary, mode, rng):
    h = kernel_of(3, 4)
    y = rng.poisson(3.0, (11, 14)).astype(float)

    def check(progress):
        seen = mc.convolve(progress.estimate, h, mode, boundary=boundary)
        assert progress.estimate.min() >= 0
        np.testing.assert_allclose(seen.sum(), y.sum(), rtol=1e-12)
        np.testing.assert_allclose(progress.residual, np.std(y - seen), rtol=1e-9)

    deconvolve(y, h, mode, method="richardson_lucy", boundary=boundary, iterations=9,
               callback=check)  # fmt: skip


def test_richardson_lucy_never_grows_less_likely(rng):
    h, y, likelihood = kernel_of(5), rng.poisson(4.0, 50).astype(float), []

    def note(progress):
        seen = mc.convolve(progress.estimate, h, "same", boundary="reflect")
        likelihood.append(np.sum(y * np.log(seen) - seen))

    deconvolve(y, h, method="richardson_lucy", boundary="reflect", rtol=0, callback=note)
    assert len(likelihood) == 50
    assert np.all(np.diff(likelihood) > -1e-9)


@pytest.fixture(scope="module")
def photo():
    return skimage.data.camera()[100:292, 100:324] / 255.0


GAINS = {"wiener": 2.2, "richardson_lucy": 2.0, "least_squares": 1.8}


@pytest.mark.parametrize("boundary", ["wrap", "symmetric"])
@pytest.mark.parametrize("method", GAINS)
def test_a_photograph_gets_sharper(photo, boundary, method):
    h = mc.kernels.gaussian([1.6, 1.1])
    noise = 0.01 * np.random.default_rng(3).standard_normal(photo.shape)
    y = np.clip(mc.convolve(photo, h, "same", boundary=boundary) + noise, 0, 1)
    given = {} if method == "wiener" else {"noise": 0.01}
    found = deconvolve(y, h, method=method, boundary=boundary, **given)
    assert psnr(found, photo) > psnr(y, photo) + GAINS[method]


def test_less_noise_gives_a_sharper_photograph(photo):
    h = mc.kernels.motion(7, 30)
    gains = []
    for level in (0.02, 0.005, 0.001):
        noise = level * np.random.default_rng(4).standard_normal(photo.shape)
        y = mc.convolve(photo, h, "same", boundary="wrap") + noise
        gains.append(psnr(deconvolve(y, h, boundary="wrap"), photo) - psnr(y, photo))
    assert gains == sorted(gains)
    assert gains[0] > 2
    assert gains[2] > 8


@pytest.mark.parametrize("method", ["wiener", "richardson_lucy", "least_squares"])
def test_the_residual_is_the_noise_that_was_given(photo, method):
    h = mc.kernels.gaussian([1.6, 1.1])
    noise = 0.02 * np.random.default_rng(5).standard_normal(photo.shape)
    y = np.maximum(mc.convolve(photo, h, "same", boundary="wrap") + noise, 0)
    told = []
    deconvolve(y, h, method=method, boundary="wrap", noise=0.02, callback=told.append)
    assert 0.015 < told[-1].residual <= 0.0201
    assert all(p.residual > 0.02 for p in told[:-1])


def test_a_callback_sees_every_iteration_and_can_stop():
    y, h = np.arange(1.0, 9), kernel_of(3)
    told = []

    def stop_at_third(progress):
        assert isinstance(progress, Progress)
        with pytest.raises(ValueError, match="read-only"):
            progress.estimate[0] = 1
        told.append(progress)
        return progress.iteration == 3

    found = deconvolve(y, h, method="richardson_lucy", rtol=0, callback=stop_at_third)
    assert [p.iteration for p in told] == [1, 2, 3]
    np.testing.assert_array_equal(found, told[-1].estimate)
    three = deconvolve(y, h, method="richardson_lucy", iterations=3, rtol=0)
    np.testing.assert_array_equal(found, three)


def test_rtol_stops_early():
    counts = [0, 0]
    for place, rtol in enumerate((1e-2, 1e-5)):

        def count(progress, place=place):
            counts[place] = progress.iteration

        deconvolve(np.arange(1.0, 20), kernel_of(5), method="least_squares", rtol=rtol,
                   balance=1e-3, callback=count)  # fmt: skip
    assert 1 < counts[0] < counts[1] < 50


def test_batches_and_axes(rng):
    h, y = kernel_of(3, 4), rng.random((2, 9, 10))
    whole = deconvolve(y, h, boundary="wrap", balance=0.01)
    for page, expected in itertools.zip_longest(y, whole):
        np.testing.assert_allclose(deconvolve(page, h, boundary="wrap", balance=0.01), expected,
                                   atol=1e-12)  # fmt: skip
    moved = deconvolve(np.moveaxis(y, 0, -1), h, boundary="wrap", balance=0.01, axes=(0, 1))
    np.testing.assert_allclose(np.moveaxis(moved, -1, 0), whole, atol=1e-12)


DTYPES = [("float32", "float32"), ("float16", "float32"), ("int16", "float64"), ("bool", "float64")]


@pytest.mark.parametrize(("given", "expected"), DTYPES)
@pytest.mark.parametrize("method", ["wiener", "richardson_lucy", "least_squares"])
def test_dtypes(given, expected, method):
    y = np.array([1, 0, 1, 1, 0, 1, 1, 1], given)
    found = deconvolve(y, np.array([0.5, 0.25, 0.25], np.float32), method=method)
    assert found.dtype == expected
    assert found.shape == y.shape


@pytest.mark.parametrize("method", ["wiener", "least_squares"])
@pytest.mark.parametrize("boundary", ["wrap", "edge"])
def test_nothing_comes_from_nothing(method, boundary):
    found = deconvolve(np.zeros((6, 7)), kernel_of(2, 3), method=method, boundary=boundary)
    np.testing.assert_array_equal(found, np.zeros((6, 7)))


@pytest.mark.parametrize("method", ["wiener", "richardson_lucy", "least_squares"])
def test_other_libraries_arrays(method):
    torch = pytest.importorskip("torch")
    y, h = torch.arange(1.0, 9), torch.tensor([0.2, 0.7, 0.1])
    found = deconvolve(y, h, method=method)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_array_equal(found, deconvolve(y.numpy(), h.numpy(), method=method))


@pytest.mark.parametrize("method", ["wiener", "richardson_lucy", "least_squares"])
@pytest.mark.parametrize("boundary", ["wrap", "symmetric"])
def test_single_floats_do_as_well(photo, method, boundary):
    h = mc.kernels.gaussian([1.6, 1.1])
    noise = 0.01 * np.random.default_rng(6).standard_normal(photo.shape)
    y = np.maximum(mc.convolve(photo, h, "same", boundary=boundary) + noise, 0)
    options = {"method": method, "boundary": boundary, "noise": 0.01}
    single = deconvolve(y.astype(np.float32), h.astype(np.float32), **options)
    assert single.dtype == np.float32
    assert psnr(single, photo) == pytest.approx(psnr(deconvolve(y, h, **options), photo), abs=0.02)


def test_the_laplacian_sums_to_zero_in_every_rank():
    np.testing.assert_array_equal(laplacian(2, float), [[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    assert laplacian(3, float).sum() == 0
    assert laplacian(3, float)[1, 1, 1] == 6


Y, H = np.ones((6, 7)), np.ones((2, 3))
LUCY = {"method": "richardson_lucy"}


@pytest.mark.parametrize(
    ("y", "h", "options", "message"),
    [
        (Y, H, {"method": "magic"}, r"method: 'magic' is not allowed, choose one of 'wiener'"),
        (Y, np.ones((2, 2, 2)), {}, r"h: shape \(2, 2, 2\) has 3 axes, allowed are 1 to 2"),
        (Y, np.ones((0, 2)), {}, r"h: shape \(0, 2\) is empty"),
        (Y, 0 * H, {}, r"h: shape \(2, 3\) holds no tap but 0"),
        (Y * np.nan, H, {}, r"y: holds NaN or infinity"),
        (Y, H, {"mode": "full", "axes": (0, 0)}, r"axes: \(0, 0\) is not allowed"),
        (np.ones((1, 7)), H, {"mode": "full"}, r"y: shape \(1, 7\) is no result of mode='full'"),
        (Y, H, {"mode": "centre"}, r"mode: 'centre' is not allowed"),
        (Y, H, {"boundary": "mirror"}, r"boundary: 'mirror' is not allowed"),
        (Y, H, {"balance": -1}, r"balance: -1 is not allowed, give a finite number from 0"),
        (Y, H, {"balance": 1, "noise": 1}, r"balance, noise: both are given"),
        (Y, H, {"iterations": 0}, r"iterations: 0 is not allowed, give an integer from 1"),
        (Y, H, {"rtol": -1}, r"rtol: -1 is not allowed"),
        (Y, H, {"regularizer": [1, -1]}, r"regularizer: shape \(2,\) is not allowed, .* 2 axes"),
        (Y, H, {**LUCY, "balance": 1}, r"balance: is not for method='richardson_lucy'"),
        (-Y, H, LUCY, r"y: the least value is -1, method='richardson_lucy' takes numbers from 0"),
        (Y, -H, LUCY, r"h: the least value is -1"),
        (Y, H, {**LUCY, "cval": -2}, r"cval: the least value is -2"),
        (0 * Y, H, LUCY, r"y: is 0 everywhere"),
        (np.ones(3), [1.0] + 8 * [0], LUCY, r"h: no tap of shape \(9,\) but 0 reaches the data"),
    ],
)
def test_bad_input(y, h, options, message):
    with pytest.raises(ValueError, match=message):
        deconvolve(y, h, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"callback": 3}, r"callback: 3 is not callable"),
        ({"iterations": 2.5}, r"iterations: 2.5 is not allowed, give an integer"),
        ({"noise": "low"}, r"noise: 'low' is not allowed, give a number"),
        ({"cval": "dark"}, r"cval: 'dark' is not allowed, give one number"),
        ({"method": "richardson_lucy", "cval": 1j}, r"cval: "),
    ],
)
def test_bad_types(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        deconvolve(Y, H, **options)
