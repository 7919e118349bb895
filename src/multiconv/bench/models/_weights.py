"""Random weights under which values stay of one size from layer to layer."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd


def draw_weights(model: nn.Module) -> None:
    """Draw all weights anew.

    Means and scales of normalisations become unlike 0 and 1, so that who folds them has work to
    do; so do scales that begin near 0, which would hide whole branches from a comparison.
    """
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, _ConvNd | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            elif isinstance(module, _BatchNorm):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.8, 1.25)
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.empty_like(parameter).uniform_(-0.1, 0.1))
