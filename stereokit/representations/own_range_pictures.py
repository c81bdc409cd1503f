"""Magnitude pictures as the StereoSampleGAN paper prints them: each channel on its own range, with random phases."""

import torch

from stereokit.representations._form import Entry, Representation, Uniform
from stereokit.representations._stft import ShortTimeTransform

# What a channel keeps below its own maximum, and what the pictures' ±1 stand for on the way back.
_RANGE_DB = 80.0
_HALF_RANGE_DB = 40.0
_GATE_DB = -35.0
_TINY = 1e-10


class OwnRangePictures(Representation):
    """The published form, kept as a yardstick.

    Level and balance are lost, since every channel of every clip is scaled by its own minimum and maximum. The way back
    gives each channel random phases of its own. (Ten iterations look for better ones there, whose result
    is not used; here they are left out.)

    Parameters
    ----------
    samples, sample_rate
        Of a clip.
    size, window, beta
        Bins and frames of a picture; samples and shape of the transform's window.
    """

    def __init__(
        self,
        *,
        samples: int,
        sample_rate: int,
        size: int = 256,
        window: int = 510,
        beta: float = 12.0,
    ) -> None:
        super().__init__()
        self.transform = ShortTimeTransform(
            samples=samples, sample_rate=sample_rate, frames=size, window=window, beta=beta
        )
        self.shape = (2, size, size)

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """Encode clips (B, 2, T) to pictures (B, 2, size, size); silence becomes -1."""
        decibels = 20.0 * torch.log10(self.transform(clips).abs().clamp_min(_TINY))
        highest = decibels.amax((-2, -1), keepdim=True)
        kept = torch.maximum(decibels, highest - _RANGE_DB)
        lowest = kept.amin((-2, -1), keepdim=True)
        return 2.0 * (kept - lowest) / (highest - lowest).clamp_min(_TINY) - 1.0

    def decode(self, encoded: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """Return clips (B, 2, T), with the phases that were drawn first."""
        decibels = encoded.clamp(-1.0, 1.0) * _HALF_RANGE_DB
        magnitudes = torch.where(decibels > _GATE_DB, 10.0 ** (decibels / 20.0), 0.0)
        turns = 2.0 * torch.pi * uniform(*self.shape)
        first = torch.polar(torch.ones_like(turns), turns)
        return self.transform.finish(self.transform.inverse(magnitudes * first))


REPRESENTATION = Entry(
    "magnitude pictures as printed for StereoSampleGAN: own range per channel, random phases", OwnRangePictures
)
