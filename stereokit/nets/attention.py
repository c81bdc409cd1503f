"""Attention over the places of a picture, written so that it can be differentiated twice."""

import torch
from torch import nn


class PictureAttention(nn.Module):
    """Every place looks at all others, and a learned share of what it finds is added: 0 at the start.

    Queries and keys are 1x1 convolutions to an eighth of the channels, values to all of them (Zhang et al. 2019,
    Self-attention generative adversarial networks).

    Parameters
    ----------
    channels
        Of the picture.
    is_linear
        Normalise queries over channels and keys over places and multiply keys with values first: work grows with the
        number of places (Shen et al. 2021, Efficient attention). Else with its square, through a matrix of all pairs.
    """

    def __init__(self, channels: int, *, is_linear: bool) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels // 8, 1)
        self.key = nn.Conv2d(channels, channels // 8, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gain = nn.Parameter(torch.zeros(1))
        self.is_linear = is_linear

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return pictures of the same shape, (B, C, F, T)."""
        query, key, value = (layer(pictures).flatten(2) for layer in (self.query, self.key, self.value))
        if self.is_linear:
            summary = value @ key.softmax(2).transpose(1, 2)
            found = summary @ query.softmax(1)
        else:
            weights = (query.transpose(1, 2) @ key).softmax(2)
            found = value @ weights.transpose(1, 2)
        return torch.as_tensor(pictures + self.gain * found.view_as(pictures))
