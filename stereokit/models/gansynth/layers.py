"""Layers of ``gansynth``: weights that learn at one speed, pixel norm, and the deviation of a minibatch."""

import math

import torch
from torch import nn
from torch.nn.functional import conv2d

LEAK = 0.2
# Keeps the variance through a convolution and a leaky rectifier.
GAIN = math.sqrt(2.0 / (1.0 + LEAK**2))
_TINY = 1e-8


class EqualisedConvolution(nn.Module):
    """A convolution without bias whose weights are drawn with variance 1 and scaled as they are used.

    All weights then learn at one speed, whatever their number. The scale is computed from the shape, so that a saved
    network comes back as it was.
    """

    def __init__(self, inward: int, outward: int, kernel: int, *, gain: float = GAIN) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, inward, kernel, kernel))
        self.scale = gain / math.sqrt(inward * kernel**2)
        self.padding = kernel // 2

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (B, outward, F, T) of (B, inward, F, T)."""
        # channels last: a third faster on a CPU; the parameter stays as it is saved
        weight = (self.weight * self.scale).contiguous(memory_format=torch.channels_last)
        return conv2d(pictures, weight, padding=self.padding)


class EqualisedLinear(nn.Module):
    """Weighted sums, scaled as those of ``EqualisedConvolution``."""

    def __init__(self, inward: int, outward: int, *, has_bias: bool, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, inward))
        self.bias = nn.Parameter(torch.zeros(outward)) if has_bias else None
        self.scale = gain / math.sqrt(inward)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return (B, outward) of (B, inward)."""
        return nn.functional.linear(vectors, self.weight * self.scale, self.bias)


def pixel_norm(pictures: torch.Tensor) -> torch.Tensor:
    """Return pictures (B, C, F, T) whose channels have mean square 1 at every place."""
    return pictures * torch.rsqrt(pictures.square().mean(1, keepdim=True) + _TINY)


def group_deviation(pictures: torch.Tensor, group: int) -> torch.Tensor:
    """Return how different the pictures of each group are: one number for all of it, (B, 1, 1, 1).

    The population's standard deviation over the group, averaged over channels and places.

    Parameters
    ----------
    pictures
        (B, C, F, T).
    group
        Consecutive pictures that are compared; all, where B cannot be divided by it.
    """
    count = len(pictures)
    size = group if count % group == 0 else count
    groups = pictures.reshape(count // size, size, -1)
    variances = groups.float().var(1, correction=0) if groups.dtype == torch.bfloat16 else groups.var(1, correction=0)
    # the root has no slope at 0, where all are alike
    deviations = (variances + _TINY).sqrt().mean(1)
    return deviations.repeat_interleave(size)[:, None, None, None]
