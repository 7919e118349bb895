"""The distribution of a sum of random variables, with relative accuracy in the tails."""

from multiconv.continuous.distributions._distribution_of_sum import distribution_of_sum
from multiconv.continuous.distributions._random_sum import RandomSum

__all__ = ["RandomSum", "distribution_of_sum"]
