"""Exact convolution of integers against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiconv.exact import _kronecker as kronecker
from multiconv.exact import convolve_exact
from multiconv.exact._kronecker import by_one_product
from multiconv.exact._modular import by_transforms
from multiconv.exact._primes import primes_for, root_of_unity
from multiconv.exact._residues import combine
from multiconv.exact._transform import cyclic_convolution
from multiconv.exact._words import modulo, to_objects

WORDS = [by_transforms, by_one_product]
LARGEST = 2**63 - 1


def summed(a, b):
    """The convolution of two lists, as its definition has it."""
    result = [0] * (len(a) + len(b) - 1)
    for i, u in enumerate(a):
        for j, v in enumerate(b):
            result[i + j] += u * v
    return result


def run(way, a, b):
    """The sums, by one way."""
    bound = min(a.size, b.size) * 2**126
    return to_objects(way(a, b, 2 * bound, bound), bound).tolist()


def draws(low, high):
    return st.lists(st.integers(low, high), min_size=1, max_size=40)


@given(draws(-(2**200), 2**200), draws(-(2**90), 2**90))
def test_integers_of_any_size(a, b):
    assert convolve_exact(a, b).tolist() == summed(a, b)


@given(draws(-1000, 1000), draws(-(2**63), LARGEST))
def test_small_integers(a, b):
    found = convolve_exact(a, b)
    assert found.dtype == object
    assert all(type(v) is int for v in found)
    assert found.tolist() == summed(a, b)


@given(draws(-(2**100), 2**100), draws(-(2**64), 2**64), st.integers(1, LARGEST))
def test_any_modulus(a, b, modulus):
    found = convolve_exact(a, b, modulus=modulus)
    assert found.dtype == np.int64
    assert found.tolist() == [v % modulus for v in summed(a, b)]


MODULI = [1, 2, 10, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 10**9 + 7, 2**62 + 1, LARGEST - 1, LARGEST,
          2**63, 2**64, 3**80]  # fmt: skip


@pytest.mark.parametrize("modulus", MODULI)
def test_awkward_moduli(modulus, rng):
    a, b = (rng.integers(-(2**63), LARGEST, n, endpoint=True).tolist() for n in (33, 21))
    found = convolve_exact(a, b, modulus=modulus)
    assert found.tolist() == [v % modulus for v in summed(a, b)]
    assert found.dtype == (np.int64 if modulus <= LARGEST else object)


@pytest.mark.parametrize("modulus", [2**62 + 1, LARGEST - 1, LARGEST, 2**62, 3**39, 2**33 - 5])
def test_residues_next_to_multiples_of_the_modulus(modulus):
    values = [k * modulus + d for k in (0, 1, 2, 3, 2**31, 2**32, 2**40 + 1, 2**61)
              for d in (-2, -1, 0, 1, 2) if k or d >= 0]  # fmt: skip
    data = b"".join(v.to_bytes(16, "little") for v in values)
    words = np.frombuffer(data, "<u4").reshape(-1, 4)
    assert modulo(words, modulus).tolist() == [v % modulus for v in values]


@pytest.mark.parametrize("way", WORDS)
@pytest.mark.parametrize("sizes", [(1, 1), (1, 2), (2, 2), (3, 5), (17, 9), (1, 70), (130, 33)])
def test_every_way_with_the_widest_words(way, sizes, rng):
    a, b = (rng.integers(-(2**63), LARGEST, n, endpoint=True) for n in sizes)
    a[0] = b[-1] = -(2**63)
    assert run(way, a, b) == summed(a.tolist(), b.tolist())


@pytest.mark.parametrize("way", WORDS)
@given(st.data())
def test_every_way(way, data):
    a, b = (np.array(data.draw(draws(-(2**63), LARGEST))) for _ in "ab")
    assert run(way, a, b) == summed(a.tolist(), b.tolist())


@pytest.mark.parametrize("count", [700, 3000, 20_000])
def test_long_vectors_agree(count, rng):
    a, b = rng.integers(-(2**20), 2**20, count), rng.integers(-(2**20), 2**20, count // 2 + 1)
    expected = np.convolve(a, b).tolist()
    bound = 2**40 * count
    for way in WORDS:
        assert to_objects(way(a, b, 2 * bound, bound), bound).tolist() == expected
    assert convolve_exact(a, b).tolist() == expected


def test_a_long_product_goes_by_transforms_too(monkeypatch, rng):
    a, b = (rng.integers(-(2**40), 2**40, n) for n in (90, 71))
    expected = summed(a.tolist(), b.tolist())
    monkeypatch.setattr(kronecker, "LONG", 100)
    monkeypatch.setattr(kronecker, "by_transforms", counted := Counted(by_transforms))
    assert run(by_one_product, a, b) == expected
    assert counted.calls == 1


class Counted:
    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *arguments):
        self.calls += 1
        return self.function(*arguments)


def test_factorials_as_one_product_of_polynomials():
    """Digits of 1000! times digits of 999!, carried, are the digits of the product."""
    x, y = 1, 1
    for n in range(1, 1000):
        x, y = x * (n + 1), y * n
    digits = [[int(c) for c in str(v)[::-1]] for v in (x, y)]
    sums = convolve_exact(*digits)
    assert sum(int(s) * 10**i for i, s in enumerate(sums)) == x * y


@pytest.mark.parametrize(("x", "y"), [((3, 4), (2, 5)), ((2, 3, 4), (3, 1, 2)), ((5, 1), (1, 6))])
def test_any_rank(x, y, rng):
    a, b = rng.integers(-(2**62), 2**62, x), rng.integers(-(2**62), 2**62, y)
    expected = np.zeros([n + m - 1 for n, m in zip(x, y, strict=True)], object)
    for place, value in np.ndenumerate(b):
        window = tuple(slice(p, p + n) for p, n in zip(place, x, strict=True))
        expected[window] += a.astype(object) * int(value)
    np.testing.assert_array_equal(convolve_exact(a, b), expected)
    np.testing.assert_array_equal(convolve_exact(a, b, modulus=997), expected % 997)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64", "uint64", "object"])
def test_dtypes_do_not_overflow(dtype):
    top = 1 if dtype == "bool" else 2**80 if dtype == "object" else int(np.iinfo(dtype).max)
    a = np.array([top, 0, top], dtype)
    assert convolve_exact(a, a).tolist() == summed(a.tolist(), a.tolist())


def test_zeros_stay_zeros():
    for a in ([0, 0, 0], np.zeros(3, object), np.zeros(3, np.uint8)):
        assert convolve_exact(a, [2**70, 1]).tolist() == [0] * 4
        assert convolve_exact(a, [2**70, 1], modulus=9).tolist() == [0] * 4


def test_mixed_lists_do_not_pass_through_floats():
    assert convolve_exact([2**63, -1], [1]).tolist() == [2**63, -1]
    assert convolve_exact([2**64 - 1, 2**53 + 1], [1, 1]).tolist() == [
        2**64 - 1, 2**64 + 2**53, 2**53 + 1]  # fmt: skip


@pytest.mark.parametrize("order", [1, 2, 4, 8, 64, 512])
def test_transforms_convolve_cyclically(order, rng):
    prime = primes_for(max(order, 2**12), 1)[0]
    a, b = rng.integers(0, prime, (2, order)).astype(np.uint64)
    expected = [sum(int(a[i]) * int(b[(k - i) % order]) for i in range(order)) % prime
                for k in range(order)]  # fmt: skip
    assert cyclic_convolution(a, b, prime).tolist() == expected


@pytest.mark.parametrize("order", [2, 2**10, 2**20, 2**26])
def test_primes_and_roots(order):
    for prime in primes_for(order, 60):
        assert prime < 2**31
        assert prime % order == 1
        assert all(prime % d for d in range(2, int(prime**0.5) + 1))
        root = root_of_unity(prime, order)
        assert pow(root, order, prime) == 1
        assert pow(root, order // 2, prime) == prime - 1


def test_too_few_primes_are_none():
    assert primes_for(2**27, 200) is None


def test_residues_are_combined():
    primes = primes_for(2**20, 150)
    values = [0, 1, 2**64, 10**40 + 7, 2**150 - 1]
    residues = [np.array([v % p for v in values], np.uint64) for p in primes]
    assert to_objects(combine(residues, primes), 0).tolist() == values


@pytest.mark.parametrize(
    ("a", "b", "modulus", "error", "message"),
    [
        ([], [1], None, ValueError, r"a: shape \(0,\) is empty, give at least one integer"),
        ([1], np.zeros((0, 2), int), None, ValueError, r"b: shape \(0, 2\) is empty"),
        ([1.5], [1], None, TypeError, r"a: 1.5 is not allowed, give integers"),
        ([1], np.array([1.0]), None, TypeError, r"b: dtype float64 is not allowed, give integers"),
        ([1], ["2"], None, TypeError, r"b: '2' is not allowed, give integers"),
        ([[1, 2], [3]], [1], None, TypeError, r"a: \[1, 2\] is not allowed, give integers"),
        ([1], [[1]], None, ValueError, r"b: rank 2 does not go with a's 1"),
        (1, 2, None, ValueError, r"b: rank 0 does not go with a's 0, give equal ranks from 1"),
        ([1], [1], 0, ValueError, r"modulus: 0 is not allowed, give an integer from 1"),
        ([1], [1], 2.0, TypeError, r"modulus: 2.0 is not allowed, give an integer"),
    ],
)
def test_bad_input(a, b, modulus, error, message):
    with pytest.raises(error, match=message):
        convolve_exact(a, b, modulus=modulus)
