"""A centred short-time Fourier transform of a fixed number of frames, its inverse, and Griffin-Lim between them."""

import math

import torch
from torch import nn

_FADE_S = 0.010
_TINY = 1e-12
# Under it a level's slope is numerical noise; bins further than this from a sine hold another one.
_FLOOR, _REACH = 1e-9, 2.0


class ShortTimeTransform(nn.Module):
    """``frames`` spectra of ``window`` samples, ``hop`` apart, the first centred on the first sample.

    Beyond the clip's ends is silence.

    Parameters
    ----------
    samples
        Of a clip.
    sample_rate
        Hz.
    frames
        Spectra kept.
    window
        Samples of the window and of the transform: window // 2 + 1 bins.
    beta
        Of a Kaiser window; 12 has side lobes under -90 dB. A Hann window if None.
    hop
        In samples; samples // (frames - 1) if None. What lies more than (frames - 1) x hop samples into the clip is
        lost.
    """

    window: torch.Tensor

    def __init__(
        self, *, samples: int, sample_rate: int, frames: int, window: int, beta: float | None, hop: int | None = None
    ) -> None:
        super().__init__()
        self.samples = samples
        self.frames = frames
        self.hop = hop or samples // (frames - 1)
        self.length = window
        self.fade = min(round(_FADE_S * sample_rate), samples)
        self.spread = _spread(_window(window, beta, torch.float64))
        self.register_buffer("window", _window(window, beta, torch.float32), persistent=False)

    @property
    def bins(self) -> int:
        """Frequencies of a spectrum."""
        return self.length // 2 + 1

    @property
    def full_scale(self) -> torch.Tensor:
        """Magnitude of the spectrum of a sine of amplitude 1 at its own bin."""
        return self.window.sum() / 2.0

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """Return the complex spectra, (..., bins, frames), of waves (..., T)."""
        missing = max((self.frames - 1) * self.hop - waves.shape[-1], 0)
        flat = nn.functional.pad(waves.reshape(-1, waves.shape[-1]), (0, missing))
        spectra = torch.stft(
            flat, self.length, self.hop, window=self.window, center=True, pad_mode="constant", return_complex=True
        )
        return spectra[..., : self.frames].reshape(*waves.shape[:-1], self.bins, self.frames)

    def inverse(self, spectra: torch.Tensor, *, further: int = 0) -> torch.Tensor:
        """Return waves (..., (frames - 1) x hop + further) of spectra (..., bins, frames)."""
        flat = spectra.reshape(-1, self.bins, self.frames)
        waves = torch.istft(
            flat, self.length, self.hop, window=self.window, center=True, length=(self.frames - 1) * self.hop + further
        )
        return waves.reshape(*spectra.shape[:-2], -1)

    def settled(self, spectra: torch.Tensor, *, further: int = 0) -> torch.Tensor:
        """Return the spectra, (..., bins, frames), of the waves, see ``inverse``, that spectra describe."""
        waves = self.inverse(spectra, further=further)
        # the frame after the last one kept reaches into the padding, as it does in a clip
        return self.forward(nn.functional.pad(waves, (0, max(self.samples - waves.shape[-1], 0))))

    def finish(self, waves: torch.Tensor) -> torch.Tensor:
        """Fade what ``inverse`` gave to silence over 10 ms and bring it to the clip's length."""
        waves = waves[..., : self.samples]
        falling = torch.cos(torch.linspace(0.0, math.pi / 2.0, self.fade, device=waves.device, dtype=waves.dtype))
        # the cosine of a quarter turn is not quite 0
        falling[-1] = 0.0
        sustained = waves[..., : -self.fade]
        faded = waves[..., -self.fade :] * falling
        whole = torch.cat([sustained, faded], dim=-1)
        return nn.functional.pad(whole, (0, self.samples - whole.shape[-1]))

    def first_phase(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Return unit phases, (..., bins, frames), of sines as steady as the magnitudes let them be.

        Around a sine the magnitudes of a bell-shaped window fall off as a parabola in dB: their slope from bin to bin
        tells how far away the sine's frequency lies, between the bins too; its phase is that frequency, summed over
        time (the relation behind Prusa, Balazs and Sondergaard 2017, A noniterative method for reconstruction of
        phase). A random start leaves neighbouring frames to cancel, and the bins' own frequencies put a sine up to
        half a bin out of tune; ten iterations mend neither. The bins set in as a chirp, each a little after the lower
        one: all at once would add up to a peak far over full scale.
        """
        floor = _FLOOR * self.full_scale
        levels = torch.log(torch.maximum(magnitudes, floor)).double()
        padded = nn.functional.pad(levels.reshape(-1, self.bins, self.frames), (0, 0, 1, 1), mode="replicate")
        slopes = ((padded[:, 2:] - padded[:, :-2]) / 2.0).reshape(magnitudes.shape)
        bins = torch.arange(self.bins, device=magnitudes.device, dtype=torch.float64)[:, None]
        frequencies = (bins + (self.spread * slopes).clamp(-_REACH, _REACH)).clamp(0.0, self.bins - 1.0)
        steps = (frequencies[..., 1:] + frequencies[..., :-1]) / 2.0
        turns = nn.functional.pad(steps, (1, 0)).cumsum(-1) * self.hop / self.length + bins**2 / (2 * self.bins)
        return torch.polar(torch.ones_like(turns), 2.0 * math.pi * (turns % 1.0)).to(torch.complex64)

    def phase_of(
        self, magnitudes: torch.Tensor, start: torch.Tensor, *, iterations: int, momentum: float
    ) -> torch.Tensor:
        """Return unit phases, (..., bins, frames), by Griffin-Lim with momentum.

        Parameters
        ----------
        magnitudes
            (..., bins, frames), 0 or more.
        start
            Unit phases to begin with.
        iterations
            Each replaces the phases by those of the waves that the spectra describe.
        momentum
            Share of the last change that is carried on: Perraudin, Balazs and Sondergaard 2013, A fast
            Griffin-Lim algorithm, as alpha / (1 + alpha).
        """
        carried = momentum / (1.0 + momentum)
        phases = start
        before = torch.zeros_like(phases)
        for _ in range(iterations):
            rebuilt = self.settled(magnitudes * phases)
            phases = unit(rebuilt - carried * before, otherwise=phases)
            before = rebuilt
        return phases


def unit(spectra: torch.Tensor, *, otherwise: torch.Tensor) -> torch.Tensor:
    """Return the phases of spectra as numbers of magnitude 1, and ``otherwise`` where there is nothing."""
    magnitudes = spectra.abs()
    return torch.where(magnitudes > _TINY, spectra / magnitudes.clamp_min(_TINY), otherwise)


def _window(length: int, beta: float | None, dtype: torch.dtype) -> torch.Tensor:
    if beta is None:
        return torch.hann_window(length, periodic=True, dtype=dtype)
    return torch.kaiser_window(length, periodic=True, beta=beta, dtype=dtype)


def _spread(window: torch.Tensor) -> float:
    """Return the variance, in squared bins, of the bell that a window's spectrum is near its middle."""
    places = torch.arange(len(window), dtype=torch.float64) - len(window) / 2.0
    middle, next_bin = (
        (window * torch.cos(2.0 * math.pi * bin_number * places / len(window))).sum() for bin_number in (0, 1)
    )
    return float(0.5 / torch.log(middle / next_bin))
