"""A network of pictures that keeps where it finds things: pitch and time of a drum say what it is."""

from collections.abc import Sequence

import torch
from torch import nn

_PLACES = (5, 3)


class PlacedFeatures(nn.Module):
    """Four convolutions of a picture and of the places of its cells; what they find, in 5 x 3 parts and at its highest.

    Parameters
    ----------
    channels, width
        Of the picture, and of the first layer.
    size
        Rows and columns of the picture.

    Attributes
    ----------
    width
        How many numbers come out.
    """

    places: torch.Tensor

    def __init__(self, channels: int, width: int, *, size: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(channels + 2, width, 5, 2),
            *_convolution(width, 2 * width, 3, 1),
            nn.MaxPool2d(2, ceil_mode=True),
            *_convolution(2 * width, 4 * width, 3, 1),
            nn.MaxPool2d(2, ceil_mode=True),
            *_convolution(4 * width, 6 * width, 3, 1),
        )
        self.width = 6 * width * (1 + _PLACES[0] * _PLACES[1])
        with torch.device("cpu"):
            rows, columns = (torch.linspace(-1.0, 1.0, count) for count in size)
            places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
            self.register_buffer("places", places, persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (B, width) of pictures (B, C, rows, columns)."""
        placed = torch.cat([pictures, self.places.expand(len(pictures), -1, -1, -1)], dim=1)
        # channels last: a third faster on CPUs
        found = self.layers(placed.contiguous(memory_format=torch.channels_last))
        parts = nn.functional.adaptive_avg_pool2d(found, _PLACES)
        return torch.cat([found.amax((2, 3)), parts.flatten(1)], dim=1)


def _convolution(inward: int, outward: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inward, outward, kernel, stride, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(outward), nn.ReLU()
