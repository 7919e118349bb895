"""Pooling: the largest or the mean element under a moving window, in any rank, and gradients."""

from multiconv._pooling._largest import bound_max_pool, max_pool, max_pool_grad
from multiconv._pooling._mean import avg_pool, avg_pool_grad, bound_avg_pool
from multiconv._pooling._windows import pooled_shape, windows

__all__ = [
    "avg_pool",
    "avg_pool_grad",
    "bound_avg_pool",
    "bound_max_pool",
    "max_pool",
    "max_pool_grad",
    "pooled_shape",
    "windows",
]
