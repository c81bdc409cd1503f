"""A drum in 1,648 numbers: pooled pictures, decays, spectral shapes, tonality, the fine envelope of its start."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from stereokit.representations._drum_pictures import COLUMNS, ROWS, DrumPictures, levels_db

_TINY = 1e-12
_POOL_ROWS, _POOL_COLUMNS, _POOL_FLOOR_DB = 2, 3, -60.0
# Bands whose decay is told apart, Hz; the last entry stands for all.
_BANDS_HZ = ((0.0, 350.0), (350.0, 1_000.0), (1_000.0, 2_800.0), (2_800.0, 7_000.0), (7_000.0, 1e6), (0.0, 1e6))
_DECAYS_DB, _LENGTHS_DB = (-3.0, -6.0, -10.0, -20.0, -30.0, -40.0), (-10.0, -20.0, -40.0)
_ACTIVE_DB = -50.0
_PIECES_S = (0.0, 0.02, 0.06, 0.15, 0.4)
_CROSSINGS_S = (0.0, 0.01, 0.03, 0.1, 0.3)
# The start is looked at in frames of 3 ms each 0.7 ms, four of which are one number.
_FINE_WINDOW, _FINE_HOP, _FINE_FRAMES, _FINE_POOL = 128, 32, 240, 4
# The frame of the longest window that reaches from 0 to 186 ms, and the columns near 13, 95 and 330 ms of a second.
_LONG_FRAME = 2
_PITCH_ROWS, _PITCH_COLUMNS = 50, (12, 28, 38)
_OCTAVES, _LOWEST_HZ = 9, 43.0


class DrumStatistics(nn.Module):
    """Statistics of aligned waves and their powers, all in units near 1.

    Attributes
    ----------
    groups
        How many numbers each kind of statistic has, in their order.
    """

    fine_window: torch.Tensor

    def __init__(self, pictures: DrumPictures) -> None:
        super().__init__()
        self.sample_rate, self.hop_s = pictures.sample_rate, pictures.hops[0] / pictures.sample_rate
        self._hop = pictures.hops[0]
        scale = pictures.windows[0] / 512.0
        window, self._fine_hop = max(8, round(_FINE_WINDOW * scale)), max(2, round(_FINE_HOP * scale))
        half = pictures.sample_rate / 2.0
        short, long = (pictures.windows[number] // 2 + 1 for number in (0, -1))
        with torch.device("cpu"):
            self.register_buffer("fine_window", torch.hann_window(window), persistent=False)
            hertz = torch.linspace(0.0, half, short)
            bands = torch.stack([(hertz >= low) & (hertz < high) for low, high in _BANDS_HZ]).float()
            self.register_buffer("bands", bands, persistent=False)
            self.register_buffer("hertz", hertz, persistent=False)
            low, edges = torch.linspace(0.0, half, long), _LOWEST_HZ * 2.0 ** torch.arange(_OCTAVES)
            inside = torch.stack([(low >= edge) & (low < 2.0 * edge) for edge in edges.tolist()])
            # an octave above half the rate has no bin: it reads the highest
            inside[:, -1] |= ~inside.any(1)
            self.register_buffer("inside", inside.float(), persistent=False)
        pooled = 2 * (ROWS // _POOL_ROWS) * (COLUMNS // _POOL_COLUMNS) // 2
        decays = len(_BANDS_HZ) * (len(_DECAYS_DB) + len(_LENGTHS_DB) + 3)
        self.groups = (
            pooled, pooled, decays, 8 * (4 + len(_PIECES_S) - 1), _FINE_FRAMES // _FINE_POOL, 2 * _OCTAVES,
            len(_PITCH_COLUMNS) * _PITCH_ROWS, len(_CROSSINGS_S) - 1,
        )  # fmt: skip

    @property
    def width(self) -> int:
        """How many numbers come out."""
        return sum(self.groups)

    def forward(self, waves: torch.Tensor, powers: Sequence[torch.Tensor], pictures: torch.Tensor) -> torch.Tensor:
        """Return (B, width) of aligned waves (B, T), their powers and their pictures."""
        pooled = nn.functional.avg_pool2d(pictures.clamp(min=_POOL_FLOOR_DB), (_POOL_ROWS, _POOL_COLUMNS)) / 20.0
        long = powers[-1][..., min(_LONG_FRAME, powers[-1].shape[-1] - 1)]
        found = [
            pooled[:, 0].flatten(1), pooled[:, -1].flatten(1), self._decays(powers[0]),
            self._shapes(powers[0][..., ::2]), self._fine(waves), self._tonality(long), self._pitches(pictures),
            self._crossings(waves),
        ]  # fmt: skip
        return torch.cat(found, dim=1)

    def _decays(self, power: torch.Tensor) -> torch.Tensor:
        """Return for each band when it has fallen how far, its middle, its peak's time and its share of all."""
        energy = self.get_buffer("bands") @ power
        total = energy.sum(2)
        left = energy.flip(2).cumsum(2).flip(2)
        left_db = _decibels(left / left[..., :1].clamp(min=_TINY))
        level_db = levels_db(energy, dim=2)
        times = torch.arange(power.shape[2], device=power.device, dtype=power.dtype) * self.hop_s
        found = [((left_db > level).sum(2) * self.hop_s + 0.004).log() for level in _DECAYS_DB]
        found += [((level_db > level).sum(2) * self.hop_s + 0.003).log() for level in _LENGTHS_DB]
        found.append(((energy * times).sum(2) / total.clamp(min=_TINY) + 0.003).log())
        found.append((energy.argmax(2) * self.hop_s + 0.003).log())
        found.append(_decibels(total / total[:, -1:].clamp(min=_TINY)) / 10.0)
        return torch.cat(found, dim=1)

    def _shapes(self, power: torch.Tensor) -> torch.Tensor:
        """Return centroid, breadth, flatness, three quantiles and entropy of spectra: over energy, time and pieces."""
        hertz = self.get_buffer("hertz")
        octaves = hertz.clamp(min=20.0).log2()
        # spectra lie one after the other, so that sums over bins are quick
        spectra = power.mT.contiguous()
        total = spectra.sum(2).clamp(min=_TINY)
        share = spectra / total[..., None]
        centroid = ((share @ hertz) + 30.0).log2()
        middle = share @ octaves
        breadth = (share @ octaves.square() - middle.square()).clamp(min=0.0).sqrt()
        floored = spectra.clamp(min=1e-14)
        flatness = floored.log().mean(2) - floored.mean(2).log()
        summed = share.cumsum(2)
        quantiles = [((summed < part).sum(2) + 1.0).log2() for part in (0.85, 0.5, 0.15)]
        entropy = -(share * share.clamp(min=1e-9).log()).sum(2)
        by_energy = total / total.sum(1, keepdim=True)
        level_db = levels_db(total, dim=1)
        active = (level_db > _ACTIVE_DB).to(power.dtype)
        by_time = active / active.sum(1, keepdim=True)
        edges = [min(round(second / (2.0 * self.hop_s)), power.shape[2] - 1) for second in _PIECES_S]
        found = []
        for values in (centroid, middle, breadth, flatness, *quantiles, entropy):
            for weights in (by_energy, by_time):
                mean = (values * weights).sum(1)
                spread = ((values - mean[:, None]).square() * weights).sum(1).sqrt()
                found += [mean, spread]
            found += [values[:, first : max(last, first + 1)].mean(1) for first, last in pairwise(edges)]
        return torch.stack(found, dim=1)

    def _fine(self, waves: torch.Tensor) -> torch.Tensor:
        """Return the envelope above the low end in the first 0.17 s: a clap's hands, a roll's strokes."""
        samples = _FINE_FRAMES * self._fine_hop
        start = nn.functional.pad(waves, (0, max(0, samples - waves.shape[1])))[:, :samples]
        spectra = torch.stft(
            start, len(self.fine_window), self._fine_hop, window=self.fine_window, center=True, pad_mode="constant",
            return_complex=True,
        )  # fmt: skip
        high = (spectra.real.square() + spectra.imag.square())[:, 4:, :_FINE_FRAMES].sum(1)
        return nn.functional.avg_pool1d(levels_db(high, dim=1, floor_db=-60.0)[:, None], _FINE_POOL)[:, 0] / 10.0

    def _tonality(self, power: torch.Tensor) -> torch.Tensor:
        """Return how far peak over mean, and geometric mean over mean, lie apart in nine octaves from 43 Hz, log."""
        inside = self.get_buffer("inside")
        floored = power + 1e-13
        count = inside.sum(1)
        mean = floored @ inside.mT / count
        highest = (floored[:, None] * inside).amax(2)
        return torch.cat([(highest / mean).log(), floored.log() @ inside.mT / count - mean.log()], dim=1)

    def _pitches(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the lowest 50 rows (six octaves) of the longest window at three times, each under its own peak."""
        columns = torch.tensor(_PITCH_COLUMNS, device=pictures.device)
        rows = pictures[:, -1, :_PITCH_ROWS].index_select(2, columns)
        return ((rows - rows.amax(1, keepdim=True)).clamp(min=-50.0) / 20.0).mT.flatten(1)

    def _crossings(self, waves: torch.Tensor) -> torch.Tensor:
        crossed = (waves[:, 1:] * waves[:, :-1] < 0.0).to(waves.dtype)
        edges = [min(round(second * self.sample_rate), crossed.shape[1] - 1) for second in _CROSSINGS_S]
        found = [crossed[:, first : max(last, first + 1)].mean(1) for first, last in pairwise(edges)]
        return (torch.stack(found, dim=1) + 1e-3).log()


def _decibels(ratio: torch.Tensor) -> torch.Tensor:
    return (10.0 / math.log(10.0)) * ratio.clamp(min=1e-8).log()
