"""A run's model at work: blocks of clips from numbers and from vectors, vectors of clips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from stereokit.models._capabilities import checked_block
from stereokit.models._latents import truncated
from stereokit.training.draw import Draw

# Vectors of a block, given the random ones of its items, both of shape (block_clips, latent).
Vectors = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Maker:
    """A model in evaluation mode and the random numbers that it is given; all tensors come and go on the CPU.

    Attributes
    ----------
    model
        A ``Sampler``, an ``Interpolator`` or an ``Encoder``, as far as it is asked to be.
    seed
        Of all clips.
    truncation
        Within ± this the numbers of random vectors stay; None leaves them where they fall.
    device
        Where the model is.
    """

    model: Any = field(repr=False)
    seed: int
    truncation: float | None
    device: str

    @property
    def size(self) -> int:
        """How many clips a block has."""
        return int(self.model.block_clips)

    @torch.no_grad()
    def sampled(self, numbers: Sequence[int], labels: torch.Tensor | None) -> torch.Tensor:
        """Return a block of random clips, float32 (size, 2, frames): those of these numbers.

        Raises
        ------
        NonFiniteError
            When the weights are useless.
        """
        draw = self._draw(numbers)
        if self.truncation is None:
            return self._checked(self.model.sample(draw, self._moved(labels)))
        return self._checked(self.model.decode(self._latents(draw), draw, self._moved(labels)))

    @torch.no_grad()
    def decoded(self, items: Sequence[int], vectors: Vectors, labels: torch.Tensor | None) -> torch.Tensor:
        """Return a block of the clips of vectors, float32 (size, 2, frames).

        Parameters
        ----------
        items
            The number of each clip in the random stream: what else a model draws is that of the clip of this number.
        vectors
            Makes the vectors of the random ones of these items.
        labels
            Of the clips; None where the model has none.

        Raises
        ------
        NonFiniteError
            When the weights are useless.
        """
        draw = self._draw(items)
        latents = vectors(self._latents(draw).cpu()).to(self.device)
        return self._checked(self.model.decode(latents, draw, self._moved(labels)))

    @torch.no_grad()
    def latent(self, number: int) -> torch.Tensor:
        """Return the vector of a random clip, shape (latent,)."""
        start = number - number % self.size
        return self._latents(self._draw(range(start, start + self.size)))[number - start].cpu()

    @torch.no_grad()
    def encoded(self, waves: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Return the vectors, shape (B, latent), of up to a block of clips (B, 2, frames); the last one fills it."""
        places = torch.arange(self.size).clamp(max=len(waves) - 1)
        wanted = None if labels is None else labels[places]
        found: torch.Tensor = self.model.encode(waves[places].to(self.device), self._moved(wanted))
        return found[: len(waves)].float().cpu()

    @torch.no_grad()
    def verdicts(self, block: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Return the critic's verdicts on a whole block, float64 of shape (size,)."""
        found: torch.Tensor = self.model.verdict(block.to(self.device), self._moved(labels))
        return found.cpu().double()

    def _draw(self, items: Sequence[int]) -> Draw:
        return Draw((self.seed, "sample"), items, self.device)

    def _latents(self, draw: Draw) -> torch.Tensor:
        latents: torch.Tensor = self.model.latents(draw)
        return latents if self.truncation is None else truncated(latents, self.truncation)

    def _moved(self, labels: torch.Tensor | None) -> torch.Tensor | None:
        return None if labels is None else labels.to(self.device)

    def _checked(self, clips: torch.Tensor) -> torch.Tensor:
        return checked_block(self.model, clips).cpu()
