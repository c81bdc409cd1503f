"""Power spectrograms and mel bands in NumPy, for measuring. Training has its own, in tensors."""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


def hann(length: int) -> NDArray[np.float64]:
    """Return the periodic Hann window, shape (length,)."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)


def stft(signal: NDArray[np.float64], *, window: int, hop: int) -> NDArray[np.complex128]:
    """Return the short-time Fourier transform without centring.

    Parameters
    ----------
    signal
        Shape (..., T). Shorter than a window, it is padded with zeros to one.
    window, hop
        In samples; the transform is as long as the (periodic Hann) window.

    Returns
    -------
    ndarray
        Shape (..., frames, window // 2 + 1), frames = (T - window) // hop + 1.
    """
    missing = window - signal.shape[-1]
    if missing > 0:
        signal = np.concatenate([signal, np.zeros((*signal.shape[:-1], missing))], axis=-1)
    frames = sliding_window_view(signal, window, axis=-1)[..., ::hop, :]
    return np.fft.rfft(frames * hann(window), axis=-1)


def power_spectrogram(signal: NDArray[np.float64], *, window: int, hop: int) -> NDArray[np.float64]:
    """Return the one-sided power spectrogram, shape (..., frames, window // 2 + 1).

    Scaled by the window's energy so that the bins of a frame add up to about the mean square of its samples:
    a full-scale sine adds up to 1/2.
    """
    power = np.abs(stft(signal, window=window, hop=hop)) ** 2
    power *= 2.0 / (window * (hann(window) ** 2).sum())
    power[..., 0] /= 2.0
    if window % 2 == 0:
        power[..., -1] /= 2.0
    return power


def hz_to_mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return mel = 2595 log10(1 + f / 700), the HTK form."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz, np.float64) / 700.0))


def mel_to_hz(mel: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Invert ``hz_to_mel``."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel, np.float64) / 2595.0) - 1.0))


@lru_cache(maxsize=32)
def mel_filters(*, sample_rate: int, n_fft: int, bands: int, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Return triangular mel filters with peak 1, shape (bands, n_fft // 2 + 1).

    The bands depend on ``low_hz`` and ``high_hz`` alone, so that clips of different rates are comparable; a band
    above half the rate is all zero.

    >>> mel_filters(sample_rate=44_100, n_fft=1764, bands=32, low_hz=40.0, high_hz=16_000.0).shape
    (32, 883)
    """
    edges = mel_to_hz(np.linspace(hz_to_mel(low_hz), hz_to_mel(high_hz), bands + 2))
    bins = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    # Cached: whoever changed it would change it for all.
    filters.flags.writeable = False
    return filters
