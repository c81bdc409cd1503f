"""Magnitude pictures of both channels on one fixed range of decibels, so that level and balance survive."""

from typing import Literal

import numpy as np
import torch

from stereokit.audio.spectrum import hz_to_mel, mel_to_hz
from stereokit.representations._form import Entry, Representation, Uniform
from stereokit.representations._frequency import LinearBins, LogarithmicBins, triangles
from stereokit.representations._stft import ShortTimeTransform

Channels = Literal["left-right", "image"]
Frequency = Literal["linear", "logarithmic"]

# Of the phase of the side signal, started from that of the middle: more of them let go of it.
_SIDE_ITERATIONS = 5


# How roughly ``band_levels`` looks: mel bands, and frames that are averaged and skipped.
_BANDS, _LOWEST_BAND_HZ, _HIGHEST_BAND_HZ = 40, 40.0, 16_000.0
_BAND_FRAMES, _BAND_STEP = 16, 8


class StereoPictures(Representation):
    """Pictures of a clip's magnitudes in dB, and clips of pictures.

    A full-scale sine has 0 dB; ``floor_db`` to 0 dB become -1 to 1, the same for both channels and every clip.

    Parameters
    ----------
    samples, sample_rate
        Of a clip.
    size
        Bins and frames of a picture.
    window, beta
        Of the transform. With linear frequency its bins are the picture's: 2 x size - 2 samples.
    channels
        ``left-right``: |L| and |R|, (B, 2, size, size). Both come back with one phase, so that bins are panned by level
        and nothing else. ``image``: |M|, |S| with M = (L + R) / 2 and S = (L - R) / 2, and the cosine of the angle
        between them, (B, 3, size, size), whose sign tells left from right.
    frequency
        ``logarithmic`` spaces the bins evenly in pitch, for more of them in the low end.
    floor_db
        What counts as silence.
    iterations, momentum
        Of Griffin-Lim.
    """

    bands: torch.Tensor

    def __init__(
        self,
        *,
        samples: int,
        sample_rate: int,
        size: int = 256,
        window: int = 510,
        beta: float = 12.0,
        channels: Channels = "left-right",
        frequency: Frequency = "linear",
        floor_db: float = -90.0,
        iterations: int = 10,
        momentum: float = 0.99,
    ) -> None:
        super().__init__()
        self.transform = ShortTimeTransform(
            samples=samples, sample_rate=sample_rate, frames=size, window=window, beta=beta
        )
        bins = LogarithmicBins if frequency == "logarithmic" else LinearBins
        self.bins = bins(size=size, linear=self.transform.bins, sample_rate=sample_rate)
        self.channels = channels
        self.floor_db = floor_db
        self.iterations = iterations
        self.momentum = momentum
        self.shape = (3 if channels == "image" else 2, size, size)
        mels = np.linspace(hz_to_mel(_LOWEST_BAND_HZ), hz_to_mel(min(_HIGHEST_BAND_HZ, sample_rate / 2.0)), _BANDS)
        hertz = torch.tensor(self.bins.hertz, dtype=torch.float64)
        self.register_buffer("bands", triangles(torch.from_numpy(mel_to_hz(mels)), hertz), persistent=False)

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """Encode clips (B, 2, T) to pictures (B, *shape), each within ±1."""
        spectra = self.transform(clips)
        if self.channels == "left-right":
            return self._levels(spectra.abs())
        middle, side = spectra.sum(1) / 2.0, (spectra[:, 0] - spectra[:, 1]) / 2.0
        levels = self._levels(torch.stack([middle.abs(), side.abs()], dim=1))
        together = self.bins.gather((side * middle.conj()).real)
        apart = self.bins.gather(side.abs() * middle.abs())
        cosine = together / (apart + torch.finfo(apart.dtype).tiny)
        # where one of them is silent there is no angle
        heard = levels.amin(1) > -1.0
        return torch.cat([levels, torch.where(heard, cosine.clamp(-1.0, 1.0), 0.0)[:, None]], dim=1)

    def decode(self, encoded: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """Return clips (B, 2, T) of pictures; nothing is drawn, since the phases start from those of steady sines."""
        magnitudes = self._magnitudes(encoded[:, :2])
        return self.transform.finish(
            self._panned(magnitudes) if self.channels == "left-right" else self._imaged(magnitudes, encoded[:, 2])
        )

    def band_levels(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return what the ear tells at a glance: the levels of 40 mel bands of mid and side.

        Parameters
        ----------
        pictures
            (B, *shape), as a network makes them; gradients flow back.

        Returns
        -------
        Tensor
            (B, 2, 40, T'), full range 1; T' is a frame of 16, every 8.
        """
        relative = 10.0 ** ((1.0 - pictures[:, :2]) * (self.floor_db / 40.0))
        if self.channels == "left-right":
            # with one phase for both, magnitudes add and subtract as the waves do
            left, right = relative.unbind(1)
            relative = torch.stack([left + right, (left - right).abs()], dim=1) / 2.0
        power = torch.nn.functional.avg_pool1d((self.bands @ relative**2).flatten(0, 2), _BAND_FRAMES, _BAND_STEP)
        lowest = 10.0 ** (self.floor_db / 10.0)
        decibels = 10.0 * torch.log10(power + lowest)
        return torch.as_tensor(1.0 - decibels / self.floor_db).view(len(pictures), 2, _BANDS, -1)

    def _levels(self, magnitudes: torch.Tensor) -> torch.Tensor:
        power = self.bins.gather((magnitudes / self.transform.full_scale) ** 2)
        decibels = 10.0 * torch.log10(power.clamp_min(10.0 ** (self.floor_db / 10.0)))
        return (1.0 - 2.0 * decibels / self.floor_db).clamp(-1.0, 1.0)

    def _magnitudes(self, levels: torch.Tensor) -> torch.Tensor:
        decibels = self.bins.spread((1.0 - levels.clamp(-1.0, 1.0)) * (self.floor_db / 2.0))
        # what lies at the floor is silence, not noise at the floor
        relative = 10.0 ** (decibels / 20.0) - 10.0 ** (self.floor_db / 20.0)
        return torch.as_tensor(relative.clamp_min(0.0) * self.transform.full_scale)

    def _phases(self, magnitudes: torch.Tensor, start: torch.Tensor, iterations: int) -> torch.Tensor:
        return self.transform.phase_of(magnitudes, start, iterations=iterations, momentum=self.momentum)

    def _common_phase(self, magnitudes: torch.Tensor) -> torch.Tensor:
        return self._phases(magnitudes, self.transform.first_phase(magnitudes), self.iterations)

    def _panned(self, magnitudes: torch.Tensor) -> torch.Tensor:
        common = self._common_phase(magnitudes.mean(1))
        return self.transform.inverse(magnitudes * common[:, None])

    def _imaged(self, magnitudes: torch.Tensor, cosine: torch.Tensor) -> torch.Tensor:
        middle, side = magnitudes.unbind(1)
        of_middle = self._common_phase(middle)
        towards = torch.where(self.bins.spread(cosine) < 0.0, -1.0, 1.0)
        of_side = self._phases(side, of_middle * towards, _SIDE_ITERATIONS)
        waves = self.transform.inverse(torch.stack([middle * of_middle, side * of_side], dim=1))
        return torch.stack([waves[:, 0] + waves[:, 1], waves[:, 0] - waves[:, 1]], dim=1)


REPRESENTATION = Entry("magnitude pictures of both channels on one fixed range of dB, phases shared", StereoPictures)
