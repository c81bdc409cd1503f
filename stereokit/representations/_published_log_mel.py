"""Log-mel pictures as the published audio networks (PANNs) make them, under the names that their files use."""

import math

import torch
from torch import nn

SAMPLE_RATE, WINDOW, HOP, BANDS = 32_000, 1_024, 320, 64
_LOW_HZ, _HIGH_HZ = 50.0, 14_000.0
_LEAST_POWER = 1e-10
# Slaney's scale: straight up to 1 kHz, then 27 bands to each factor of 6.4.
_BREAK_HZ, _HZ_A_MEL, _STEP = 1_000.0, 200.0 / 3.0, math.log(6.4) / 27.0


class _Kernel(nn.Module):
    """A row of the transform's matrix for each bin."""

    weight: torch.Tensor

    def __init__(self, wave: torch.Tensor) -> None:
        super().__init__()
        # the copy lets weights be declared without memory
        self.register_buffer("weight", torch.empty(len(wave), 1, wave.shape[1]))
        self.weight.copy_(wave[:, None])

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv1d(waves, self.weight, stride=HOP)


class _Transform(nn.Module):
    """Real and imaginary parts of spectra under a periodic Hann window."""

    def __init__(self) -> None:
        super().__init__()
        with torch.device("cpu"):
            times = torch.arange(WINDOW, dtype=torch.float64)
            angles = 2.0 * math.pi / WINDOW * torch.outer(torch.arange(WINDOW // 2 + 1, dtype=torch.float64), times)
            window = 0.5 - 0.5 * torch.cos(2.0 * math.pi * times / WINDOW)
        self.conv_real = _Kernel(window * angles.cos())
        self.conv_imag = _Kernel(-window * angles.sin())


class PublishedSpectrogram(nn.Module):
    """Powers of 513 bins, frames of 1,024 samples centred 320 apart; beyond its ends a wave is mirrored."""

    def __init__(self) -> None:
        super().__init__()
        self.stft = _Transform()

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """Return (B, frames, 513) of waves (B, T), T at least 513."""
        padded = nn.functional.pad(waves[:, None], (WINDOW // 2, WINDOW // 2), mode="reflect")
        power: torch.Tensor = self.stft.conv_real(padded).square() + self.stft.conv_imag(padded).square()
        return power.mT


class PublishedLogMel(nn.Module):
    """Levels in dB of 64 mel bands from 50 Hz to 14 kHz, each of area 1, not under -100 dB."""

    melW: torch.Tensor  # noqa: N815 - the files' name

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("melW", torch.empty(WINDOW // 2 + 1, BANDS))
        self.melW.copy_(_filters())

    def forward(self, power: torch.Tensor) -> torch.Tensor:
        """Return (B, frames, 64) of powers (B, frames, 513)."""
        return 10.0 * (power @ self.melW).clamp(min=_LEAST_POWER).log10()


def _filters() -> torch.Tensor:
    """Return triangles over the bins, (513, 64), float64."""
    with torch.device("cpu"):
        low, high = _to_mel(torch.tensor([_LOW_HZ, _HIGH_HZ], dtype=torch.float64)).tolist()
        edges = _to_hz(torch.linspace(low, high, BANDS + 2, dtype=torch.float64))
        bins = torch.linspace(0.0, SAMPLE_RATE / 2.0, WINDOW // 2 + 1, dtype=torch.float64)[:, None]
        lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
        rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
        return rising.minimum(falling).clamp(min=0.0) * 2.0 / (upper - lower)


def _to_mel(hz: torch.Tensor) -> torch.Tensor:
    above = _BREAK_HZ / _HZ_A_MEL + (hz / _BREAK_HZ).log() / _STEP
    return torch.where(hz < _BREAK_HZ, hz / _HZ_A_MEL, above)


def _to_hz(mel: torch.Tensor) -> torch.Tensor:
    above = _BREAK_HZ * ((mel - _BREAK_HZ / _HZ_A_MEL) * _STEP).exp()
    return torch.where(mel < _BREAK_HZ / _HZ_A_MEL, mel * _HZ_A_MEL, above)
