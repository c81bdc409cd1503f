"""Levels of mel bands over time, as classifiers look at sounds. There is no way back."""

import math

import torch
from torch import nn

from stereokit.audio.spectrum import mel_filters

_LOW_HZ, _HIGH_HZ = 40.0, 16_000.0


class LevelPictures(nn.Module):
    """Levels in dB of mel bands, from 0 (the floor and under) to 1 (a full-scale sine); frames are centred.

    Parameters
    ----------
    sample_rate
        Hz.
    window, hop
        Of the Hann window and from one frame to the next, in samples.
    bands
        Rows, from 40 Hz to 16 kHz or half the rate, evenly spaced in mel.
    floor_db
        What is under this is silence, dB.
    """

    window: torch.Tensor
    filters: torch.Tensor

    def __init__(self, *, sample_rate: int, window: int, hop: int, bands: int, floor_db: float = -80.0) -> None:
        super().__init__()
        self.hop = hop
        self.floor_db = floor_db
        filters = mel_filters(
            sample_rate=sample_rate, n_fft=window, bands=bands, low_hz=_LOW_HZ, high_hz=min(_HIGH_HZ, sample_rate / 2)
        )
        # computed even where weights are only declared (on torch's meta device)
        with torch.device("cpu"):
            self.register_buffer("window", torch.hann_window(window), persistent=False)
            self.register_buffer("filters", torch.tensor(filters, dtype=torch.float32), persistent=False)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """Return the pictures (B, C, bands, T // hop + 1) of waves (B, C, T)."""
        spectra = torch.stft(
            waves.flatten(0, 1), len(self.window), self.hop, window=self.window, center=True, pad_mode="constant",
            return_complex=True,
        )  # fmt: skip
        power = self.filters @ (spectra.real.square() + spectra.imag.square())
        # a sine of amplitude 1 has the level 0
        power = power / (self.window.sum() / 2.0).square()
        level_db = (10.0 / math.log(10.0)) * power.clamp(min=10.0 ** (self.floor_db / 10.0)).log()
        pictures: torch.Tensor = 1.0 - level_db / self.floor_db
        return pictures.reshape(*waves.shape[:2], *pictures.shape[1:])
