"""Which way is the fastest, by what each took in measurements."""

from __future__ import annotations

from multiconv.exact._modular import primes_of


def direct_seconds(a: int, b: int) -> float:
    """The engine's sums in 64-bit integers."""
    return 20e-6 + 0.4e-9 * a * b


def transform_seconds(a: int, b: int, largest: int) -> float:
    """A fixed share per prime and step, the butterflies, and the sums from their residues."""
    count = a + b - 1
    primes = primes_of(count, largest)
    if primes is None:
        return float("inf")
    steps = (count - 1).bit_length()
    number = len(primes)
    butterflies = 3 * number * steps * (18e-6 + 8e-9 * (1 << steps))
    return butterflies + 8e-9 * number**2 * count


def product_seconds(a: int, b: int, largest: int) -> float:
    """Python's product of integers: Karatsuba's on equal parts of the longer one."""
    bits = 32 * -(-largest.bit_length() // 32)
    short, long = sorted((a * bits, b * bits))
    seconds: float = 10e-6 + long / short * 4.4e-11 * short**1.585 + 2e-7 * (a + b)
    return seconds
