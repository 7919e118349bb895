"""Convolution of functions of several numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from multiconv.continuous import IntegrationWarning, SpaceConvolution, convolve

RNG = np.random.default_rng(24)
INF = math.inf


def powers(x, p, support_f, support_g):
    """The integral of t**p over the overlap of two intervals."""
    low = np.maximum(support_f[0], x - support_g[1])
    high = np.maximum(np.minimum(support_f[1], x - support_g[0]), low)
    return (high ** (p + 1) - low ** (p + 1)) / (p + 1)


def normal(s):
    return lambda *x: (
        np.exp(-sum(c * c for c in x) / (2 * s * s)) / (2 * math.pi * s * s) ** (len(x) / 2)
    )


def held(h, true, *x):
    """Whether values keep their error's word."""
    return (np.abs(h(*x) - true) <= h.error(*x) + 1e-15).all()


def test_a_polynomial_over_a_box():
    supports = ((0, 1), (1, 3)), ((-1, 1), (0, 0.5))
    h = convolve(lambda x, y: x * y**2, lambda x, y: 2.0, support_f=supports[0],
                 support_g=supports[1])  # fmt: skip
    assert isinstance(h, SpaceConvolution)
    assert h.support == ((-1.0, 2.0), (1.0, 3.5))
    assert h.breakpoints == ((-1.0, 0.0, 1.0, 2.0), (1.0, 1.5, 3.0, 3.5))
    x, y = RNG.uniform(-1.5, 2.5, 90), RNG.uniform(0.5, 4, 90)
    true = 2 * powers(x, 1, supports[0][0], supports[1][0])
    true *= powers(y, 2, supports[0][1], supports[1][1])
    assert held(h, true, x, y)
    assert h.error(x, y).max() < 1e-12


def test_gaussians_of_the_plane():
    h = convolve(normal(1.0), normal(0.5), support_f=[(-INF, INF)] * 2)
    x, y = np.linspace(-3, 4, 3)[:, None], np.linspace(-2, 2, 2)
    assert h(x, y).shape == (3, 2)
    assert held(h, normal(math.hypot(1, 0.5))(x, y), x, y)


def test_three_axes_and_half_infinite_supports():
    h = convolve(lambda x, y, z: np.exp(-x - 2 * y - z), lambda x, y, z: 1.0,
                 support_f=[(0, INF)] * 3, support_g=[(0, 1), (-2, 1), (0, 3)])  # fmt: skip
    true = (1 - math.exp(-0.5)) * (1 - math.exp(-4)) / 2 * (math.exp(-1) - math.exp(-4))
    value = h(0.5, 0, 4)
    assert isinstance(value, float)
    assert abs(value - true) <= h.error(0.5, 0, 4) + 1e-15


def test_values_that_do_not_separate():
    h = convolve(lambda x, y: np.exp(1j * x * y), lambda x, y: np.ones_like(x),
                 support_f=[(0, 1), (0, 2)], support_g=[(0, 3), (0, 3)])  # fmt: skip
    series = sum(1j**n * (1 / (n + 1)) * 2 ** (n + 1) / (n + 1) / math.factorial(n)
                 for n in range(40))  # fmt: skip
    assert abs(h(2.0, 2.5) - series) <= h.error(2.0, 2.5) + 1e-15
    assert isinstance(h(2.0, 2.5), complex)


def test_results_convolve():
    def box(x, y):
        return 1.0

    once = convolve(box, box, support_f=[(0, 1)] * 2, support_g=[(0, 1)] * 2)
    twice = convolve(once, box, support_g=[(0, 1)] * 2, rtol=1e-6)
    assert twice.support == ((0.0, 3.0),) * 2
    assert abs(twice(1.5, 0.5) - 0.75 * 0.125) <= twice.error(1.5, 0.5) + 1e-15


def test_outside_and_at_nothing():
    h = convolve(lambda x, y: 1.0, lambda x, y: 1.0, support_f=[(0, 1)] * 2, support_g=[(0, 1)] * 2)
    np.testing.assert_array_equal(h([-1, 0.5, 2], [1, 5, 2]), [0, 0, 0])
    assert math.isnan(h(0.5, math.nan))
    assert h(np.empty((0, 3)), 1.0).shape == (0, 3)


def test_a_circle_is_a_warning_with_its_error(monkeypatch):
    monkeypatch.setattr("multiconv.continuous._space_convolution.MOST_CUTS", 20)
    h = convolve(lambda x, y: np.where(x * x + y * y < 1, 1.0, 0.0), lambda x, y: np.ones_like(x),
                 support_f=[(-1, 1)] * 2, support_g=[(-1, 1)] * 2)  # fmt: skip
    with pytest.warns(IntegrationWarning, match="at 1 of 1 points"):
        value = h(0.0, 0.0)
    assert abs(value - math.pi) <= h.error(0.0, 0.0) < 1


GOOD = {"f": lambda x, y: x, "g": lambda x, y: y, "support_f": [(0, 1)] * 2,
        "support_g": [(0, 2)] * 2}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"support_g": [(0, 1)] * 3}, ValueError, "support_f: .* give 3 .* pairs"),
        ({"support_g": (0, 1)}, ValueError, "support_g: .* give 2"),
        ({"support_g": [(0, 1), (1, 0)]}, ValueError, r"support_g: \(1, 0\) is not allowed"),
        ({"breakpoints_f": [0.5]}, ValueError, "breakpoints_f: .* a sequence of 2 sequences"),
        ({"f": 3}, TypeError, "f: 3 is not callable"),
        ({"f": lambda x, y: x * math.nan}, ValueError, "f: its values must be finite"),
        ({"g": lambda x, y: "high"}, TypeError, "g: returned .* must return numbers"),
        ({"g": lambda x: x}, TypeError, "takes 1 positional argument"),
    ],
)
def test_bad_input_is_one_clear_sentence(change, error, message):
    with pytest.raises(error, match=message):
        convolve(**{**GOOD, **change})(1.0, 1.0)


def test_the_number_of_coordinates_is_checked():
    h = convolve(**GOOD)
    with pytest.raises(TypeError, match="x: 1 coordinates are given, 2 are needed"):
        h(1.0)
    with pytest.raises(TypeError, match="give real numbers"):
        h(1.0, "1")


def test_plots():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    h = convolve(**GOOD)
    axes = h.plot(figure.subplots(), points=5)
    (mesh,) = axes.collections
    assert mesh.get_array().size == 25
    with pytest.raises(ValueError, match="plot: 3 axes cannot be drawn"):
        convolve(lambda x, y, z: 1.0, lambda x, y, z: 1.0, support_f=[(0, 1)] * 3,
                 support_g=[(0, 1)] * 3).plot()  # fmt: skip
