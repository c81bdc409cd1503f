"""Mel levels of mid and side on a fixed range of decibels, and sounds of them that hold on to another sound's phase."""

from typing import Literal

import torch

from stereokit.representations._bands import Bands, with_highest
from stereokit.representations._form import Entry, Representation, Uniform
from stereokit.representations._mid_side import from_mid_side, to_mid_side
from stereokit.representations._stft import ShortTimeTransform, unit

Start = Literal["source", "steady", "random"]

_TINY = 1e-12
# Where a source has so much less power in a band than is wanted, its bins say nothing about the sound that is to be.
_MOST_RAISED = 1e4


class MelLevels(Representation):
    """Pictures (B, 2, bands, frames) of mid and side, in [0, 1], and clips of pictures.

    A band has 1 where a full-scale sine fills it and 0 at ``floor_db`` under that; the same for both channels and every
    clip, so that level and width survive. What is at the floor is silence.

    Parameters
    ----------
    samples, sample_rate
        Of a clip.
    window, hop
        Of the centred Hann transform, in samples; there are so many frames that all of the clip is seen.
    bands
        Rows, evenly spaced in mel.
    floor_db
        What counts as silence.
    iterations, momentum
        Of Griffin-Lim with momentum (Perraudin, Balazs and Sondergaard 2013), which brings the spectra of the waves to
        the picture's levels.
    held_db
        Cells whose level a picture leaves within so many dB keep the phase of the source.
    """

    def __init__(
        self,
        *,
        samples: int,
        sample_rate: int,
        window: int = 2048,
        hop: int = 512,
        bands: int = 256,
        floor_db: float = -80.0,
        iterations: int = 16,
        momentum: float = 0.99,
        held_db: float = 3.0,
    ) -> None:
        super().__init__()
        frames = -(-samples // hop) + 1
        self.transform = ShortTimeTransform(
            samples=samples, sample_rate=sample_rate, frames=frames, window=window, beta=None, hop=hop
        )
        self.bands = Bands(bands=bands, window=window, hop=hop, frames=frames, sample_rate=sample_rate)
        self.floor_db = floor_db
        self.iterations = iterations
        self.momentum = momentum
        self.held = 10.0 ** (held_db / 10.0)
        self.shape = (2, bands, frames)

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """Encode clips (B, 2, T) to pictures (B, 2, bands, frames) of mid and side."""
        return self._levels(self.bands.power(self._spectra(clips)))

    def decode(self, encoded: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """Return clips (B, 2, T) of pictures alone; nothing is drawn, the phases start from those of steady sines."""
        power = self.power(encoded)
        magnitudes = self.bands.magnitudes(power)
        return self._rebuilt(magnitudes * self.transform.first_phase(with_highest(magnitudes))[..., :-1, :], power)

    def decode_near(
        self, encoded: torch.Tensor, clips: torch.Tensor, *, start: Start = "source", uniform: Uniform | None = None
    ) -> torch.Tensor:
        """Return clips of pictures that were made of other clips.

        Parameters
        ----------
        encoded
            (B, 2, bands, frames), as a network makes them.
        clips
            (B, 2, T), what the pictures were made of. Their bins, scaled band by band, are where the search begins, so
            that partials stay where they were, in both channels alike.
        start
            ``steady`` and ``random`` forget the clips' phases, to be compared with.
        uniform
            Where random phases are drawn from.

        Raises
        ------
        ValueError
            For random phases without it.
        """
        power = self.power(encoded)
        source = self._spectra(clips)
        found = self.bands.power(source)
        if start != "source":
            magnitudes = self.bands.magnitudes(power)
            if start == "random" and uniform is None:
                raise ValueError("random phases need uniform, where they are drawn from")
            if uniform is None or start == "steady":
                phases = self.transform.first_phase(with_highest(magnitudes))[..., :-1, :]
            else:
                turns = uniform(*magnitudes.shape[1:])
                phases = torch.polar(torch.ones_like(turns), 2.0 * torch.pi * turns)
            return self._rebuilt(magnitudes * phases, power)
        is_empty = self.bands.between((power > _MOST_RAISED * found).to(power)) > 0.0
        magnitudes = self.bands.magnitudes(power)
        steady = magnitudes * self.transform.first_phase(with_highest(magnitudes))[..., :-1, :]
        begun = torch.where(is_empty, steady, self.bands.corrected(source, power, None))
        ratio = (power + _TINY) / (found + _TINY)
        is_held = (ratio < self.held) & (ratio > 1.0 / self.held)
        holds = self.bands.between(is_held.to(power)) >= 1.0
        return self._rebuilt(begun, power, torch.where(holds, unit(source, otherwise=begun), 0.0))

    def power(self, encoded: torch.Tensor) -> torch.Tensor:
        """Return each band's mean power of pictures, (B, 2, bands, frames)."""
        decibels = (1.0 - encoded.clamp(0.0, 1.0)) * self.floor_db
        relative = 10.0 ** (decibels / 10.0) - 10.0 ** (self.floor_db / 10.0)
        return torch.as_tensor(relative.clamp_min(0.0) * self.transform.full_scale**2)

    def _levels(self, power: torch.Tensor) -> torch.Tensor:
        lowest = 10.0 ** (self.floor_db / 10.0)
        decibels = 10.0 * torch.log10(power / self.transform.full_scale**2 + lowest)
        return (1.0 - decibels / self.floor_db).clamp(0.0, 1.0)

    def _spectra(self, clips: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.transform(to_mid_side(clips))[..., :-1, :])

    def _rebuilt(self, spectra: torch.Tensor, power: torch.Tensor, held: torch.Tensor | None = None) -> torch.Tensor:
        """Return clips whose bands come near to the power; where ``held`` is not 0 it says the phase."""
        carried = self.momentum / (1.0 + self.momentum)
        before = torch.zeros_like(spectra)
        for _ in range(self.iterations):
            settled = self.transform.settled(with_highest(spectra))[..., :-1, :]
            phases = unit(settled - carried * before, otherwise=unit(spectra, otherwise=torch.ones_like(spectra)))
            before = settled
            spectra = self.bands.corrected(settled.abs() * phases, power, None)
            if held is not None:
                spectra = torch.where(held != 0.0, spectra.abs() * held, spectra)
        waves = self.transform.inverse(with_highest(spectra))
        return from_mid_side(waves[..., : self.transform.samples])


REPRESENTATION = Entry("mel levels of mid and side on one fixed range of dB; phases are those of a source", MelLevels)
