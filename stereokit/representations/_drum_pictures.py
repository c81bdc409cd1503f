"""Drums as classifiers tell them best: levels over logarithmic pitch and time. There is no way back."""

import math
from collections.abc import Sequence

import torch
from torch import nn

ROWS, COLUMNS = 80, 48
FLOOR_DB = -80.0
# Windows and hops at 44.1 kHz: the short one hears when, the long one what pitch.
_WINDOWS, _HOPS, _RATE = (512, 2_048, 8_192), (128, 512, 2_048), 44_100.0
_LOWEST_HZ, _ROWS_AN_OCTAVE = 32.0, 8.35
_FIRST_S = 0.003
# A sound begins where it reaches this share of its peak, and its picture a little before.
_ONSET, _BEFORE_S = 0.03, 0.0015
_LEAST_POWER = 1e-9


class DrumPictures(nn.Module):
    """Levels at three resolutions on the same rows and columns, so that tape speed only moves a picture.

    Rows lie evenly in pitch, 8.35 to an octave from 32 Hz; columns evenly in the logarithm of the time since the
    onset, from 3 ms to the end. A cell is the mean power of what lies nearer to it than to its neighbours.

    Parameters
    ----------
    sample_rate, frames
        Of the clips: Hz, and samples.
    """

    octaves: torch.Tensor
    seconds: torch.Tensor

    def __init__(self, *, sample_rate: int, frames: int) -> None:
        super().__init__()
        self.sample_rate, self.frames = sample_rate, frames
        scale = 2.0 ** round(math.log2(sample_rate / _RATE))
        self.windows = tuple(max(16, round(window * scale)) for window in _WINDOWS)
        self.hops = tuple(max(4, round(hop * scale)) for hop in _HOPS)
        self.column_octaves = math.log2(max(frames / sample_rate, 2.0 * _FIRST_S) / _FIRST_S) / (COLUMNS - 1)
        with torch.device("cpu"):
            octaves = torch.arange(ROWS, dtype=torch.float64) / _ROWS_AN_OCTAVE
            seconds = _FIRST_S * 2.0 ** (self.column_octaves * torch.arange(COLUMNS, dtype=torch.float64))
            self.register_buffer("octaves", octaves.float(), persistent=False)
            self.register_buffer("seconds", seconds.float(), persistent=False)
            for number, (window, hop) in enumerate(zip(self.windows, self.hops, strict=True)):
                hertz = torch.linspace(0.0, sample_rate / 2.0, window // 2 + 1, dtype=torch.float64)
                times = torch.arange(frames // hop + 1, dtype=torch.float64) * hop / sample_rate
                shape = torch.hann_window(window)
                # a full-scale sine has the power 1
                self.register_buffer(f"window_{number}", shape * (2.0 / shape.sum()), persistent=False)
                rows = _means(_LOWEST_HZ * 2.0**octaves, hertz, 2.0 ** (1.0 / _ROWS_AN_OCTAVE))
                self.register_buffer(f"rows_{number}", rows, persistent=False)
                columns = _means(seconds, times, 2.0**self.column_octaves).mT.contiguous()
                self.register_buffer(f"columns_{number}", columns, persistent=False)

    def aligned(self, clips: torch.Tensor) -> torch.Tensor:
        """Return mid, or side where it has more energy, from just before the onset: (B, T) of (B, 2, T), peak 1."""
        left, right = clips.unbind(1)
        mid, side = (left + right) / 2.0, (left - right) / 2.0
        is_mid = mid.square().sum(1, keepdim=True) >= side.square().sum(1, keepdim=True)
        waves = torch.where(is_mid, mid, side)
        waves = waves / waves.abs().amax(1, keepdim=True).clamp(min=_LEAST_POWER)
        first = (waves.abs() > _ONSET).to(torch.uint8).argmax(1)
        padded = nn.functional.pad(waves, (round(_BEFORE_S * self.sample_rate), waves.shape[1]))
        starts = first.tolist()
        return torch.stack([wave[start : start + waves.shape[1]] for wave, start in zip(padded, starts, strict=True)])

    def powers(self, waves: torch.Tensor) -> list[torch.Tensor]:
        """Return the power of each resolution, (B, bins, frames), of waves (B, T); a full-scale sine has 1."""
        powers = []
        for number, hop in enumerate(self.hops):
            window = self.get_buffer(f"window_{number}")
            spectra = torch.stft(
                waves, len(window), hop, window=window, center=True, pad_mode="constant", return_complex=True
            )
            powers.append(spectra.real.square() + spectra.imag.square())
        return powers

    def forward(self, powers: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return pictures (B, 3, 80, 48) of powers: dB under the loudest cell of each, -80 to 0."""
        cells = torch.stack(
            [
                self.get_buffer(f"rows_{number}") @ power @ self.get_buffer(f"columns_{number}")
                for number, power in enumerate(powers)
            ],
            dim=1,
        )
        return levels_db(cells, dim=(2, 3))


def levels_db(power: torch.Tensor, *, dim: int | tuple[int, ...], floor_db: float = FLOOR_DB) -> torch.Tensor:
    """Return levels in dB under the highest along ``dim``, ``floor_db`` to 0; silence lies at the floor."""
    ratio = power / power.amax(dim, keepdim=True).clamp(min=_LEAST_POWER)
    return 10.0 * ratio.clamp(min=10.0 ** (floor_db / 10.0)).log10()


def _means(centres: torch.Tensor, places: torch.Tensor, step: float) -> torch.Tensor:
    """Return means over triangles as wide as the step from centre to centre, (centres, places), rows with sum 1."""
    spacing = float(places[1] - places[0])
    # what lies above the last place is read there
    inside = centres.clamp(max=float(places[-1]) - 0.5 * spacing)[:, None]
    width = (centres * (step - 1.0)).clamp(min=spacing)[:, None]
    weights = (1.0 - (places - inside).abs() / width).clamp(min=0.0)
    return (weights / weights.sum(1, keepdim=True)).float()
