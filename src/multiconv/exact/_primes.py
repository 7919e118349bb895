"""Primes below 2**31 in whose fields there are roots of unity of a power-of-two order."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=64)
def primes_for(order: int, bits: int) -> tuple[int, ...] | None:
    """The largest primes ``p = c * order + 1`` whose product has more than ``bits`` bits.

    None if there are too few.
    """
    found, product = [], 1
    for c in range((2**31 - 2) // order, 0, -1):
        candidate = c * order + 1
        if _is_prime(candidate):
            found.append(candidate)
            product *= candidate
            if product >> bits:
                return tuple(found)
    return None


def root_of_unity(prime: int, order: int) -> int:
    """An element of exactly this order, a power of two."""
    exponent = (prime - 1) // 2
    other = next(g for g in range(2, prime) if pow(g, exponent, prime) != 1)
    return pow(other, (prime - 1) // order, prime)


def _is_prime(n: int) -> bool:
    """Miller-Rabin; these bases decide every n below 3,215,031,751 (Pomerance et al. 1980)."""
    if n < 9 or n % 2 == 0:
        return n in (2, 3, 5, 7)
    if any(n % base == 0 for base in (3, 5, 7)):
        return False
    twos = ((n - 1) & -(n - 1)).bit_length() - 1
    for base in (2, 3, 5, 7):
        power = pow(base, (n - 1) >> twos, n)
        if power in (1, n - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % n
            if power == n - 1:
                break
        else:
            return False
    return True
