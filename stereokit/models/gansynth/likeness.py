"""Latents of training pictures: the few numbers in which they differ most, to start a generator from."""

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

# Coarse pictures are means over squares of this side.
_COARSE = 8
# Averages over time show the pitch, and count for more than single cells.
_SPECTRUM_WEIGHT = 4.0


class Components(nn.Module):
    """Principal components of pictures' averages over time and of their coarse levels, each with variance 1.

    Parameters
    ----------
    latent
        How many.
    shape
        (C, F, T) of a picture; the first two channels are levels.
    """

    mean: torch.Tensor
    directions: torch.Tensor

    def __init__(self, latent: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = shape
        squares = (height // min(_COARSE, height)) * (width // min(_COARSE, width))
        features = channels * height + 2 * squares
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("directions", torch.zeros(latent, features))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return latents (B, latent) of pictures (B, *shape)."""
        return (self.features(pictures) - self.mean) @ self.directions.T

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return what is compared of pictures, (B, features)."""
        height, width = pictures.shape[2:]
        coarse = avg_pool2d(pictures[:, :2], (min(_COARSE, height), min(_COARSE, width)))
        return torch.cat([_SPECTRUM_WEIGHT * pictures.mean(3).flatten(1), coarse.flatten(1)], dim=1)

    @torch.no_grad()
    def fit(self, features: torch.Tensor) -> None:
        """Take the components from features (N, features); more latents than N - 1 stay at 0."""
        mean = features.mean(0)
        _, lengths, directions = torch.linalg.svd((features - mean).double(), full_matrices=False)
        deviations = lengths / len(features) ** 0.5
        # what hardly varies is rounding
        kept = min(len(self.directions), int((deviations > 1e-4 * deviations[0].clamp_min(1e-4)).sum()))
        self.mean.copy_(mean)
        self.directions.zero_()
        self.directions[:kept] = (directions[:kept] / deviations[:kept, None]).to(self.directions.dtype)
