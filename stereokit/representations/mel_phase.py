"""Levels and phase steps of two channels in mel bands: what GANSynth sees, for stereo."""

import math
from typing import Literal

import torch

from stereokit.representations._bands import Bands, PrintedBands, with_highest
from stereokit.representations._form import Entry, Representation, Uniform
from stereokit.representations._stft import ShortTimeTransform

Channels = Literal["mid-side", "left-right", "rotated"]
Form = Literal["mended", "printed"]
Integral = Literal["time", "frequency"]

# Where silence and the loudest possible cell lie: 0.2 of room for a tanh.
_SPAN = 0.8
# Of the floor: what is less was silence before it was rounded.
_ROUNDING = 1e-3
# Iterations that hold on to a picture's phases.
_TURNED = 2


class MelPhase(Representation):
    """Pictures (B, 4, rows, frames): the levels of two channels, then their phases' steps over time.

    A level is ln(p + floor) of a band's mean power p; the floor lies at -0.8 and the loudest that a clip within ±1 can
    have at 0.8, the same for both channels and every clip: nothing is measured on data, so that a picture's meaning
    follows from the settings alone. A step is a half turn at ±1; the first frame's is the phase itself.

    What a band says of its bins is one power and one phase. Where it is as narrow as a bin, that is all of them; above,
    the bins of a band cannot be told apart, and the way back finds waves that agree with every band and with
    themselves, of which there are many: the higher the frequency and the fewer the bands, the less of the wave's form
    is kept, while levels are. Clips of 0.4 s come back at about 60 dB (stabs) and 40 dB (drums) from 1024 bands, 38 and
    16 dB from 256, over 75 dB without mel; ``printed`` at 3 dB, and at -1 dB summed over frequency
    (tests/bench/round_trip.py). What is under the floor, and what lies behind (frames - 1) x hop samples, is lost.

    Parameters
    ----------
    samples, sample_rate
        Of a clip.
    frames, window, hop
        Of the centred Hann transform, whose highest bin is copied from the one below; ``hop`` None covers the clip.
    bands
        Rows, evenly spaced in mel; 0 for the transform's own window // 2 bins.
    channels
        ``mid-side``: (L + R) / 2 and (L - R) / 2. ``left-right``. ``rotated``: (cos a L + sin a R) / sqrt 2 and
        (sin a L - cos a R) / sqrt 2, of which 45 degrees are mid and side.
    angle_degrees
        a, for ``rotated``.
    form
        ``mended``: see ``Bands``. ``printed``: unwrapped phases through GANSynth's matrix, and its transpose-based
        inverse; see ``PrintedBands``.
    integral
        ``frequency``, for ``printed`` only: the published defect.
    floor
        Power of a bin that counts as silence; a full-scale sine has (window / 4)^2.
    iterations
        Of ``mended``: so often the waves' own spectra are brought to the levels that a picture says, and the first two
        times to its phases too. Then these are let go, for a network's never quite agree: bins would cancel.

    Raises
    ------
    ValueError
        For values that do not go together.
    """

    mixing: torch.Tensor
    unmixing: torch.Tensor

    def __init__(
        self,
        *,
        samples: int,
        sample_rate: int,
        frames: int = 32,
        window: int = 2048,
        hop: int | None = 512,
        bands: int = 1024,
        channels: Channels = "mid-side",
        angle_degrees: float = 45.0,
        form: Form = "mended",
        integral: Integral = "time",
        floor: float = 1e-6,
        iterations: int = 5,
    ) -> None:
        super().__init__()
        if integral == "frequency" and form != "printed":
            raise ValueError("only the printed form sums over frequency")
        self.transform = ShortTimeTransform(
            samples=samples, sample_rate=sample_rate, frames=frames, window=window, beta=None, hop=hop
        )
        self.bands: Bands | PrintedBands = (
            PrintedBands(bands=bands, window=window, sample_rate=sample_rate, integral=integral)
            if form == "printed"
            else Bands(bands=bands, window=window, hop=self.transform.hop, frames=frames, sample_rate=sample_rate)
        )
        # the clip does not end in the middle of the last window, which still tells half of what follows there
        self.further = max(min(samples - (frames - 1) * self.transform.hop, window // 4), 0)
        self.floor = floor
        self.iterations = iterations
        self.lowest, self.highest = math.log(floor), math.log((window / 2.0) ** 2 + floor)
        self.shape = (4, self.bands.rows, frames)
        mixing, unmixing = _mixing(channels, angle_degrees)
        self.register_buffer("mixing", mixing, persistent=False)
        self.register_buffer("unmixing", unmixing, persistent=False)

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """Encode clips (B, 2, T) to pictures (B, *shape): levels, levels, steps, steps."""
        spectra = self.transform(self.mixing @ clips)[..., :-1, :]
        power, steps = self.bands.gather(spectra, self.floor)
        levels = ((power + self.floor).log() - self.lowest) / (self.highest - self.lowest)
        return torch.cat([(2.0 * levels - 1.0) * _SPAN, steps], dim=1)

    def decode(self, encoded: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """Return clips (B, 2, T) of pictures; nothing is drawn."""
        power, phases = self.power(encoded), self.bands.phases(encoded[:, 2:].clamp(-1.0, 1.0))
        spectra = self.bands.spread(power, phases)
        if isinstance(self.bands, Bands):
            for number in range(self.iterations):
                settled = self.transform.settled(with_highest(spectra), further=self.further)[..., :-1, :]
                spectra = self.bands.corrected(settled, power, phases if number < _TURNED else None)
        waves = self.transform.inverse(with_highest(spectra))
        return self.transform.finish(self.unmixing @ waves)

    def power(self, encoded: torch.Tensor) -> torch.Tensor:
        """Return the power of the cells of pictures, (B, 2, rows, frames)."""
        levels = (encoded[:, :2].clamp(-1.0, 1.0) / _SPAN + 1.0) / 2.0
        power = (self.lowest + levels * (self.highest - self.lowest)).exp() - self.floor
        return torch.where(power > _ROUNDING * self.floor, power, 0.0)


def _mixing(channels: Channels, angle_degrees: float) -> tuple[torch.Tensor, torch.Tensor]:
    if channels == "left-right":
        return torch.eye(2), torch.eye(2)
    if channels == "mid-side":
        # halves are exact: a mono clip has no side at all
        matrix = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
        return matrix / 2.0, matrix
    angle = math.radians(angle_degrees)
    matrix = torch.tensor([[math.cos(angle), math.sin(angle)], [math.sin(angle), -math.cos(angle)]])
    return matrix / math.sqrt(2.0), matrix * math.sqrt(2.0)


REPRESENTATION = Entry("levels and phase steps of two channels in mel bands, as GANSynth sees sound", MelPhase)
