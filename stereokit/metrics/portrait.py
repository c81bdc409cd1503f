"""What a short sound is like, whatever its level: a picture of bands over time, and a few figures.

The picture starts 12 ms before the sound reaches 0.1 % of its peak power. It has 72 bands from 33 Hz to 16 kHz, equally
wide in octaves, and columns of 5 ms that grow to a quarter of a second: an attack takes as much room as a tail. Each
value is the geometric mean of the powers in a short and in a long window (23 and 93 ms), so that neither a click nor a
tone is smeared, of left and right together; in decibels under the loudest, from 0 (60 dB or more under it) to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.resample import resample
from stereokit.audio.spectrum import hann

RATE_HZ = 44_100
BANDS = 72
_LOW_HZ, _HIGH_HZ = 32.7, 16_000.0
_SHORT, _LONG, _HOP = 1024, 4096, 220
_FRAMES_AT_ONCE = 16
_BEFORE = 512
_ONSET_POWER = 1e-3
_MOST_FRAMES = 600
_FLOOR_DB = 60.0
_EDGES = np.unique(np.round(np.concatenate([np.arange(16), 16 * 1.12 ** np.arange(32)])).astype(np.int64))
COLUMNS = len(_EDGES) - 1
_TINY = 1e-20
# Half of what a byte can tell apart is a tenth of a decibel.
_STEPS = 255

# Falls of the power, in dB, after which the time is taken.
_FALLS_DB = (10.0, 20.0, 40.0, 60.0)
_ENERGY_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
# Borders in Hz between which noise is told from tones.
_NOISE_HZ = (80.0, 500.0, 2000.0, 6000.0, 16_000.0)
_PITCH_FRAMES, _PITCH_BINS = 4096, 16_384
_PITCH_HZ = (30.0, 2000.0)
_PITCH_LATER = 2048
_ATTACK_DB, _ATTACK_FRAMES = 3.0, slice(2, 24)
_Transform = Callable[[NDArray[np.float32]], NDArray[np.complex64]]

DESCRIPTORS = 9 + len(_FALLS_DB) + len(_ENERGY_SHARES) + len(_NOISE_HZ) + 3


@dataclass(frozen=True)
class Portrait:
    """One sound.

    Attributes
    ----------
    picture
        Bands over time, uint8 of shape (COLUMNS, BANDS): 0 is 60 dB under the loudest, 255 the loudest.
    descriptors
        Figures, most of them logarithms, float32 of shape (DESCRIPTORS,): duration, times of falls and of shares of
        the energy, centroid and spread in time and frequency, noisiness of bands, pitch and tonality early and later,
        attacks.
    """

    picture: NDArray[np.uint8]
    descriptors: NDArray[np.float32]


def portrait(clip: Clip) -> Portrait | None:
    """Return the portrait of a clip; None for silence. It does not depend on level, side or polarity."""
    samples = resample(clip, RATE_HZ).samples.astype(np.float64)
    power = (samples**2).sum(axis=0)
    loudest = float(power.max())
    if loudest == 0.0:
        return None
    onset = int(np.flatnonzero(power >= loudest * _ONSET_POWER)[0])
    seconds = (samples.shape[1] - onset) / RATE_HZ
    samples = np.pad(samples, ((0, 0), (_BEFORE, 0)))[:, onset:][:, : _MOST_FRAMES * _HOP] / np.sqrt(loudest)
    # equal sides have equal spectra
    sides = samples[:1] if np.array_equal(samples[0], samples[1]) else samples
    short, long = (_spectra(sides, window) for window in (_SHORT, _LONG))
    frames = min(len(short), len(long))
    seen = [power[:frames] @ _filters(window) for power, window in ((short, _SHORT), (long, _LONG))]
    bands = np.sqrt(seen[0].astype(np.float64) * seen[1] + _TINY)
    columns = np.stack([_mean(bands[first:last], last - first) for first, last in pairwise(_EDGES.tolist())])
    levels = 10.0 * np.log10(np.maximum(columns / columns.max(), _TINY))
    picture = np.clip(np.rint((levels / _FLOOR_DB + 1.0) * _STEPS), 0, _STEPS).astype(np.uint8)
    return Portrait(picture, _described(samples, short.astype(np.float64), bands, seconds).astype(np.float32))


def _spectra(samples: NDArray[np.float64], window: int) -> NDArray[np.float32]:
    """Return the power of left and right together around every hop, shape (frames, bins).

    In single precision, which is exact to some 130 dB under the loudest, and the picture ends 60 dB under it.
    """
    padded = np.pad(samples.astype(np.float32), ((0, 0), (window // 2, window)))
    frames = sliding_window_view(padded, window, axis=-1)[:, ::_HOP]
    power = np.zeros((frames.shape[1], window // 2 + 1), np.float32)
    for side in frames:
        # a few at a time stay in the processor's cache
        for start in range(0, len(side), _FRAMES_AT_ONCE):
            spectra = _transform()(side[start : start + _FRAMES_AT_ONCE] * _window(window))
            power[start : start + _FRAMES_AT_ONCE] += spectra.real**2 + spectra.imag**2
    power /= len(samples)
    power[:, [0, -1]] /= 2.0
    return power


@cache
def _transform() -> _Transform:
    """Return a Fourier transform of real frames: scipy's, several times as fast, where it is installed."""
    try:
        return cast("_Transform", import_module("scipy.fft").rfft)
    except ImportError:
        return cast("_Transform", np.fft.rfft)


@cache
def _window(length: int) -> NDArray[np.float32]:
    """Return a Hann window by which the bins of a frame add up to about the mean square of its samples."""
    window = hann(length)
    return np.asarray(window * np.sqrt(2.0 / (length * (window**2).sum())), np.float32)


def _mean(part: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Return the mean over so many frames; those that are not there are silent."""
    return np.asarray(part.sum(axis=0) / frames)


@cache
def _filters(window: int) -> NDArray[np.float32]:
    """Return triangular bands, equally wide in octaves, but never narrower than a bin; shape (bins, BANDS)."""
    edges = _LOW_HZ * (_HIGH_HZ / _LOW_HZ) ** np.linspace(0.0, 1.0, BANDS + 2)
    step = RATE_HZ / window
    bins = np.arange(window // 2 + 1) * step
    centre = edges[1:-1, None]
    lower, upper = np.minimum(edges[:-2, None], centre - step), np.maximum(edges[2:, None], centre + step)
    filters = np.maximum(0.0, np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre)))
    return np.ascontiguousarray((filters / np.sqrt(filters.sum(axis=1, keepdims=True))).T, np.float32)


def _described(
    samples: NDArray[np.float64], spectra: NDArray[np.float64], bands: NDArray[np.float64], seconds: float
) -> NDArray[np.float64]:
    energy = spectra.sum(axis=1) + _TINY
    total = spectra.sum(axis=0) + _TINY
    hz = np.asarray(np.arange(spectra.shape[1]) * (RATE_HZ / _SHORT), np.float64)
    fallen = 10.0 * np.log10(energy / energy.max())
    falls = [float(np.flatnonzero(fallen >= -fall)[-1] + 1) for fall in _FALLS_DB]
    grown = np.cumsum(energy) / energy.sum()
    shares = [float(np.searchsorted(grown, share)) for share in _ENERGY_SHARES]
    centroid = (total * hz).sum() / total.sum()
    spread = np.sqrt((total * (hz - centroid) ** 2).sum() / total.sum())
    middle = samples.sum(axis=0)
    if (middle**2).sum() < 1e-3 * (samples**2).sum():
        middle = samples[0] - samples[1]
    crossings = np.mean(middle[1:] * middle[:-1] < 0.0)
    early, later = _pitch(middle), _pitch(middle[_PITCH_LATER:])
    rises = np.maximum(0.0, np.diff(10.0 * np.log10(bands + 1e-8), axis=0)).mean(axis=1)
    return np.array(
        [
            np.log(seconds),
            np.log1p((energy * np.arange(len(energy))).sum() / energy.sum()),
            *np.log(falls),
            *np.log1p(shares),
            np.log(centroid + 1.0),
            np.log(spread + 1.0),
            np.log(hz[total.argmax()] + 20.0),
            np.log(crossings + 1e-4),
            *_noisiness(spectra, hz),
            *early,
            *later,
            early[0] - later[0],
            float((rises[_ATTACK_FRAMES] > _ATTACK_DB).sum()),
        ]
    )


def _noisiness(spectra: NDArray[np.float64], hz: NDArray[np.float64]) -> list[float]:
    """Return the logarithm of the spectral flatness, the mean over frames by energy: of each band, then of all."""
    flatness = []
    spectra = spectra + 1e-12
    logarithms = np.log(spectra)
    borders = [*pairwise(_NOISE_HZ), (_NOISE_HZ[0], _NOISE_HZ[-1])]
    for low, high in borders:
        first, last = np.searchsorted(hz, (low, high))
        means = spectra[:, first:last].mean(axis=1)
        flat = np.exp(logarithms[:, first:last].mean(axis=1)) / means
        flatness.append(float(np.log((flat * means).sum() / means.sum() + 1e-4)))
    return flatness


def _pitch(part: NDArray[np.float64]) -> tuple[float, float]:
    """Return the octave of the strongest low partial, and the share of it and its neighbours in the spectrum."""
    window = np.zeros(_PITCH_FRAMES)
    kept = min(len(part), _PITCH_FRAMES)
    window[:kept] = part[:kept]
    sizes = np.abs(np.fft.rfft(window * np.hanning(_PITCH_FRAMES), _PITCH_BINS)) + 1e-9
    hz = np.arange(len(sizes)) * (RATE_HZ / _PITCH_BINS)
    is_low = (hz > _PITCH_HZ[0]) & (hz < _PITCH_HZ[1])
    place = int(np.argmax(np.where(is_low, sizes, 0.0)))
    return float(np.log2(hz[place])), float(sizes[max(0, place - 6) : place + 7].sum() / sizes.sum())
