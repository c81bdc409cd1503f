"""The last layer of a decoder of waves: hidden frames to two channels of samples."""

import math
from abc import ABC, abstractmethod

import torch
from torch import nn

from stereokit.nets.wave_coder import CoderForm

# Of magnitudes, 1 being a full-scale sine: silence, and where frames start that have seen no sound yet.
_FLOOR, _START = 1e-5, 2.5e-3
# Most that a band can be louder than the mean, as a natural logarithm.
_MOST = 6.0
_TINY = 1e-12
# Sounds that are looked at at once.
_PART = 16


class Ending(nn.Module, ABC):
    """Hidden frames to waves, in two steps: a layer, which may be computed in less precision, and what follows it.

    Attributes
    ----------
    noise_shape
        Uniform numbers that each wave takes; () for none.
    """

    noise_shape: tuple[int, ...] = ()

    @abstractmethod
    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return what ``waves`` takes, of hidden frames (B, width, frames)."""

    @abstractmethod
    def waves(self, numbers: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """Return waves (B, 2, T), and noise of (B, *noise_shape), uniform in [0, 1)."""

    def fit(self, waves: torch.Tensor) -> None:
        """Start from real sounds, (B, 2, T), where the ending can."""


class TransposedEnding(Ending):
    """A long strided transposed convolution (Defossez et al. 2018, SING).

    Frames that stay the same give a wave that repeats at the stride: tones at its rate and multiples, which are heard
    where the real sound is noise.
    """

    def __init__(self, form: CoderForm) -> None:
        super().__init__()
        self.form = form
        self.layer = nn.ConvTranspose1d(form.widths[0], 2, form.window, form.hop)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the whole wave, which is longer than asked for, (B, 2, more than T)."""
        return torch.as_tensor(self.layer(hidden))

    def waves(self, numbers: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """Cut off what lies before the first frame's middle, and at the end."""
        start = self.form.window // 2
        return numbers[..., start : start + self.form.samples]


class SpectralEnding(Ending):
    """A complex number for each bin and frame, levels of tones and noise in bands, an inverse Fourier transform.

    Numbers are relative to a bin that goes on as a steady sine: those that stay the same give tones at the bins' own
    frequencies and no line at the stride's rate. What is noise in real sounds need not be made of tones: noise with the
    levels of the bands is added. Both start at the mean of real sounds.

    Parameters
    ----------
    form
        Shared with encoder and decoder; the window is a multiple of the hop.
    bands
        Of each channel, evenly spaced in mel.
    has_noise
        Whether noise is added.
    """

    window: torch.Tensor
    steadiness: torch.Tensor
    turning: torch.Tensor
    spreading: torch.Tensor
    mean: torch.Tensor

    def __init__(self, form: CoderForm, bands: int, *, has_noise: bool) -> None:
        super().__init__()
        self.form, self.has_noise = form, has_noise
        self.bins, self.bands = form.window // 2 + 1, bands
        self.rows = [2 * self.bins, bands, bands if has_noise else 0]
        self.layer = nn.Linear(form.widths[0], 2 * sum(self.rows))
        window = torch.hann_window(form.window)
        self.register_buffer("window", window, persistent=False)
        overlap = self._overlapped(window.square().expand(1, form.frames, 2, -1))[0, 0]
        self.register_buffer("steadiness", 1.0 / overlap, persistent=False)
        bins, frames = torch.arange(self.bins), torch.arange(form.frames)
        # in whole samples first, since large angles have few digits
        turns = 2.0 * math.pi * ((bins * frames[:, None, None] * form.hop) % form.window / form.window)
        self.register_buffer("turning", torch.stack([turns.cos(), turns.sin()], dim=-1), persistent=False)
        self.register_buffer("spreading", _between(bands, self.bins).repeat_interleave(2, dim=0), persistent=False)
        self.register_buffer("mean", torch.full((form.frames, 2, bands), math.log(_START)))
        self.noise_shape = (2, (form.frames - 1) * form.hop) if has_noise else ()
        # phases that agree would add up to clicks
        angles = 2.0 * math.pi * torch.rand(2, self.bins)
        bias = torch.zeros(2, sum(self.rows))
        bias[:, : 2 * self.bins] = torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1)
        self.layer.bias = nn.Parameter(bias.flatten())
        with torch.no_grad():
            self.layer.weight.mul_(0.1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return real and imaginary parts and band levels, (B, frames, 2, 2 x bins + bands)."""
        return torch.as_tensor(self.layer(hidden.transpose(1, 2)).view(len(hidden), self.form.frames, 2, -1))

    def waves(self, numbers: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """Return the inverse transform of tones and noise."""
        tones, levels, noise_levels = torch.split(numbers, self.rows, dim=3)
        # real and imaginary parts by turns: complex numbers times real ones would be copied
        spectra = _as_complex(tones * self._loud(levels, 0.25 * self.form.window)) * torch.view_as_complex(self.turning)
        if noise is not None:
            # as loud as a full-scale sine, in the mean
            white = self._transform((noise - 0.5) * math.sqrt(12.0 * self.form.window / 6.0))
            spectra = _as_complex(torch.addcmul(_as_real(spectra), self._loud(noise_levels, 1.0), _as_real(white)))
        return self._overlapped(torch.fft.irfft(spectra, self.form.window) * self.window) * self.steadiness

    @torch.no_grad()
    def fit(self, waves: torch.Tensor) -> None:
        """Start from the mean levels of real sounds, (B, 2, T)."""
        sums = torch.zeros_like(self.mean, dtype=torch.float64)
        weights = self.spreading[::2] / self.spreading[::2].sum(0).clamp_min(_TINY)
        for part in torch.split(waves, _PART):
            power = self._transform(nn.functional.pad(part, (0, self._length - self.form.samples))).abs().square()
            # 1 is the power of a full-scale sine's bin
            sums += torch.log(power @ weights * (4.0 / self.form.window) ** 2 + _FLOOR**2).double().sum(0) / 2.0
        self.mean.copy_(sums / len(waves))

    @property
    def _length(self) -> int:
        """Samples from the first frame's middle to the last one's."""
        return (self.form.frames - 1) * self.form.hop

    def _loud(self, levels: torch.Tensor, scale: float) -> torch.Tensor:
        """Return a factor for both parts of each bin, of natural log levels of the bands.

        Tones and noise share the power where these are 0.
        """
        return ((levels.clamp_max(_MOST) + self.mean).exp() * (scale * math.sqrt(0.5))) @ self.spreading.T

    def _transform(self, waves: torch.Tensor) -> torch.Tensor:
        """Return the spectra, (B, frames, 2, bins), of waves as long as the frames reach."""
        half = self.form.window // 2
        pieces = nn.functional.pad(waves, (half, half)).unfold(2, self.form.window, self.form.hop)
        spectra: torch.Tensor = torch.fft.rfft(pieces.transpose(1, 2) * self.window)
        return spectra

    def _overlapped(self, pieces: torch.Tensor) -> torch.Tensor:
        """Return the sum, (B, 2, T), of windows (B, frames, 2, window) that lie a hop apart."""
        form = self.form
        count = form.window // form.hop
        parts = pieces.reshape(-1, form.frames, 2, count, form.hop)
        whole = parts.new_zeros(len(parts), form.frames + count - 1, 2, form.hop)
        for one in range(count):
            whole[:, one : one + form.frames] += parts[:, :, :, one]
        whole = whole.transpose(1, 2).flatten(2)
        start = form.window // 2
        return whole[..., start : start + form.samples]


def _as_complex(parts: torch.Tensor) -> torch.Tensor:
    """Return (..., n) complex numbers of (..., 2 n) parts."""
    return torch.view_as_complex(parts.reshape(*parts.shape[:-1], -1, 2))


def _as_real(numbers: torch.Tensor) -> torch.Tensor:
    """Return (..., 2 n) parts of (..., n) complex numbers."""
    return torch.view_as_real(numbers).flatten(-2)


def _between(bands: int, bins: int) -> torch.Tensor:
    """Return the matrix, (bins, bands), that draws straight lines between levels of bands evenly spaced in mel.

    Frequencies are shares of 22,050 Hz, whatever the sample rate.
    """
    hertz = torch.linspace(0.0, 22_050.0, bins)
    places = torch.log1p(hertz / 700.0) / math.log1p(22_050.0 / 700.0) * (bands - 1)
    return (1.0 - (places[:, None] - torch.arange(bands)).abs()).clamp_min(0.0)
