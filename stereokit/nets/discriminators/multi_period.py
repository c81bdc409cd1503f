"""Samples that lie a period apart, side by side."""

import torch
from torch import nn
from torch.nn.functional import pad

from stereokit.nets.discriminators._form import Discriminator, Layers, Opinion, widths

_PERIODS = (2, 3, 5, 7, 11)
_LAYERS, _KERNEL, _STRIDE = 4, 5, 3


class MultiPeriod(Discriminator):
    """One network for each period: every column holds the samples of one phase, and no column sees another.

    Kong et al. 2020, HiFi-GAN; their periods, which are prime, so that no two networks see the same samples often.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(_network(width) for _ in _PERIODS)

    def forward(self, waves: torch.Tensor) -> list[Opinion]:
        """Return an opinion for each period."""
        return [network(folded(waves, period)) for network, period in zip(self.networks, _PERIODS, strict=True)]


def folded(waves: torch.Tensor, period: int) -> torch.Tensor:
    """Return waves (B, C, T) in rows of a period, (B, C, rows, period); the last row is filled with silence."""
    missing = -waves.shape[-1] % period
    padded = pad(waves, (0, missing))
    return padded.reshape(*padded.shape[:2], -1, period)


def _network(width: int) -> Layers:
    sizes = widths(width, _LAYERS)
    hidden: list[nn.Module] = [
        nn.Conv2d(inward, outward, (_KERNEL, 1), (_STRIDE, 1), (_KERNEL // 2, 0)) for inward, outward in sizes
    ]
    return Layers(hidden, nn.Conv2d(sizes[-1][1], 1, (3, 1), padding=(1, 0)))
