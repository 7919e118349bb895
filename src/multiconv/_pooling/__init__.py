"""Pooling: the largest or the mean element under a moving window, in any rank, and gradients."""

from multiconv._pooling._largest import max_pool, max_pool_grad
from multiconv._pooling._mean import avg_pool, avg_pool_grad

__all__ = ["avg_pool", "avg_pool_grad", "max_pool", "max_pool_grad"]
