"""How far two mel pictures are apart: what image-to-image networks for sound report."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.paired.spectra import powers

BANDS = 256
RANGE_DB = 80.0
# 2048 and 512 samples at 22,050 Hz, where the genre-transfer paper draws its pictures.
_WINDOW_S, _HOP_S = 2048 / 22_050, 512 / 22_050
# Slaney's scale: 15 mel up to 1 kHz, then 27 steps of a factor 6.4 in all.
_STRAIGHT_HZ, _STRAIGHT_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27.0


def mel_powers(signals: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the power in 256 mel bands from 0 Hz to half the rate, shape (..., frames, 256).

    Hann windows of 92.9 ms every 23.2 ms (2048 and 512 samples at 22.05 kHz), those wholly inside; triangles of equal
    area on Slaney's scale. From 3 kHz on each triangle is wider than a bin of the transform, so no band is empty.

    Parameters
    ----------
    signals
        Shape (..., T).
    sample_rate
        Hz.
    """
    window, hop = round(_WINDOW_S * sample_rate), round(_HOP_S * sample_rate)
    filters = mel_triangles(sample_rate, window)
    return np.concatenate([power @ filters.T for (power,) in powers(signals, window=window, hop=hop)], axis=-2)


@lru_cache(maxsize=8)
def mel_triangles(sample_rate: int, size: int) -> NDArray[np.float64]:
    """Return the filters, shape (256, size // 2 + 1): triangles over the bins' frequencies, with area 1 in Hz."""
    edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(sample_rate / 2.0)), BANDS + 2))
    bins = np.arange(size // 2 + 1) * (sample_rate / size)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    heights = np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre))
    filters: NDArray[np.float64] = np.maximum(heights, 0.0) * (2.0 / (upper - lower))
    # Cached: whoever changed it would change it for all.
    filters.flags.writeable = False
    return filters


def hz_to_mel(hz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Slaney's mel: 15 f / 1000 up to 1 kHz, 15 + 27 ln(f / 1000) / ln 6.4 above."""
    hz = np.asarray(hz, np.float64)
    curved = _STRAIGHT_MEL + np.log(np.maximum(hz, _STRAIGHT_HZ) / _STRAIGHT_HZ) / _STEP
    return np.where(hz < _STRAIGHT_HZ, hz * (_STRAIGHT_MEL / _STRAIGHT_HZ), curved)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert ``hz_to_mel``."""
    curved = _STRAIGHT_HZ * np.exp((np.maximum(mel, _STRAIGHT_MEL) - _STRAIGHT_MEL) * _STEP)
    return np.where(mel < _STRAIGHT_MEL, mel * (_STRAIGHT_HZ / _STRAIGHT_MEL), curved)


def picture_errors(
    estimate: NDArray[np.float64], target: NDArray[np.float64], sample_rate: int, *, white: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean squared and the mean absolute error of mel pictures.

    A picture is clip(1 + 10 log10(P / white) / 80, 0, 1) of the mel powers P: 1 at ``white`` and above, 0 from 80 dB
    under it (the genre-transfer paper's table 1, which names no scaling). One ``white`` for estimate and target, so
    that a wrong level is an error.

    Parameters
    ----------
    estimate, target
        Shape (n, channels, T) each.
    sample_rate
        Hz.
    white
        Power that is white in each picture, shape (n,): the largest of the target's, see ``white_power``.

    Returns
    -------
    tuple of ndarray
        MSE and MAE in [0, 1], shape (n,) each. Two silent clips are equal, both black.
    """
    one, other = (_picture(mel_powers(signals, sample_rate), white) for signals in (estimate, target))
    difference = one - other
    everywhere = (-3, -2, -1)
    return np.square(difference).mean(axis=everywhere), np.abs(difference).mean(axis=everywhere)


def white_power(left_right: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the largest mel power of each of (n, 2, T), left and right: what mid and side are measured by, too."""
    return np.asarray(mel_powers(left_right, sample_rate).max(axis=(-3, -2, -1)))


def _picture(power: NDArray[np.float64], white: NDArray[np.float64]) -> NDArray[np.float64]:
    # A silent target has no white; any sound beside it is then white itself.
    least = np.log10(np.maximum(white, np.finfo(np.float64).tiny))
    with np.errstate(divide="ignore"):
        level_db = 10.0 * (np.log10(power) - least[:, None, None, None])
    return np.asarray(np.clip(1.0 + level_db / RANGE_DB, 0.0, 1.0))
