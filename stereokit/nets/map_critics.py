"""Critics of the maps between encoder and decoder, and of pictures of several kinds."""

from itertools import pairwise

import torch
from torch import nn

_SLOPE = 0.2
_LAYERS = 4
_MOST = 8


class MapCritic(nn.Sequential):
    """Fully connected: every cell of a map is heard at once.

    Parameters
    ----------
    shape
        (C, rows, frames) of a map.
    width
        Numbers of both hidden layers.
    outputs
        Numbers that an item gets.
    """

    def __init__(self, shape: tuple[int, int, int], *, width: int, outputs: int) -> None:
        channels, rows, frames = shape
        super().__init__(
            nn.Flatten(),
            nn.Linear(channels * rows * frames, width),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(width, width),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(width, outputs),
        )


class PictureCritic(nn.Module):
    """Says of each place of a picture how much it looks like each kind: means over places of strided convolutions.

    Parameters
    ----------
    channels, kinds
        Of pictures.
    width
        Channels of the first layer; later ones have up to eight times as many.
    """

    def __init__(self, channels: int, *, kinds: int, width: int) -> None:
        super().__init__()
        sizes = [channels, *(width * min(2**number, _MOST) for number in range(_LAYERS))]
        layers: list[nn.Module] = []
        for inward, outward in pairwise(sizes):
            layers += [nn.Conv2d(inward, outward, 4, stride=2, padding=2), nn.LeakyReLU(_SLOPE)]
        self.network = nn.Sequential(*layers, nn.Conv2d(sizes[-1], kinds, 3, padding=1))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return verdicts, (B, kinds), of pictures (B, channels, rows, frames)."""
        return torch.as_tensor(self.network(pictures)).mean((2, 3))
