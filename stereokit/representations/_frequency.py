"""Which frequencies the rows of a picture stand for."""

import math

import torch
from torch import nn

_LOWEST_HZ = 20.0


def triangles(centres: torch.Tensor, hertz: torch.Tensor) -> torch.Tensor:
    """Return means over triangles that reach from neighbour to neighbour, (centres, hertz), each row with sum 1.

    Where the centres lie closer than the frequencies do, a triangle is as wide as needed to hold one of them.
    """
    spacing = centres.diff()
    width = torch.maximum(torch.cat([spacing, spacing[-1:]]), torch.full_like(centres, float(hertz.diff().max())))
    weights = (1.0 - (hertz - centres[:, None]).abs() / width[:, None]).clamp_min(0.0)
    return (weights / weights.sum(1, keepdim=True)).float()


class LinearBins(nn.Module):
    """The transform's own bins: a picture has as many rows as there are."""

    def __init__(self, *, size: int, linear: int, sample_rate: int) -> None:
        super().__init__()
        if size != linear:
            raise ValueError(f"a window of {2 * linear - 2} samples has {linear} bins, the picture {size}")
        self.hertz = torch.linspace(0.0, sample_rate / 2.0, linear, dtype=torch.float64).tolist()

    def gather(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Return power per row, (..., rows, frames), of power per bin."""
        return spectrum

    def spread(self, rows: torch.Tensor) -> torch.Tensor:
        """Return dB per bin of dB per row."""
        return rows


class LogarithmicBins(nn.Module):
    """Rows evenly spaced in pitch from 20 Hz to half the sample rate.

    A row is the mean over the triangle that reaches to its neighbours, one bin wide at least; back, a bin takes its
    level between the two rows around it.
    """

    filters: torch.Tensor
    places: torch.Tensor

    def __init__(self, *, size: int, linear: int, sample_rate: int) -> None:
        super().__init__()
        hertz = torch.linspace(0.0, sample_rate / 2.0, linear, dtype=torch.float64)
        octaves = math.log2(sample_rate / 2.0 / _LOWEST_HZ)
        step = octaves / (size - 1)
        centres = _LOWEST_HZ * 2.0 ** (step * torch.arange(size, dtype=torch.float64))
        places = (hertz.clamp_min(_LOWEST_HZ) / _LOWEST_HZ).log2() / step
        self.hertz = centres.tolist()
        self.register_buffer("filters", triangles(centres, hertz), persistent=False)
        self.register_buffer("places", places.clamp(0.0, size - 1.0).float(), persistent=False)

    def gather(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Return power per row, (..., rows, frames), of power per bin."""
        return self.filters @ spectrum

    def spread(self, rows: torch.Tensor) -> torch.Tensor:
        """Return dB per bin of dB per row, straight lines between the rows."""
        below = self.places.floor().long().clamp_max(rows.shape[-2] - 2)
        share = (self.places - below)[:, None]
        return torch.lerp(rows[..., below, :], rows[..., below + 1, :], share)
