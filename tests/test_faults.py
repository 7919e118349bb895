"""Faults that bit other convolution libraries: one test a row of the table, by number."""

import numpy as np

import multiconv as mc


def test_values_far_below_others_survive():
    """Row 1: transforms destroy small values next to large ones."""
    a = np.array([0.0] * 10000 + [10.0 ** (9 * i) for i in range(10)])
    np.testing.assert_allclose(mc.convolve(a, a), np.convolve(a, a), rtol=1e-12)
