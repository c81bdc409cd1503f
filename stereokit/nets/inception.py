"""Convolutions of several lengths side by side, each behind a narrow bottleneck."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class InceptionForm:
    """What all inception modules of a network have in common.

    Attributes
    ----------
    kernels
        Length of each branch's convolution, odd.
    shares
        Filters of each branch; only their ratios count, and a module's filters are a multiple of their sum.
    reduction
        A branch's bottleneck has so much fewer channels than its output, at least one.
    """

    kernels: tuple[int, ...]
    shares: tuple[int, ...]
    reduction: int

    def branches(self, filters: int) -> list[int]:
        """Return the filters of each branch of a module of so many."""
        return [filters * share // sum(self.shares) for share in self.shares]


class Inception(nn.Module):
    """Convolutions of several lengths over (B, inward, W), stacked to (B, filters, W).

    Szegedy et al. 2015, Going deeper with convolutions, along one axis and without pooling. All bottlenecks are one
    convolution of length 1, which is the same and faster.
    """

    def __init__(self, inward: int, filters: int, form: InceptionForm) -> None:
        super().__init__()
        outward = form.branches(filters)
        self._inner = [max(1, count // form.reduction) for count in outward]
        self.narrow = nn.Conv1d(inward, sum(self._inner), 1)
        self.branches = nn.ModuleList(
            nn.Conv1d(inner, count, kernel, padding=kernel // 2)
            for inner, count, kernel in zip(self._inner, outward, form.kernels, strict=True)
        )

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Return what every branch makes of (B, inward, W), one after the other: (B, filters, W)."""
        narrowed = self.narrow(signals).split(self._inner, dim=1)
        return torch.cat([branch(part) for branch, part in zip(self.branches, narrowed, strict=True)], dim=1)
