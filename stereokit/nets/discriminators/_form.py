"""The form of every discriminator of waves."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

LEAK = 0.2
# Channels of hidden layers, and of the widest discriminator's first one.
GROWTH, MOST = 2, 1_024


@dataclass(frozen=True)
class Opinion:
    """What one network says of a batch.

    Attributes
    ----------
    verdicts
        (B, places), higher for more real: each place judges what it sees.
    features
        Outputs of the hidden layers, in order, (B, ...).
    """

    verdicts: torch.Tensor
    features: tuple[torch.Tensor, ...]


class Discriminator(nn.Module, ABC):
    """Judges waves (B, 2, T) of any length."""

    @abstractmethod
    def forward(self, waves: torch.Tensor) -> list[Opinion]:
        """Return one opinion for each network inside."""


class Layers(nn.Module):
    """Convolutions one after the other, weight-normed, the last one to a verdict at each place."""

    def __init__(self, hidden: list[nn.Module], last: nn.Module) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(weight_norm(layer) for layer in hidden)
        self.last = weight_norm(last)

    def forward(self, seen: torch.Tensor) -> Opinion:
        """Return the opinion on (B, C, ...)."""
        features = []
        for layer in self.hidden:
            seen = self.between(nn.functional.leaky_relu(layer(seen), LEAK))
            features.append(seen)
        return Opinion(self.last(seen).flatten(1), tuple(features))

    def between(self, seen: torch.Tensor) -> torch.Tensor:
        """Change what a hidden layer gives, before the next one sees it."""
        return seen


def widths(first: int, layers: int) -> list[tuple[int, int]]:
    """Return channels in and out of each hidden layer: two channels of sound, then twice as many each time."""
    return list(pairwise([2, *(min(first * GROWTH**number, MOST) for number in range(layers))]))
