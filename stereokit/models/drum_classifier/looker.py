"""The form of every network of ``drum-classifier``."""

from abc import ABC, abstractmethod

import torch
from torch import nn

from stereokit.models.drum_classifier.config import DrumClassifierConfig


class Looker(nn.Module, ABC):
    """A classifier: what it looks at is made of clips in float32, and what it finds in the training's precision."""

    @abstractmethod
    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what ``forward`` takes of clips (B, 2, T)."""

    @abstractmethod
    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (B, labels) and embeddings (B, width)."""

    def players(self, config: DrumClassifierConfig) -> tuple[nn.Module, ...]:
        """Return what learns."""
        return (self,)
