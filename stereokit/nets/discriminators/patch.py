"""Short pieces of the wave, each by itself."""

import torch
from torch import nn

from stereokit.nets.discriminators._form import Discriminator, Layers, Opinion, widths

_LAYERS, _KERNEL, _STRIDE = 4, 9, 4


class Patch(Discriminator):
    """Judges pieces of 1,705 samples, 256 apart, which overlap: a sound is as real as its pieces are.

    Isola et al. 2017, Image-to-image translation with conditional adversarial networks, in one dimension.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = widths(width, _LAYERS)
        hidden: list[nn.Module] = [
            nn.Conv1d(inward, outward, _KERNEL, _STRIDE, _KERNEL // 2) for inward, outward in sizes
        ]
        self.network = Layers(hidden, nn.Conv1d(sizes[-1][1], 1, _KERNEL - 4, padding=2))

    def forward(self, waves: torch.Tensor) -> list[Opinion]:
        """Return the one opinion."""
        return [self.network(waves)]
