"""Filters of finite length from a drawn response: without delay, or with the least there can be."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A length of 93 ms separates what lies 20 Hz apart at the low end.
_LENGTH_S = 0.093
# The cepstrum of a response folds over; a transform this much longer than the filter keeps that under 1e-4.
_OVERSAMPLING = 4
_BLOCK = 1 << 16

Points = list[list[float]]
Filter = NDArray[np.float64]


def decibels_at(points: Points, hertz: NDArray[np.float64]) -> NDArray[Any]:
    """Return the response that runs straight from point to point over the logarithm of frequency.

    Parameters
    ----------
    points
        [Hz, dB], rising in Hz; outside of them the response stays as at the nearest one.
    hertz
        At least 0, any shape.

    Returns
    -------
    ndarray
        dB, of the same shape.
    """
    table = np.asarray(points, np.float64)
    return np.asarray(np.interp(np.log2(np.maximum(hertz, 1e-3)), np.log2(table[:, 0]), table[:, 1]))


def _bins_hz(size: int, sample_rate: int) -> NDArray[np.float64]:
    return np.arange(size // 2 + 1, dtype=np.float64) * (sample_rate / size)


def _length(sample_rate: int) -> int:
    return 2 * max(8, round(_LENGTH_S * sample_rate / 2)) + 1


def zero_phase(points: Points, sample_rate: int) -> Filter:
    """Return a filter with this response that delays nothing: symmetric, of odd length, its middle tap is now.

    Its ringing lies half before a sound and half after it, at most 47 ms.
    """
    taps = _length(sample_rate)
    size = 1 << (_OVERSAMPLING * taps - 1).bit_length()
    gains = 10.0 ** (decibels_at(points, _bins_hz(size, sample_rate)) / 20.0)
    impulse = np.roll(np.fft.irfft(gains, size), taps // 2)[:taps]
    # The window's ends are beyond the filter, so that no tap is wasted on a zero.
    return np.asarray(impulse * np.hanning(taps + 2)[1:-1])


def minimum_phase(points: Points, sample_rate: int) -> Filter:
    """Return a filter with this response whose energy comes as early as it can; nothing sounds before its cause.

    Made by folding the cepstrum (Oppenheim and Schafer, Discrete-Time Signal Processing, on minimum-phase sequences).
    """
    taps = _length(sample_rate)
    size = 1 << (_OVERSAMPLING * taps - 1).bit_length()
    levels = decibels_at(points, _bins_hz(size, sample_rate)) * (np.log(10.0) / 20.0)
    cepstrum = np.fft.irfft(levels, size)
    cepstrum[1 : size // 2] *= 2.0
    cepstrum[size // 2 + 1 :] = 0.0
    impulse = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:taps]
    falling = 0.5 + 0.5 * np.cos(np.pi * np.arange(taps) / taps)
    return np.asarray(impulse * falling)


def convolved(samples: NDArray[np.float64], impulse: Filter, *, now: int = 0) -> NDArray[np.float64]:
    """Return each channel filtered, as long as before.

    Parameters
    ----------
    samples
        Shape (..., T).
    impulse
        Shape (n,), for every channel.
    now
        The tap that stands for no delay; those before it look ahead.

    Returns
    -------
    ndarray
        Shape (..., T): ``sum_k impulse[k] x[t + now - k]``, with silence around x.
    """
    frames = samples.shape[-1]
    block = max(_BLOCK, 1 << (2 * impulse.size - 1).bit_length())
    size = min(block, 1 << (frames + impulse.size - 2).bit_length()) if frames + impulse.size > 2 else 2
    step = size - impulse.size + 1
    spectrum = np.fft.rfft(impulse, size)
    whole = np.zeros((*samples.shape[:-1], frames + impulse.size - 1))
    for start in range(0, frames, step):
        part = samples[..., start : start + step]
        made = np.fft.irfft(np.fft.rfft(part, size, axis=-1) * spectrum, size, axis=-1)
        kept = min(part.shape[-1] + impulse.size - 1, whole.shape[-1] - start)
        whole[..., start : start + kept] += made[..., :kept]
    return whole[..., now : now + frames]
