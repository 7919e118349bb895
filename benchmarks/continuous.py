"""Convolution of functions and sums of random variables against the clock, and against the truth.

    python benchmarks/continuous.py            # everything; --rounds for more certainty
    python benchmarks/continuous.py --only gaussians

Contestants of a case take turns. A time is the least of all rounds; an error is the largest
difference from the closed form, as a share of the largest value (`absolute`) and of the value
itself (`relative`, where it is above 1e-250). Ours is timed from the functions to the values, with
nothing kept from an earlier call; `again` is the next call.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
from scipy import integrate, signal, stats

import multiconv as mc

RTOL = 1e-12
INF = math.inf
PATIENCE = 20.0
"""Seconds of a round's call, from which on a contestant has only one."""

Values = Callable[[], np.ndarray]


class Case(NamedTuple):
    """One question, who answers it, and the answer."""

    name: str
    contestants: dict[str, Callable[[], Values]]
    exact: np.ndarray


class Found(NamedTuple):
    """How a contestant did."""

    seconds: float
    absolute: float
    relative: float


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="cases with this in their name")
    asked = parser.parse_args()
    makers = gaussians, cauchy, uniforms, lognormals
    chosen = [make for make in makers if asked.only in make.__name__]
    return max((report(case, race(case, asked.rounds)) for case in (m() for m in chosen)),
               default=2)  # fmt: skip


def gaussians() -> Case:
    """The whole grid of a convolution of two Gaussians."""
    x = np.linspace(-10, 10, 10_000)
    return functions("10,000 points of Gaussian * Gaussian", normal(1.0), normal(0.5), x,
                     normal(math.hypot(1, 0.5))(x))  # fmt: skip


def cauchy() -> Case:
    """Power laws, which no cut-off serves."""
    x = np.linspace(-100, 100, 10_000)
    return functions("10,000 points of Cauchy * Cauchy", lorentz(1.0), lorentz(2.0), x,
                     lorentz(3.0)(x))  # fmt: skip


def functions(name: str, f: Any, g: Any, x: np.ndarray, exact: np.ndarray) -> Case:
    """Ours, and SciPy's integrals one by one and all at once."""

    def convolution() -> mc.continuous.Convolution:
        return mc.continuous.convolve(f, g, rtol=RTOL)

    def again() -> Values:
        h = convolution()
        h(x)
        return lambda: h(x)

    def one_by_one() -> np.ndarray:
        def integral(point: float) -> float:
            found = integrate.quad(lambda t: f(t) * g(point - t), -INF, INF, epsabs=RTOL,
                                   epsrel=RTOL, limit=200)  # fmt: skip
            return float(found[0])

        return np.array([integral(point) for point in x.tolist()])

    def at_once() -> np.ndarray:
        found = integrate.quad_vec(lambda t: f(t) * g(x - t), -INF, INF, epsabs=RTOL,
                                   epsrel=RTOL, norm="max")  # fmt: skip
        return np.asarray(found[0])

    return Case(name, {
        "multiconv": lambda: lambda: convolution()(x),
        "multiconv, again": again,
        "scipy quad, in a loop": lambda: one_by_one,
        "scipy quad_vec": lambda: at_once,
    }, exact)  # fmt: skip


def uniforms() -> Case:
    """Twelve uniform variables: a density whose tails end in 1e-40."""
    x = np.linspace(0, 12, 2003)[1:-1]

    def ours() -> np.ndarray:
        return np.asarray(mc.continuous.distribution_of_sum(stats.uniform(), copies=12).pdf(x))

    def powers_of_spectra() -> np.ndarray:
        step = 2.0**-12
        box = np.ones(2**12)
        total = box
        for _ in range(11):
            total = signal.fftconvolve(total, box) * step
        return np.interp(x, step * (np.arange(total.size) + 6), total)

    return Case("the density of the sum of 12 uniforms, 2,001 points", {
        "multiconv": lambda: ours,
        "scipy fftconvolve": lambda: powers_of_spectra,
        "mpmath, closed form": lambda: lambda: irwin_hall(12, x),
    }, irwin_hall(12, x))  # fmt: skip


def lognormals() -> Case:
    """Two lognormal variables: a heavy tail that no transform has a strip for."""
    x = np.geomspace(1e-2, 1e6, 200)
    term = stats.lognorm(1)

    def ours() -> np.ndarray:
        return np.asarray(mc.continuous.distribution_of_sum(term, copies=2).pdf(x))

    def one_by_one() -> np.ndarray:
        def density(point: float) -> float:
            found = integrate.quad(lambda t: term.pdf(t) * term.pdf(point - t), 0, point / 2,
                                   epsabs=0, epsrel=RTOL, limit=200)  # fmt: skip
            return 2 * float(found[0])

        return np.array([density(point) for point in x.tolist()])

    return Case("the density of the sum of 2 lognormals, 200 points", {
        "multiconv": lambda: ours,
        "scipy quad, in a loop": lambda: one_by_one,
        "mpmath quad": lambda: lambda: lognormal_sum(x),
    }, lognormal_sum(x))  # fmt: skip


def normal(s: float) -> Callable[[Any], Any]:
    """The density of a normal variable."""
    return lambda t: np.exp(-0.5 * (t / s) ** 2) / (s * math.sqrt(2 * math.pi))


def lorentz(a: float) -> Callable[[Any], Any]:
    """The density of a Cauchy variable."""
    return lambda t: a / (math.pi * (t * t + a * a))


def irwin_hall(count: int, x: np.ndarray) -> np.ndarray:
    """The density of a sum of uniforms, from its alternating sum in 50 digits."""
    with mpmath.workdps(50):
        terms = [(-1) ** k * mpmath.binomial(count, k) for k in range(count + 1)]
        below = [sum(terms[k] * (mpmath.mpf(p) - k) ** (count - 1) for k in range(int(p) + 1))
                 for p in x.tolist()]  # fmt: skip
        return np.array([float(value / mpmath.factorial(count - 1)) for value in below])


def lognormal_sum(x: np.ndarray) -> np.ndarray:
    """The density of a sum of two, by mpmath's tanh-sinh quadrature in log t, in short parts."""

    def log_density(t: Any) -> Any:
        return -(mpmath.log(t) ** 2) / 2 - mpmath.log(t) - mpmath.log(2 * mpmath.pi) / 2

    def density(point: Any) -> Any:
        def term(u: Any) -> Any:
            t = mpmath.exp(u)
            return t * mpmath.exp(log_density(t) + log_density(point - t))

        middle = mpmath.log(point / 2)
        return 2 * mpmath.quad(term, [middle - k for k in range(40, -1, -1)])

    with mpmath.workdps(25):
        return np.array([float(density(mpmath.mpf(point))) for point in x.tolist()])


def race(case: Case, rounds: int) -> dict[str, Found]:
    """Everyone's best time and errors, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in case.contestants}
    given: dict[str, np.ndarray] = {}
    for turn in range(rounds):
        for name, make in case.contestants.items():
            if turn and taken[name][-1] > PATIENCE / rounds:
                continue
            call = make()
            begin = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                given[name] = call()
            taken[name].append(time.perf_counter() - begin)
    return {name: Found(min(taken[name]), *errors(given[name], case.exact)) for name in taken}


def errors(values: np.ndarray, exact: np.ndarray) -> tuple[float, float]:
    """The largest differences, as shares of the largest value and of the values themselves."""
    off = np.abs(values - exact)
    seen = np.abs(exact) > 1e-250
    relative = (off[seen] / np.abs(exact[seen])).max()
    return float(off.max() / np.abs(exact).max()), float(relative)


def report(case: Case, found: dict[str, Found]) -> int:
    """Print a table; the exit status says whether a peer was quicker and as right as ours."""
    ours, lost = found["multiconv"], 0
    print(f"\n{case.name}\n\n{'':<24}{'ms':>10}{'x ours':>10}{'absolute':>12}{'relative':>12}")
    for name, (seconds, absolute, relative) in found.items():
        ratio = "" if name == "multiconv" else f"{seconds / ours.seconds:.3g}"
        print(f"{name:<24}{1e3 * seconds:>10.4g}{ratio:>10}{absolute:>12.1e}{relative:>12.1e}")
        is_peer = not name.startswith(("multiconv", "mpmath"))
        lost |= is_peer and seconds < ours.seconds and relative < max(1e-6, 10 * ours.relative)
    return int(lost)


if __name__ == "__main__":
    sys.exit(main())
