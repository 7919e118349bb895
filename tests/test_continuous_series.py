"""The series that a convolution keeps, and the convolutions that are built on it."""

from __future__ import annotations

import copy
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.interpolate import BSpline

from multiconv.continuous import convolve
from multiconv.continuous._series import DEGREE, PiecewiseSeries

RNG = np.random.default_rng(22)


def box(t):
    return np.ones_like(t)


def normal(s):
    return lambda t: np.exp(-0.5 * (t / s) ** 2) / (s * math.sqrt(2 * math.pi))


def b_spline(order, x):
    return np.nan_to_num(BSpline.basis_element(np.arange(order + 1.0), extrapolate=False)(x))


class Counted:
    """A function, exact, that counts its points."""

    def __init__(self, function):
        self.function, self.points = function, 0

    def __call__(self, x):
        self.points += x.size
        return self.function(x), np.full(x.size, 1e-16)


def series(function, edges, marks=(), rtol=1e-10, atol=1e-12):
    counted = Counted(function)
    features = np.asarray(marks, float), np.ones(len(marks))
    return counted, PiecewiseSeries(
        counted, counted, np.asarray(edges, float), features, rtol, atol
    )


@pytest.mark.parametrize(
    ("function", "edges"),
    [
        (np.exp, [-1, 3]),
        (lambda x: np.exp(1j * 40 * x), [0, 1, 7]),
        (lambda x: 1 / (1 + 400 * x**2), [-1, 1]),
        (lambda x: np.sqrt(np.abs(x)), [0, 2]),
        (lambda x: np.abs(x - 0.3), [0, 1]),
        (lambda x: np.where(x > 1 / 3, 1.0, -2.0), [0, 1]),
        (np.zeros_like, [0, 1]),
        (lambda x: 1e300 * np.exp(-x), [0, 9]),
    ],
)
def test_series_keep_their_bound(function, edges):
    _, kept = series(function, edges)
    x = RNG.uniform(edges[0], edges[-1], 2000)
    value, error = kept.evaluate(x)
    assert (np.abs(value - function(x)) <= error).all()
    assert (error <= np.maximum(1e-12, 1e-10 * np.abs(value))).all()


def test_a_grid_costs_no_more_points_than_one_series():
    counted, kept = series(np.cos, [0, 2])
    kept.evaluate(np.linspace(0.1, 1.9, 10_000))
    seen = counted.points
    assert seen < 2 * DEGREE
    kept.evaluate(np.linspace(0.2, 1.8, 777))
    assert counted.points == seen


def test_a_bump_between_all_nodes_is_found_by_its_marks():
    def bump(x):
        return np.exp(-0.5 * ((x - 2.345) / 1e-3) ** 2)

    x = np.linspace(2.33, 2.36, 301)
    _, blind = series(bump, [0, 7])
    assert np.abs(blind.evaluate(x)[0] - bump(x)).max() > 0.5
    _, told = series(bump, [0, 7], marks=2.345 + 1e-3 * np.arange(-8, 9))
    value, error = told.evaluate(x)
    assert (np.abs(value - bump(x)) <= error).all()


@pytest.mark.parametrize("order", range(2, 9))
def test_b_splines_by_repeated_convolution(order):
    h = convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    for _ in range(order - 2):
        h = convolve(h, box, support_g=(0, 1))
    x = np.concatenate([RNG.uniform(0, order, 40), np.arange(order + 1), [-1, order + 1]])
    error = h.error(x)
    assert (np.abs(h(x) - b_spline(order, x)) <= error + 1e-15).all()
    assert error.max() < 4e-12


def test_a_spline_with_itself():
    """Order 4 with order 4 is order 8, whatever the way."""
    triangle = convolve(box, box, support_f=(0, 1), support_g=(0, 1))
    cubic = convolve(triangle, triangle)
    h = convolve(cubic, cubic)
    x = RNG.uniform(0, 8, 50)
    assert (np.abs(h(x) - b_spline(8, x)) <= h.error(x) + 1e-15).all()


def test_a_point_has_the_same_bits_whatever_was_asked_before():
    x = RNG.uniform(-9, 9, 300)
    asked = convolve(normal(1.0), normal(0.25))
    together = asked(x)
    for i in range(0, 300, 60):
        assert convolve(normal(1.0), normal(0.25))(x[i]) == together[i] == asked(x[i])


def test_threads_may_share_a_convolution():
    x = np.linspace(-8, 8, 400)
    expected = convolve(normal(1.0), np.sinc)(x)
    shared = convolve(normal(1.0), np.sinc)
    with ThreadPoolExecutor(4) as pool:
        for part in pool.map(shared, [x[k::3] for k in (0, 1, 2, 0, 1, 2)]):
            assert np.isin(part, expected).all()


def test_convolutions_can_be_copied_and_stored():
    h = convolve(np.cos, np.sin, support_f=(0, 1), support_g=(0, 2))
    value = h(0.7)
    assert copy.deepcopy(h)(0.7) == value
    assert pickle.loads(pickle.dumps(h))(0.7) == value


def test_plots():
    axes = pytest.importorskip("matplotlib.figure").Figure().subplots()
    real = convolve(np.exp, box, support_f=(0, 1), support_g=(0, 2))
    assert real.plot(axes, points=7, color="k") is axes
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xdata()[[0, -1]], [0, 3])
    np.testing.assert_array_equal(line.get_ydata(), real(line.get_xdata()))
    convolve(lambda t: np.exp(1j * t), normal(1.0), support_f=(0, 2)).plot(axes)
    assert len(axes.lines) == 3
    assert axes.lines[2].get_linestyle() == "--"
