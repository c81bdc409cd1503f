"""Where a generator starts from: mean pictures of labels, and how training pictures differ from them."""

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

# Side of the squares whose mean levels are compared.
_COARSE = 8
# Averages over time show the pitch, and count for more than single cells.
_SPECTRUM_WEIGHT = 4.0
# A label with few pictures is thought to be like all, as if so many more had been seen.
_PRIOR_PICTURES = 4.0
# Room for the generator to go further.
_MOST = 0.97


class Start(nn.Module):
    """Pictures as a label's mean one and a sum of patterns, one for each number of a latent.

    The numbers are principal components of what pictures differ in from their label's mean: averages over time and
    coarse levels; each has variance 1 in the training pictures. A pattern is what goes with its number.

    Parameters
    ----------
    labels, latent
        How many there are; a latent of 0 leaves nothing but mean pictures.
    shape
        (C, F, T) of a picture; the first two channels are levels.
    """

    means: torch.Tensor
    directions: torch.Tensor
    patterns: torch.Tensor

    def __init__(self, *, labels: int, latent: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = shape
        features = channels * height + 2 * (height // min(_COARSE, height)) * (width // min(_COARSE, width))
        self.has_patterns = latent > 0
        self.register_buffer("means", torch.zeros(labels, *shape))
        self.register_buffer("directions", torch.zeros(latent, features))
        self.register_buffer("patterns", torch.zeros(latent, *shape))

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return pictures (B, C, F, T) of latents (B, latent) and class numbers (B,)."""
        pictures = self.means[labels]
        if self.has_patterns:
            pictures = pictures + torch.tensordot(latents, self.patterns, 1)
        return pictures.clamp(-_MOST, _MOST)

    def latents_of(self, pictures: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return latents (B, latent) of pictures (B, C, F, T)."""
        return _features(pictures - self.means[labels]) @ self.directions.T

    @torch.no_grad()
    def fit(self, pictures: torch.Tensor, labels: torch.Tensor) -> None:
        """Take all from training pictures (N, C, F, T) and their class numbers (N,)."""
        overall = pictures.mean(0)
        for label in range(len(self.means)):
            own = pictures[labels == label]
            self.means[label] = (own.sum(0) + _PRIOR_PICTURES * overall) / (len(own) + _PRIOR_PICTURES)
        if not self.has_patterns:
            return
        apart = pictures - self.means[labels]
        features = _features(apart)
        _, lengths, directions = torch.linalg.svd(features.double(), full_matrices=False)
        deviations = lengths / len(features) ** 0.5
        # what hardly varies is rounding
        kept = min(len(self.directions), int((deviations > 1e-4 * deviations[0].clamp_min(1e-4)).sum()))
        self.directions.zero_()
        self.directions[:kept] = (directions[:kept] / deviations[:kept, None]).to(self.directions.dtype)
        latents = features @ self.directions.T
        # their variances are 1 and their covariances 0
        self.patterns.copy_(torch.tensordot(latents.T, apart, 1) / len(latents))


def _features(pictures: torch.Tensor) -> torch.Tensor:
    """Return what is compared of pictures, (B, features)."""
    height, width = pictures.shape[2:]
    coarse = avg_pool2d(pictures[:, :2], (min(_COARSE, height), min(_COARSE, width)))
    return torch.cat([_SPECTRUM_WEIGHT * pictures.mean(3).flatten(1), coarse.flatten(1)], dim=1)
