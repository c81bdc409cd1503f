"""The wave as it is, at half and at a quarter of its rate."""

import math

import torch
from torch import nn
from torch.nn.functional import avg_pool1d

from stereokit.nets.discriminators._form import Discriminator, Layers, Opinion, widths

_SCALES, _LAYERS, _KERNEL, _STRIDE = 3, 4, 25, 4


class MultiScale(Discriminator):
    """Equal networks for the wave and for averages of it, which hold low frequencies only.

    Kumar et al. 2019, MelGAN.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(_network(width) for _ in range(_SCALES))

    def forward(self, waves: torch.Tensor) -> list[Opinion]:
        """Return an opinion for each rate."""
        opinions = []
        for network in self.networks:
            opinions.append(network(waves))
            waves = avg_pool1d(waves, 4, 2, padding=1, ceil_mode=True, count_include_pad=False)
        return opinions


def _network(width: int) -> Layers:
    sizes = widths(width, _LAYERS)
    # many channels are convolved in groups of four
    groups = [1 if inward % 4 else math.gcd(inward // 4, outward) for inward, outward in sizes]
    hidden: list[nn.Module] = [
        nn.Conv1d(inward, outward, _KERNEL, _STRIDE, _KERNEL // 2, groups=count)
        for (inward, outward), count in zip(sizes, groups, strict=True)
    ]
    return Layers(hidden, nn.Conv1d(sizes[-1][1], 1, 3, padding=1))
