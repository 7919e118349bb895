"""The distribution of a sum of random variables, with relative accuracy in the tails."""

from multiconv.continuous.distributions._random_sum import RandomSum, distribution_of_sum

__all__ = ["RandomSum", "distribution_of_sum"]
