"""Between the bins of a transform and the bands of a picture: levels and phases, there and back."""

import math

import numpy as np
import torch
from torch import nn

from stereokit.audio.spectrum import hz_to_mel, mel_to_hz
from stereokit.representations._frequency import triangles

# Of the printed matrix: the least distance between a triangle's feet, in bins.
_LEAST_WIDTH_BINS = 1.5
_TINY = 1e-12
_PARTS = 16
# Where spectra have nearly nothing and should, a correction goes no further than this: 40 dB of power.
_MOST_SCALED = 1e4


class Bands(nn.Module):
    """Rows of (complex) means over triangles of bins, one bin wide at least.

    Phases count from the middle of the window, where those of the bins around a sine agree, so that means over bins
    keep them. They are what is left after the turns that a band's own frequency makes: those of a sine differ by the
    same steps from row to row, wherever the sine lies, and a band of noise stays near 0. Where a cell is silent its
    phase is held, so that its step is 0, and not noise.

    Parameters
    ----------
    bands
        Rows, evenly spaced in mel; 0 for the transform's own bins.
    window, hop, frames
        Of the transform, in samples and spectra.
    sample_rate
        Hz.
    """

    filters: torch.Tensor
    places: torch.Tensor
    turns: torch.Tensor
    alternation: torch.Tensor

    def __init__(self, *, bands: int, window: int, hop: int, frames: int, sample_rate: int) -> None:
        super().__init__()
        bins = window // 2
        hertz = torch.arange(bins, dtype=torch.float64) * sample_rate / window
        if bands:
            # the lowest is the lowest bin, the highest the highest
            mels = np.linspace(0.0, hz_to_mel(float(hertz[-1])), bands)
            centres = torch.from_numpy(mel_to_hz(mels))
            filters = triangles(centres, hertz)
            places = torch.from_numpy(hz_to_mel(hertz.numpy()) / mels[1])
        else:
            centres, filters = hertz, torch.eye(bins)
            places = torch.arange(bins, dtype=torch.float64)
        self.rows = len(centres)
        self.is_linear = not bands
        times = torch.arange(frames, dtype=torch.float64) * hop / sample_rate
        self.parts = _parts(filters)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("places", places.clamp(0.0, self.rows - 1.0).float(), persistent=False)
        turns = 2.0 * math.pi * ((centres[:, None] * times) % 1.0)
        self.register_buffer("turns", turns.float(), persistent=False)
        signs = 1.0 - 2.0 * (torch.arange(bins) % 2)
        self.register_buffer("alternation", signs[:, None], persistent=False)

    def gather(self, spectra: torch.Tensor, floor: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return power and phase steps of spectra.

        Parameters
        ----------
        spectra
            Complex, (..., bins, frames).
        floor
            The power under which a cell counts as silent.

        Returns
        -------
        tuple of Tensor
            Power, 0 or more, and steps in half turns, within ±1, both (..., rows, frames). The first step is the
            phase itself.
        """
        power, means = self._rows(spectra)
        phases = _held(means.angle() - self.turns, power >= floor)
        return power, wrapped(_steps(phases) / math.pi)

    def power(self, spectra: torch.Tensor) -> torch.Tensor:
        """Return each row's mean power, (..., rows, frames), of complex spectra, (..., bins, frames)."""
        return self._means(spectra.real.square() + spectra.imag.square())

    def magnitudes(self, power: torch.Tensor) -> torch.Tensor:
        """Return magnitudes of bins, (..., bins, frames), of the rows' power."""
        return _root(self.between(power))

    def phases(self, steps: torch.Tensor) -> torch.Tensor:
        """Return phases, in radians from the middle of the window, of steps (..., rows, frames)."""
        return (math.pi * steps).cumsum(-1) + self.turns

    def spread(self, power: torch.Tensor, phases: torch.Tensor) -> torch.Tensor:
        """Return complex spectra, (..., bins, frames), of power and phases, (..., rows, frames).

        A bin lies on the line between the two rows around it.
        """
        units = torch.polar(torch.ones_like(phases), phases)
        return _root(self.between(power)) * _directions(self.between(units)) * self.alternation

    def corrected(self, spectra: torch.Tensor, power: torch.Tensor, phases: torch.Tensor | None) -> torch.Tensor:
        """Return spectra nearer to rows of that power and those phases: bins are scaled and turned as rows need it.

        Parameters
        ----------
        spectra
            Complex, (..., bins, frames), of real waves.
        power, phases
            What ``gather`` should find, (..., rows, frames); phases None leaves those that are there.
        """
        found, means = self._rows(spectra)
        scales = (power / found.clamp_min(_TINY)).clamp_max(_MOST_SCALED)
        scaled = spectra * _root(self.between(scales))
        if phases is None:
            return scaled
        turned = torch.polar(torch.ones_like(phases), phases) * means.conj()
        return scaled * _directions(self.between(_directions(turned)))

    def _rows(self, spectra: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        centred = spectra * self.alternation
        return self.power(spectra), torch.complex(self._means(centred.real), self._means(centred.imag))

    def _means(self, values: torch.Tensor) -> torch.Tensor:
        if self.is_linear:
            return values
        # neighbouring bands have few bins: a sixteenth of the products
        return torch.cat([self.filters[rows, bins] @ values[..., bins, :] for rows, bins in self.parts], dim=-2)

    def between(self, rows: torch.Tensor) -> torch.Tensor:
        """Return what bins get of rows (..., rows, frames): what lies on the line between the two rows around each."""
        if self.is_linear:
            return rows
        below = self.places.floor().long().clamp_max(self.rows - 2)
        share = (self.places - below)[:, None]
        return rows[..., below, :] * (1.0 - share) + rows[..., below + 1, :] * share


class PrintedBands(nn.Module):
    """The mel matrix of GANSynth with its transpose-based inverse, for power and for unwrapped phases.

    Phases of neighbouring bins are added up with the matrix's weights, whatever multiples of a turn lie between them:
    where a band holds several bins nothing of them is left. The first step, the phase itself, is divided by what the
    weights of a row add up to (up to 3.6), so that nothing exceeds ±1.

    Parameters
    ----------
    bands
        Rows; 0 for the transform's own bins.
    window
        Of the transform, in samples.
    sample_rate
        Hz.
    integral
        What the steps are summed over on the way back: ``time``, or ``frequency`` as published, which destroys the
        phase.
    """

    matrix: torch.Tensor
    inverse: torch.Tensor
    bounds: torch.Tensor

    def __init__(self, *, bands: int, window: int, sample_rate: int, integral: str) -> None:
        super().__init__()
        bins = window // 2
        matrix = mel_matrix(bands=bands, bins=bins, sample_rate=sample_rate) if bands else np.eye(bins)
        products = (matrix @ matrix.T).sum(0)
        scales = 1.0 / np.where(products > 1e-8, products, 1.0)
        self.rows = len(matrix)
        self.axis = -2 if integral == "frequency" else -1
        self.register_buffer("matrix", torch.from_numpy(matrix).float(), persistent=False)
        self.register_buffer("inverse", torch.from_numpy(matrix.T * scales).float(), persistent=False)
        bounds = np.maximum(matrix.sum(1, keepdims=True), 1.0)
        self.register_buffer("bounds", torch.from_numpy(bounds).float(), persistent=False)

    def gather(self, spectra: torch.Tensor, floor: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return power and phase steps of spectra; see ``Bands.gather``. No cell counts as silent."""
        power = self.matrix @ (spectra.real.square() + spectra.imag.square())
        phases = self.matrix @ (math.pi * wrapped(_steps(spectra.angle() / math.pi)).cumsum(-1))
        first = phases[..., :1] / math.pi / self.bounds
        return power, torch.cat([first, wrapped(phases.diff(dim=-1) / math.pi)], dim=-1)

    def phases(self, steps: torch.Tensor) -> torch.Tensor:
        """Return phases in radians, from the window's start, of steps (..., rows, frames)."""
        whole = torch.cat([steps[..., :1] * self.bounds, steps[..., 1:]], dim=-1)
        return (math.pi * whole).cumsum(self.axis)

    def spread(self, power: torch.Tensor, phases: torch.Tensor) -> torch.Tensor:
        """Return complex spectra, (..., bins, frames), of power and phases, (..., rows, frames)."""
        return torch.polar(_root(self.inverse @ power), self.inverse @ phases)


def mel_matrix(*, bands: int, bins: int, sample_rate: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return triangles of peak 1 over the bins of a transform without its Nyquist bin, (bands, bins).

    Evenly spaced in mel from 0 Hz to half the rate; one whose feet lie less than 1.5 bins apart is widened to that
    around its middle, in mel. The bin at 0 Hz belongs to none. (Engel et al. 2019, GANSynth.)
    """
    nyquist = sample_rate / 2.0
    hertz = np.linspace(0.0, nyquist, bins)
    mels = np.linspace(0.0, float(hz_to_mel(nyquist)), bands + 2)
    lower, centre, upper = (mel_to_hz(edges) for edges in (mels[:-2], mels[1:-1], mels[2:]))
    least = _LEAST_WIDTH_BINS * nyquist / bins
    # so many mels to either side make that width
    either = float(hz_to_mel(700.0)) / math.log(2.0) * np.arcsinh(0.5 * least / (centre + 700.0))
    is_narrow = upper - lower < least
    lower = np.where(is_narrow, mel_to_hz(mels[1:-1] - either), lower)
    upper = np.where(is_narrow, mel_to_hz(mels[1:-1] + either), upper)
    rising = (hertz - lower[:, None]) / (centre - lower)[:, None]
    falling = (upper[:, None] - hertz) / (upper - centre)[:, None]
    matrix = np.maximum(0.0, np.minimum(rising, falling))
    matrix[:, 0] = 0.0
    return np.asarray(matrix)


def _parts(filters: torch.Tensor) -> list[tuple[slice, slice]]:
    """Return where a matrix of bands, (rows, bins), is not 0: sixteenths of its rows, and the bins that they have."""
    parts = []
    for rows in torch.arange(len(filters)).tensor_split(_PARTS):
        if len(rows):
            first, last = int(rows[0]), int(rows[-1])
            bins = filters[first : last + 1].any(0).nonzero()
            parts.append((slice(first, last + 1), slice(int(bins[0]), int(bins[-1]) + 1)))
    return parts


def wrapped(half_turns: torch.Tensor) -> torch.Tensor:
    """Return angles in half turns between -1 and 1, the same but for whole turns."""
    return half_turns - 2.0 * torch.round(half_turns / 2.0)


def with_highest(spectra: torch.Tensor) -> torch.Tensor:
    """Return spectra, (..., bins + 1, frames), whose highest bin, which bands leave out, is that below it."""
    return torch.cat([spectra, spectra[..., -1:, :]], dim=-2)


def _root(values: torch.Tensor) -> torch.Tensor:
    """Return square roots, with a gradient of 0 at 0 where it would have no end."""
    return torch.where(values > 0.0, values.clamp_min(torch.finfo(values.dtype).tiny).sqrt(), 0.0)


def _directions(values: torch.Tensor) -> torch.Tensor:
    """Return complex values at magnitude 1, or less where there is nearly nothing."""
    return values / values.abs().clamp_min(_TINY)


def _steps(phases: torch.Tensor) -> torch.Tensor:
    return torch.diff(phases, dim=-1, prepend=torch.zeros_like(phases[..., :1]))


def _held(phases: torch.Tensor, is_heard: torch.Tensor) -> torch.Tensor:
    """Return phases where a cell that is not heard has the one before, and 0 when none was."""
    numbers = torch.arange(phases.shape[-1], device=phases.device)
    latest = torch.where(is_heard, numbers, -1).cummax(-1).values
    return torch.where(latest >= 0, phases.gather(-1, latest.clamp_min(0)), 0.0)
