"""A linear filter with thousands of taps that is quickly learned, since what it hears is whitened first."""

from collections.abc import Iterator

import torch
from torch import nn

# Bands in which levels are measured and evened out, and how far under the loudest one they are still raised: 40 dB.
# More would make a click of every cut through a sound.
_BANDS = 1_024
_FLOOR = 1e-4


class LongFilter(nn.Module):
    """Signals (B, C, T) through a matrix of C x C filters, the same at all times.

    Gradients of a filter's taps are as uneven as the spectrum that they hear: where it is 40 dB down, learning takes
    ten thousand times as long. So signals are whitened first, by a curve that is measured once, with ``adapt``; the
    filters undo it where that helps. All taps begin at 0, and half of them look ahead.

    Parameters
    ----------
    channels
        C.
    taps
        Samples of each filter, even.
    """

    whitening: torch.Tensor

    def __init__(self, channels: int, taps: int) -> None:
        super().__init__()
        self.taps = nn.Parameter(torch.zeros(channels, channels, taps))
        self.register_buffer("whitening", torch.ones(_BANDS // 2 + 1))

    @torch.no_grad()
    def adapt(self, signals: Iterator[torch.Tensor]) -> None:
        """Measure what is heard, parts of shape (B, C, T), and even it out to a variance of 1."""
        window = torch.hann_window(_BANDS, device=self.whitening.device)
        total, count = torch.zeros_like(self.whitening), 0
        for part in signals:
            waves = nn.functional.pad(part, (0, max(0, _BANDS - part.shape[-1]))).flatten(0, 1).to(window)
            spectra = torch.stft(waves, _BANDS, _BANDS, window=window, center=False, return_complex=True)
            powers = torch.view_as_real(spectra).square().sum(-1)
            total += powers.sum((0, 2))
            count += powers.shape[0] * powers.shape[2]
        # of each sample, not of each bin
        power = total / max(count, 1) / window.square().sum()
        if power.any():
            self.whitening.copy_((power + _FLOOR * power.max()).rsqrt())

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Return the filtered signals, of the same shape and place."""
        frames, taps = signals.shape[-1], self.taps.shape[-1]
        # room for the taps behind the signal, and for what the whitening reaches before and behind it
        size = frames + taps + _BANDS
        size += size % 2
        curve = nn.functional.interpolate(self.whitening[None, None], size // 2 + 1, mode="linear", align_corners=True)[
            0, 0
        ]
        heard = torch.fft.rfft(signals, size) * curve
        made = torch.einsum("oif,bif->bof", torch.fft.rfft(self.taps, size), heard)
        waves = torch.fft.irfft(made, size)
        return torch.roll(waves, -(taps // 2), dims=-1)[..., :frames]
