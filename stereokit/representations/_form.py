"""The form of every representation."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

# (*shape) -> uniform numbers in [0, 1), shape (B, *shape): where a decoder draws its random phases from.
Uniform = Callable[..., torch.Tensor]


class Representation(nn.Module, ABC):
    """Turns clips into what a network sees, and back.

    Attributes
    ----------
    shape
        (C, F, frames) of one encoded clip.
    """

    shape: tuple[int, int, int]

    @abstractmethod
    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """Encode clips, float32 (B, 2, T), full scale ±1, to (B, *shape), within ±1."""

    @abstractmethod
    def decode(self, encoded: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """Return clips, float32 (B, 2, T), of what ``encode`` or a network made; their last sample is 0."""


@dataclass(frozen=True)
class Entry:
    """A representation in the catalogue: a line for ``stereokit list``, and what builds it from its own options."""

    summary: str
    build: Callable[..., Any]
