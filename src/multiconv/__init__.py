"""Every convolution there is, one engine."""

from multiconv import continuous, filters, kernels
from multiconv._api import (
    conv,
    conv1d,
    conv2d,
    conv3d,
    conv_input_grad,
    conv_transpose,
    conv_weight_grad,
    convolve,
    correlate,
    plan,
    tune,
)
from multiconv._conventions import ShapeDtype
from multiconv._errors import MemoryLimitError, MissingExtraError, RefusedError
from multiconv._memory import keep_memory
from multiconv._plan import Explanation, Plan
from multiconv._pooling import avg_pool, avg_pool_grad, max_pool, max_pool_grad
from multiconv._problem import Problem
from multiconv._registry import algorithms
from multiconv._threads import get_num_threads, num_threads, set_num_threads
from multiconv._version import __version__
from multiconv.deconvolution import deconvolve
from multiconv.exact import convolve_exact
from multiconv.matching import lags, match_template
from multiconv.normalised import convolve_nan
from multiconv.periodic import circular_convolve
from multiconv.streaming import Stream

__all__ = [
    "Explanation",
    "MemoryLimitError",
    "MissingExtraError",
    "Plan",
    "Problem",
    "RefusedError",
    "ShapeDtype",
    "Stream",
    "__version__",
    "algorithms",
    "avg_pool",
    "avg_pool_grad",
    "circular_convolve",
    "continuous",
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_input_grad",
    "conv_transpose",
    "conv_weight_grad",
    "convolve",
    "convolve_exact",
    "convolve_nan",
    "correlate",
    "deconvolve",
    "filters",
    "get_num_threads",
    "keep_memory",
    "kernels",
    "lags",
    "match_template",
    "max_pool",
    "max_pool_grad",
    "num_threads",
    "plan",
    "set_num_threads",
    "tune",
]
