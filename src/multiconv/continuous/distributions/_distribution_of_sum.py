"""Adding up random variables: the public call."""

from __future__ import annotations

import operator
from typing import Any

from multiconv._errors import MissingExtraError
from multiconv.continuous.distributions._random_sum import RandomSum, as_random


def distribution_of_sum(*terms: Any, copies: int = 1) -> RandomSum:
    r"""The distribution of a sum of independent random variables.

    The density of a sum is the convolution of the densities of its terms.

    Parameters
    ----------
    *terms : frozen distribution, RandomSum or float
        Frozen distributions of `scipy.stats`, continuous or discrete (on numbers one apart), with
        any location and scale; results of this function; and constants.
    copies : int, optional
        Add up this many independent copies of it all, by repeated doubling.

    Returns
    -------
    RandomSum

    Raises
    ------
    TypeError
        If a term is no frozen distribution and no number, or `copies` is no integer.
    ValueError
        If `copies` is less than 1, no term is random, or a term has array parameters or a density
        that is NaN.
    MissingExtraError
        If SciPy is not installed.

    Warns
    -----
    IntegrationWarning
        If the density found does not integrate to 1, by how much.

    Notes
    -----
    Neither a transform nor a difference is taken anywhere. The logarithm of a density is kept as a
    piecewise Chebyshev series, in a coordinate that stretches ends and tails until power laws are
    straight; a sum of two is an adaptive integral of positive terms; `copies` costs that
    integral about twice the binary logarithm of their number. So the relative error is as small in
    the tails as in the bulk, for heavy tails too, where exponential tilting (S. Asmussen and
    P. W. Glynn, *Stochastic Simulation*, Springer, 2007, chapter VI) has no moments to work
    with. Discrete probabilities are sums of products.

    Examples
    --------
    The chance that twelve uniform variables add up to less than 1/2 is ``0.5**12 / 12!``:

    >>> from scipy import stats
    >>> import multiconv as mc
    >>> total = mc.continuous.distribution_of_sum(stats.uniform(), copies=12)
    >>> round(total.cdf(0.5) * 2**12 * 479001600, 11)
    np.float64(1.0)
    >>> total.mean(), total.support(), total.rtol < 1e-10
    (6.0, (0.0, 12.0), True)

    Heavy and light tails, discrete and constant terms mix:

    >>> waiting = mc.continuous.distribution_of_sum(stats.lognorm(1), stats.poisson(2), 5.0)
    >>> bool(waiting.sf(1e6) > 0)
    True
    """
    try:
        import scipy.stats  # noqa: F401
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            "distribution_of_sum needs SciPy, install it with: pip install multiconv[math]"
        ) from missing
    count = _checked_copies(copies)
    result = None
    for number, term in enumerate(terms):
        part = as_random(term, f"terms[{number}]")
        result = part if result is None else result._plus(part)
    if result is None or (result._density is None and result._lattice is None):
        raise ValueError("terms: no random variable among them, give at least one")
    total = result._times(count)
    total._check_mass()
    return total


def _checked_copies(copies: Any) -> int:
    try:
        count = operator.index(copies)
    except TypeError:
        raise TypeError(f"copies: {copies!r} is not allowed, give a positive integer") from None
    if count < 1:
        raise ValueError(f"copies: {count} is not allowed, give a positive integer")
    return count
