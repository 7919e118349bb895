"""Combs of impulses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from multiconv.continuous import Comb, comb, convolve

RNG = np.random.default_rng(23)


def test_a_function_is_copied_to_every_impulse():
    h = convolve(comb([2.5, -1, 0.25], [3, -2, 0.5]), np.exp, support_g=(0, 2))
    assert h.support == (-1.0, 4.5)
    assert h.breakpoints == (-1.0, 0.25, 1.0, 2.25, 2.5, 4.5)
    x = RNG.uniform(-2, 5, 200)
    true = np.zeros(200)
    for position, weight in ((2.5, 3), (-1, -2), (0.25, 0.5)):
        true += np.where((x > position) & (x < position + 2), weight * np.exp(x - position), 0)
    assert (np.abs(h(x) - true) <= h.error(x)).all()
    assert h.error(x).max() < 1e-13


def test_either_operand_may_be_the_comb():
    forth = convolve(np.cos, comb([0.1, 3], [1j, 2]), support_f=(-1, math.inf))
    back = convolve(comb([0.1, 3], [1j, 2]), np.cos, support_g=(-1, math.inf))
    x = np.linspace(-2, 9, 57)
    np.testing.assert_array_equal(forth(x), back(x))
    assert forth(x).dtype == np.complex128


def test_impulses_of_one_place_add_up():
    impulses = comb([1, 0, 1], [2, 5, 3])
    np.testing.assert_array_equal(impulses.positions, [0, 1])
    np.testing.assert_array_equal(impulses.weights, [5, 5])
    assert impulses.support == (0.0, 1.0)
    assert repr(impulses) == "Comb(2 impulses, support=(0.0, 1.0))"


def test_combs_convolve_as_polynomials_multiply():
    p, q = [1, -2, 0, 3], [4, 1, -1]
    h = convolve(comb(range(4), p), comb(np.arange(3) / 1, q))
    assert isinstance(h, Comb)
    np.testing.assert_array_equal(h.positions, range(6))
    np.testing.assert_array_equal(h.weights, np.convolve(p, q))


def test_a_comb_smears_out_to_a_train_of_boxes_and_further():
    train = convolve(comb([0, 1, 2]), lambda t: np.ones_like(t), support_g=(0, 0.5))
    h = convolve(train, lambda t: np.ones_like(t), support_g=(0, 0.5))
    x = RNG.uniform(0, 3, 100)
    true = np.maximum(0.5 - np.abs(np.mod(x, 1) - 0.5), 0) * (x < 3)
    assert (np.abs(h(x) - true) <= h.error(x) + 1e-15).all()
    assert h.error(x).max() < 1e-12


def test_right_at_a_jump_the_error_is_the_jump():
    h = convolve(comb([0.1, 0.6]), np.exp, support_g=(0.2, 1))
    assert h.error(0.6 + 0.2) > 1
    assert h.error(0.5) < 1e-14
    assert abs(h(0.5) - math.exp(0.4)) <= h.error(0.5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([],), ValueError, r"positions: shape \(0,\) is not allowed"),
        ((1.0,), ValueError, r"positions: shape \(\) is not allowed"),
        (([0, math.nan],), ValueError, "positions: .* must be finite"),
        ((["0"],), TypeError, "positions: .* give real numbers"),
        (([1j],), TypeError, "positions: .* give real numbers"),
        (([0, 1], [1, 2, 3]), ValueError, r"weights: shape \(3,\) .* each of the 2 positions"),
        (([0], [math.inf]), ValueError, "weights: .* must be finite"),
        (([0], [None]), TypeError, "weights: .* give numbers"),
    ],
)
def test_bad_combs_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        comb(*arguments)


def test_a_comb_has_its_own_support():
    with pytest.raises(ValueError, match="support_f: a comb has its own"):
        convolve(comb([0]), np.exp, support_f=(0, 1), support_g=(0, 1))
