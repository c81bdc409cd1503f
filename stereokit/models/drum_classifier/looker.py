"""The form of every network of ``drum-classifier``."""

from abc import ABC, abstractmethod

import torch
from torch import nn

from stereokit.models.drum_classifier.config import DrumClassifierConfig
from stereokit.models.drum_classifier.variation import levelled, mixed, varied
from stereokit.training.draw import Draw


class Looker(nn.Module, ABC):
    """A classifier: what it looks at is made of clips in float32, and what it finds in the training's precision."""

    @abstractmethod
    def views(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what ``forward`` takes of clips (B, 2, T)."""

    @abstractmethod
    def forward(self, *views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (B, labels) and embeddings (B, width)."""

    def lesson(
        self, clips: torch.Tensor, truth: torch.Tensor, draw: Draw, config: DrumClassifierConfig
    ) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """Return what ``learn`` takes of levelled clips, varied and mixed, and the truth about them (B, labels)."""
        if config.variation > 0.0:
            clips = levelled(varied(clips, config.sample_rate, draw, reach=config.variation))
        if config.mixing > 0.0:
            clips, truth = mixed(clips, truth, draw, share=config.mixing)
        return self.views(clips), truth

    def learn(self, *views: torch.Tensor) -> torch.Tensor:
        """Return the logits (B, labels) that a training makes right."""
        logits: torch.Tensor = self(*views)[0]
        return logits

    def players(self, config: DrumClassifierConfig) -> tuple[nn.Module, ...]:
        """Return what learns."""
        return (self,)


class FittedLooker(Looker):
    """One of which a part is fitted to all training clips at once, before the first step."""

    @abstractmethod
    def facts(self, clips: torch.Tensor) -> torch.Tensor:
        """Return what ``fit`` takes of clips (B, 2, T), shape (B, width)."""

    @abstractmethod
    def fit(self, facts: torch.Tensor, truth: torch.Tensor, draw: Draw) -> None:
        """Learn from all training clips; ``truth`` (N, labels) says how much each counts."""
