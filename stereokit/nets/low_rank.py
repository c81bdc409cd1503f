"""Pictures as sums of a few patterns taken from real ones: what a small data set can teach in a minute."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

_LEAK = 0.2


@dataclass(frozen=True)
class Rank:
    """How much of a plane of pictures is kept.

    Attributes
    ----------
    rows, columns
        Frequency and time patterns.
    components
        Combinations of them that vary together.
    """

    rows: int
    columns: int
    components: int


class LowRankPlane(nn.Module):
    """One plane, (F, T), of pictures: mean + rows (sum of components x coefficients) columns^T.

    Everything is learned further from where ``fit`` puts it: the higher-order SVD of real planes (De Lathauwer et al.
    2000, A multilinear singular value decomposition) and the principal components of its cores.
    """

    def __init__(self, size: tuple[int, int], rank: Rank) -> None:
        super().__init__()
        self.rank = rank
        self.mean = nn.Parameter(torch.zeros(size))
        self.rows = nn.Parameter(torch.zeros(size[0], rank.rows))
        self.columns = nn.Parameter(torch.zeros(size[1], rank.columns))
        self.components = nn.Parameter(torch.zeros(rank.components, rank.rows * rank.columns))

    def forward(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Return planes (B, F, T) of coefficients (B, components)."""
        cores = (coefficients @ self.components).view(-1, self.rank.rows, self.rank.columns)
        return torch.as_tensor(self.mean + self.rows @ cores @ self.columns.T)

    @torch.no_grad()
    def fit(self, planes: torch.Tensor) -> torch.Tensor:
        """Take mean and patterns from real planes (N, F, T) and return their coefficients, (N, components)."""
        self.mean.copy_(planes.mean(0))
        centred = planes - self.mean
        self.rows.copy_(_leading(torch.einsum("nft,ngt->fg", centred, centred), self.rank.rows))
        self.columns.copy_(_leading(torch.einsum("nft,nfs->ts", centred, centred), self.rank.columns))
        cores = (self.rows.T @ centred @ self.columns).flatten(1)
        _, _, directions = torch.linalg.svd(cores, full_matrices=False)
        kept = directions[: self.rank.components]
        self.components.zero_()[: len(kept)] = _signed(kept)
        return cores @ self.components.T


def _leading(covariance: torch.Tensor, count: int) -> torch.Tensor:
    """Return the eigenvectors of the largest eigenvalues as columns."""
    vectors = torch.linalg.eigh(covariance.double()).eigenvectors.flip(1)[:, :count]
    return _signed(vectors.T).T.float()


def _signed(rows: torch.Tensor) -> torch.Tensor:
    """Turn vectors, whose sign is arbitrary, so that their largest entry is positive."""
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return torch.where(largest < 0.0, -rows, rows)


class Mapping(nn.Module):
    """Latents to coefficients with the deviations that real ones have.

    Parameters
    ----------
    latent
        Numbers of a latent; one more says whether the sound has a side signal.
    components
        Coefficients.
    width
        Of the three hidden layers.
    """

    deviations: torch.Tensor

    def __init__(self, latent: int, components: int, width: int = 256) -> None:
        super().__init__()
        widths = [latent + 1, width, width, width]
        hidden = [
            layer for inward, outward in pairwise(widths) for layer in (nn.Linear(inward, outward), nn.LeakyReLU(_LEAK))
        ]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, components))
        self.register_buffer("deviations", torch.ones(components))

    def forward(self, latents: torch.Tensor, is_wide: torch.Tensor) -> torch.Tensor:
        """Return coefficients (B, components) of latents (B, latent) and flags (B,)."""
        coefficients: torch.Tensor = self.layers(torch.cat([latents, is_wide[:, None]], dim=1)) * self.deviations
        return coefficients


class Detail(nn.Module):
    """What a low-rank picture lacks: sharp edges, and noise at the level that the place has.

    Works on planes at a quarter of their size; its answer is 0 until it has learned.
    """

    def __init__(self, planes: int, latent: int, size: tuple[int, int], channels: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(planes, channels, 3, padding=1)
        self.style = nn.Linear(latent, 2 * channels)
        self.by_frequency = nn.Parameter(torch.zeros(channels, size[0] // 4, 1))
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, 2 * planes, 3, padding=1)
        self.grain = nn.Conv2d(1, planes, (5, 3), padding=(2, 1), bias=False)
        for parameter in (*self.last.parameters(), *self.style.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, planes: torch.Tensor, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return what to add, (B, planes, F, T), given planes, latents (B, latent) and noise (B, 1, F, T)."""
        scale, shift = self.style(latents)[:, :, None, None].chunk(2, dim=1)
        seen = self.first(nn.functional.avg_pool2d(planes, 4))
        hidden = nn.functional.leaky_relu(seen * (1.0 + scale) + shift + self.by_frequency, _LEAK)
        hidden = nn.functional.leaky_relu(hidden + self.second(hidden), _LEAK)
        answer = nn.functional.interpolate(self.last(hidden), scale_factor=4, mode="bilinear", align_corners=False)
        sharper, level = answer.chunk(2, dim=1)
        return torch.as_tensor(sharper + level * self.grain(noise))
