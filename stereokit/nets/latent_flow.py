"""A prior that is learned: an invertible map from what an encoder says of real sounds to standard normal numbers."""

import math
from typing import cast

import torch
from torch import nn

_WIDTH, _COUPLINGS = 128, 6
# Of the factors of one coupling: e to this power at most.
_STRETCH = 1.5


class Whitening(nn.Module):
    """Triangular linear map: after training it takes mean and covariance away."""

    def __init__(self, latent: int, labels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(latent))
        self.by_label = nn.Parameter(torch.zeros(labels, latent))
        self.log_scale = nn.Parameter(torch.zeros(latent))
        self.mixing = nn.Parameter(torch.zeros(latent, latent))

    def forward(self, latents: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the image of latents (B, latent) and the logarithm of the map's volume factor, (B,)."""
        volume = self.log_scale.sum().expand(len(latents))
        return (latents - self.shift - known @ self.by_label) @ self._matrix().T, volume

    def inverse(self, normal: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the latents of images."""
        solved: torch.Tensor = torch.linalg.solve_triangular(self._matrix(), normal.T, upper=False).T
        return solved + self.shift + known @ self.by_label

    def _matrix(self) -> torch.Tensor:
        return self.mixing.tril(-1) + torch.diag(self.log_scale.exp())


class Coupling(nn.Module):
    """Half of the numbers say how the other half is stretched and moved (Dinh et al. 2017, Real NVP).

    Changes nothing until it has learned.
    """

    def __init__(self, latent: int, labels: int, *, is_even: bool) -> None:
        super().__init__()
        self.told, self.moved = (range(start, latent, 2) for start in ((0, 1) if is_even else (1, 0)))
        last = nn.Linear(_WIDTH, 2 * len(self.moved))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(
            nn.Linear(len(self.told) + labels, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, _WIDTH), nn.SiLU(), last
        )

    def forward(self, latents: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the image of latents (B, latent) and the logarithm of the map's volume factor, (B,)."""
        stretch, shift = self._numbers(latents, known)
        moved = latents[:, self._places(self.moved)] * stretch.exp() + shift
        return self._put(latents, moved), stretch.sum(1)

    def inverse(self, normal: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the latents of images."""
        stretch, shift = self._numbers(normal, known)
        return self._put(normal, (normal[:, self._places(self.moved)] - shift) * (-stretch).exp())

    def _numbers(self, latents: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        raw, shift = self.layers(torch.cat([latents[:, self._places(self.told)], known], dim=1)).chunk(2, dim=1)
        return _STRETCH * torch.tanh(raw / _STRETCH), shift

    def _put(self, latents: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
        whole = latents.clone()
        whole[:, self._places(self.moved)] = moved
        return whole

    @staticmethod
    def _places(numbers: range) -> slice:
        return slice(numbers.start, None, numbers.step)


class LatentFlow(nn.Module):
    """Latents of real sounds to standard normal numbers, and back.

    An encoder's posteriors, all sounds together, are not the standard normal distribution that they are pulled to:
    random numbers of that distribution then land where the decoder has never been. Learned by likelihood of drawn
    latents, the way back leads random numbers to where sounds are.

    Parameters
    ----------
    latent
        Numbers of a latent; two or more for couplings.
    labels
        Classes; what each item is known to be comes along as numbers (B, labels).
    is_bent
        Whether couplings follow the linear map: distributions that are not normal.
    """

    def __init__(self, latent: int, labels: int, *, is_bent: bool) -> None:
        super().__init__()
        count = _COUPLINGS if is_bent else 0
        self.whitening = Whitening(latent, labels)
        self.couplings = nn.ModuleList(Coupling(latent, labels, is_even=number % 2 == 0) for number in range(count))

    def forward(self, latents: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the normal numbers of latents, (B, latent)."""
        return self._followed(latents, known)[0]

    def inverse(self, normal: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the latents of normal numbers, (B, latent)."""
        for coupling in reversed(self._bends()):
            normal = coupling.inverse(normal, known)
        return self.whitening.inverse(normal, known)

    def surprise(self, latents: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return how unlikely latents (B, latent) are, the mean of -log p in nats for each of their numbers."""
        normal, volume = self._followed(latents, known)
        constant = math.log(2.0 * math.pi)
        return ((normal.square() + constant).sum(1) / 2.0 - volume).mean() / latents.shape[1]

    def _followed(self, latents: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        normal, volume = self.whitening(latents, known)
        for coupling in self._bends():
            normal, further = coupling(normal, known)
            volume = volume + further
        return normal, volume

    def _bends(self) -> list[Coupling]:
        return cast("list[Coupling]", list(self.couplings))
