"""How far two mel pictures are apart: what image-to-image networks for sound report."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.paired.spectra import spectra
from stereokit.metrics.paired.views import power, power_views

BANDS = 256
RANGE_DB = 80.0
# 2048 and 512 samples at 22,050 Hz, where the genre-transfer paper draws its pictures.
_WINDOW_S, _HOP_S = 2048 / 22_050, 512 / 22_050
# Slaney's scale: 15 mel up to 1 kHz, then 27 steps of a factor 6.4 in all.
_STRAIGHT_HZ, _STRAIGHT_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27.0
# Bands that are summed together: neighbours lie in the same few bins, and all others are zero.
_TOGETHER = 16

# Channels, frames and bands of an array (n, channels, frames, bands).
_CLIP = (-3, -2, -1)


def mel_window(sample_rate: int) -> int:
    """Return the length of a window in samples."""
    return round(_WINDOW_S * sample_rate)


def _mel_spectra(
    signals: NDArray[np.float64], sample_rate: int, *, start: int = 0, own: int | None = None
) -> Iterator[NDArray[np.complex128]]:
    hop = round(_HOP_S * sample_rate)
    return spectra(signals, window=mel_window(sample_rate), hop=hop, start=start, own=own)


def white_power(
    left_right: NDArray[np.float64], sample_rate: int, *, start: int = 0, own: int | None = None
) -> NDArray[np.float64]:
    """Return the largest power in a mel band of each of (n, 2, T), shape (n,); 0 where no window begins.

    It is white in a clip's pictures; those of mid and side are measured by that of left and right, too. ``start`` and
    ``own`` as in ``spectra``.
    """
    white = np.zeros(len(left_right))
    for block in _mel_spectra(left_right, sample_rate, start=start, own=own):
        np.maximum(white, mel_powers(power(block), sample_rate).max(axis=_CLIP), out=white)
    return white


def mel_powers(powers: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the power in 256 mel bands from 0 Hz to half the rate, shape (..., frames, 256).

    Triangles of equal area on Slaney's scale. From 3 kHz on each triangle is wider than a bin of the transform, so no
    band is empty.

    Parameters
    ----------
    powers
        Of Hann windows of 92.9 ms (2048 samples at 22.05 kHz), shape (..., frames, bins).
    sample_rate
        Hz.
    """
    result = np.empty((*powers.shape[:-1], BANDS))
    for bands, bins, weights in _sums(sample_rate):
        np.matmul(powers[..., bins], weights, out=result[..., bands])
    return result


@lru_cache(maxsize=8)
def _sums(sample_rate: int) -> list[tuple[slice, slice, NDArray[np.float64]]]:
    """Return which bands are sums of which bins, and the weights, shape (bins, bands): a sixteenth of all are not 0."""
    filters = mel_triangles(sample_rate, mel_window(sample_rate))
    sums = []
    for first in range(0, BANDS, _TOGETHER):
        some = filters[first : first + _TOGETHER]
        used = np.flatnonzero(some.any(axis=0))
        bins = slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)
        sums.append((slice(first, first + _TOGETHER), bins, np.ascontiguousarray(some[:, bins].T)))
    return sums


def mel_triangles(sample_rate: int, size: int) -> NDArray[np.float64]:
    """Return the filters, shape (256, size // 2 + 1): triangles over the bins' frequencies, with area 1 in Hz."""
    edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(sample_rate / 2.0)), BANDS + 2))
    bins = np.arange(size // 2 + 1) * (sample_rate / size)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    heights = np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre))
    return np.asarray(np.maximum(heights, 0.0) * (2.0 / (upper - lower)))


def hz_to_mel(hz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Slaney's mel: 15 f / 1000 up to 1 kHz, 15 + 27 ln(f / 1000) / ln 6.4 above."""
    hz = np.asarray(hz, np.float64)
    curved = _STRAIGHT_MEL + np.log(np.maximum(hz, _STRAIGHT_HZ) / _STRAIGHT_HZ) / _STEP
    return np.where(hz < _STRAIGHT_HZ, hz * (_STRAIGHT_MEL / _STRAIGHT_HZ), curved)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert ``hz_to_mel``."""
    curved = _STRAIGHT_HZ * np.exp((np.maximum(mel, _STRAIGHT_MEL) - _STRAIGHT_MEL) * _STEP)
    return np.where(mel < _STRAIGHT_MEL, mel * (_STRAIGHT_HZ / _STRAIGHT_MEL), curved)


class PictureErrors:
    """Mean squared and mean absolute error of mel pictures.

    A picture is clip(1 + 10 log10(P / white) / 80, 0, 1) of the mel powers P: 1 at ``white`` and above, 0 from 80 dB
    under it (the genre-transfer paper's table 1, which names no scaling). One ``white`` for estimate and target, so
    that a wrong level is an error. Two silent clips are equal, both black.

    Parameters
    ----------
    white
        Power that is white in each clip's pictures, shape (n,): see ``white_power``.
    sample_rate
        Hz.
    """

    def __init__(self, white: NDArray[np.float64], sample_rate: int) -> None:
        # A silent target has no white; any sound beside it is then white itself.
        self._white_log = np.log10(np.maximum(white, np.finfo(np.float64).tiny))[:, None, None, None]
        self._rate = sample_rate
        self._squares, self._absolutes = np.zeros(len(white)), np.zeros(len(white))
        self._values = 0

    def add(self, estimate: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        """Take powers of more frames, shape (n, channels, frames, bins)."""
        difference = self._picture(estimate)
        difference -= self._picture(target)
        self._values += int(np.prod(difference.shape[1:]))
        self._absolutes += np.abs(difference, out=difference).sum(axis=_CLIP)
        self._squares += np.square(difference, out=difference).sum(axis=_CLIP)

    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return MSE and MAE in [0, 1], shape (n,) each."""
        return self._squares / self._values, self._absolutes / self._values

    def _picture(self, powers: NDArray[np.float64]) -> NDArray[np.float64]:
        picture = mel_powers(powers, self._rate)
        with np.errstate(divide="ignore"):
            np.log10(picture, out=picture)
        picture -= self._white_log
        picture *= 10.0 / RANGE_DB
        picture += 1.0
        return np.clip(picture, 0.0, 1.0, out=picture)


def mel_view_powers(
    both: NDArray[np.float64], sample_rate: int, *, start: int = 0, own: int | None = None
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield each view's powers in the windows of mel pictures, some frames at a time; see ``power_views``."""
    for block in _mel_spectra(both, sample_rate, start=start, own=own):
        yield from power_views(block)
