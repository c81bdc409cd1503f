"""How far networks have grown: from the first resolution to the last, each faded in and then kept for a while."""

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import avg_pool2d, interpolate

from stereokit.models.gansynth.config import FIRST_HEIGHT, FIRST_WIDTH


@dataclass(frozen=True)
class Ladder:
    """The resolutions of a growing network: twice the bins at each, twice the frames until there are enough.

    Attributes
    ----------
    count
        How many.
    frames
        Of the last one.
    """

    count: int
    frames: int

    @property
    def last(self) -> int:
        """Number of the last resolution; the first has 0."""
        return self.count - 1

    def size(self, number: int) -> tuple[int, int]:
        """Return bins and frames of a resolution."""
        return FIRST_HEIGHT * 2**number, min(FIRST_WIDTH * 2**number, self.frames)

    def factors(self, number: int) -> tuple[int, int]:
        """Return how many times a resolution has the bins and the frames of the one before."""
        (height, width), (lower, narrower) = self.size(number), self.size(number - 1)
        return height // lower, width // narrower

    def growth(self, progress: float, *, until: float) -> float:
        """Return how far a network has grown at a training's progress, 0 to ``last``.

        A whole number is a resolution; between two of them the higher one is being faded in. Every fading and every
        stay but the last takes the same time; ``until`` of the training is the end of the last fading.
        """
        if until <= 0.0 or self.last == 0:
            return float(self.last)
        # stay, fade, stay, fade ... fade
        place = min(progress / until, 1.0) * 2 * self.last
        phase = min(int(place), 2 * self.last)
        return phase / 2 if phase % 2 == 0 else (phase - 1) / 2 + (place - phase)

    def lowered(self, pictures: torch.Tensor, number: int) -> torch.Tensor:
        """Return pictures of the last resolution, (B, C, F, T), as averages at a lower one."""
        (height, width), (lower, narrower) = self.size(self.last), self.size(number)
        factors = (height // lower, width // narrower)
        return pictures if factors == (1, 1) else avg_pool2d(pictures, factors)

    def raised(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return pictures of any resolution at the last one, each place repeated."""
        return pictures if pictures.shape[-2:] == self.size(self.last) else interpolate(pictures, self.size(self.last))

    def seen_at(self, pictures: torch.Tensor, growth: float) -> torch.Tensor:
        """Return real pictures as sharp as made ones are: at the resolution of ``growth``, faded in like it."""
        number, share = rung(growth)
        seen = self.lowered(pictures, number)
        if share == 1.0:
            return seen
        factors = self.factors(number)
        blurred = repeated(avg_pool2d(seen, factors), factors)
        return torch.lerp(blurred, seen, share)


def rung(growth: float) -> tuple[int, float]:
    """Return the number of the highest resolution in use, and how far it is faded in, above 0 and up to 1."""
    number = math.ceil(growth)
    return number, 1.0 - (number - growth)


def repeated(pictures: torch.Tensor, factors: tuple[int, int]) -> torch.Tensor:
    """Return pictures with every place repeated, (B, C, F x first, T x second)."""
    scale = (float(factors[0]), float(factors[1]))
    return interpolate(pictures, scale_factor=scale, mode="nearest")
